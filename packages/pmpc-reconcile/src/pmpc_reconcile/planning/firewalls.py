"""Firewalls: nodes and guests before the cluster, whose rules come after theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pmpc_reconcile.diagnostics import warning
from pmpc_reconcile.groups.firewall.reach import Whole
from pmpc_reconcile.groups.firewall.state import Level
from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.live.firewall import CLUSTER_PATH, read_level, read_whole, with_level
from pmpc_reconcile.planning.networks import silent
from pmpc_reconcile.plans.firewalls import FirewallPlace, plan_firewall
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.situation import Built, Situation

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.records import ManagedRecord
    from pmpc_reconcile.values import Fields


class FirewallPlanning:
    """Plans the firewalls of one plan, which know each other's outcome."""

    def __init__(self, live: LiveCluster) -> None:
        self._live = live
        self._whole: Whole | None = None
        self._cluster: Level | None = None
        self._steps: dict[str, str] = {}

    async def plan(
        self,
        situation: Situation,
        manifest: Manifest,
        record: ManagedRecord | None,
        *,
        adopted: bool = False,
    ) -> Built:
        """Return what brings a firewall to its manifest."""
        address = str(manifest.address)
        place = await self._place(situation, address, _key(situation, manifest), manifest)
        if isinstance(place, Built):
            return place
        wrong = _foreign_options(manifest, place.scope)
        if wrong:
            problem = manifest.diagnose(wrong, "spec.options")
            item = ObjectPlan(address, ObjectAction.REFUSED, notes=(wrong,))
            return Built(item, (), (problem,))
        resolutions = situation.resolutions_for(manifest)
        return await self._built(
            situation, place, manifest.fields, resolutions, record, adopted=adopted
        )

    async def remove(self, situation: Situation, record: ManagedRecord) -> Built:
        """Return what takes everything of ours out of a firewall."""
        place = await self._place(situation, record.address, record.key, None)
        if isinstance(place, Built):
            return place
        return await self._built(situation, place, {}, {}, record)

    async def _built(
        self,
        situation: Situation,
        place: FirewallPlace,
        desired: Fields,
        resolutions: Mapping[str, str],
        record: ManagedRecord | None,
        *,
        adopted: bool = False,
    ) -> Built:
        whole = cluster = None
        if place.path is not None and place.scope == "guest":
            cluster = await self._cluster_level()
        elif place.path is not None:
            if self._whole is None:
                self._whole = await read_whole(self._live, place.path, place.level)
            whole = self._whole
        built, after = plan_firewall(
            situation,
            place,
            desired,
            resolutions,
            record,
            whole=whole,
            cluster=cluster,
            adopted=adopted,
        )
        if whole is not None and place.path is not None:
            self._whole = with_level(whole, place.path, after)
        for step in built.steps:
            self._steps[place.scope] = step.id
        return built

    async def _cluster_level(self) -> Level:
        if self._cluster is None:
            self._cluster = (await read_level(self._live, CLUSTER_PATH)).level
        return self._cluster

    async def _place(
        self, situation: Situation, address: str, key: str, manifest: Manifest | None
    ) -> FirewallPlace | Built:
        scope, _, name = key.partition("/")
        inventory = situation.inventory
        vmid = int(name) if scope == "guest" and name else None
        if scope == "node" and not inventory.reachable(name):
            return silent(address, name)
        if scope == "guest" and vmid is None:
            reference = str(manifest.spec["guest"]) if manifest else ""
            made = situation.creations.get(reference)
            if made is None:
                return _unknown(address, f"there is no {reference}")
            return FirewallPlace(
                address=address, scope=scope, key=key, path=None, level=Level(), after=(made,)
            )
        path = CLUSTER_PATH if scope == "cluster" else f"/nodes/{name}/firewall"
        if vmid is not None:
            entry = inventory.guests.get(vmid)
            if entry is None:
                return _gone(address, f"there is no guest {vmid}", manifest)
            path = f"/nodes/{entry.node}/{entry.guest}/{vmid}/firewall"
        before = self._steps.get("node") if scope == "cluster" else None
        return FirewallPlace(
            address=address,
            scope=scope,
            key=key,
            path=path,
            level=(await read_level(self._live, path)).level,
            after=(before,) if before else (),
            vmid=vmid,
        )


def _key(situation: Situation, manifest: Manifest) -> str:
    """Return under which key a firewall is recorded: the guest's vmid where it has one."""
    if "node" in manifest.spec:
        return f"node/{manifest.spec['node']}"
    guest = manifest.spec.get("guest")
    if guest is None:
        return "cluster"
    vmid = guest if isinstance(guest, int) else situation.vmids.get(str(guest))
    return "guest" if vmid is None else f"guest/{vmid}"


def _foreign_options(manifest: Manifest, scope: str) -> str:
    from pmpc_reconcile.kinds.firewall import OPTIONS

    wrong = sorted(manifest.spec.get("options", {}).keys() - OPTIONS[scope].keys())
    if wrong:
        return f"the firewall of a {scope} has no option {wrong[0]}"
    if scope != "cluster" and "groups" in manifest.spec:
        return "security groups belong to the cluster's firewall"
    if scope == "node" and ("aliases" in manifest.spec or "ipsets" in manifest.spec):
        return "aliases and sets belong to the firewall of the cluster or of a guest"
    return ""


def _unknown(address: str, reason: str) -> Built:
    note = warning(f"{address} is unknown: {reason}", address=address)
    return Built(ObjectPlan(address, ObjectAction.UNKNOWN, notes=(reason,)), (), (note,))


def _gone(address: str, reason: str, manifest: Manifest | None) -> Built:
    if manifest is None:
        item = ObjectPlan(address, ObjectAction.FORGET, marker_id="", notes=(reason,), record=True)
        return Built(item)
    problem = manifest.diagnose(reason, "spec.guest")
    return Built(ObjectPlan(address, ObjectAction.REFUSED, notes=(reason,)), (), (problem,))
