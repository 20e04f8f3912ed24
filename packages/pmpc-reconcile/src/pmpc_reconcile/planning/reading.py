"""Read what a plan is about: guests, pools, images, templates, and what was declared last."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.events import EventSink, PlanProgress
from pmpc_reconcile.identity import new_marker_id
from pmpc_reconcile.live import Inventory, LiveCluster, PoolObject
from pmpc_reconcile.locate import Found, Location, Locator, Missing, Recorded, Refused
from pmpc_reconcile.manifests import Manifest
from pmpc_reconcile.plans import cloud_init
from pmpc_reconcile.plans.group_hooks import RELEASE
from pmpc_reconcile.plans.requirements import files_needed, template_of
from pmpc_reconcile.plans.situation import Situation
from pmpc_reconcile.values.images import content_of

if TYPE_CHECKING:
    from pmpc_reconcile.planning.request import Request
    from pmpc_reconcile.records import ManagedRecord, Records


class Reading:
    """Reads for one plan.

    Args:
        live: The cluster.
        records: What is remembered of it.
        emit: Gets progress.
    """

    def __init__(self, live: LiveCluster, records: Records, emit: EventSink) -> None:
        self.live = live
        self.records = records
        self.emit = emit
        self._templates: dict[int, dict[str, Any]] = {}

    async def places(
        self, request: Request, inventory: Inventory, managed: Mapping[str, ManagedRecord]
    ) -> dict[str, Location]:
        """Return where each guest is that the request is about."""
        wanted: dict[str, tuple[str, str, Recorded | None]] = {}
        for manifest in request.objects:
            family = manifest.kind_data.guest
            if family is None:
                continue
            address = str(manifest.address)
            record = managed.get(address)
            name = _guest_name(manifest)
            wanted[address] = (family, name, record.recorded_guest() if record else None)
        if request.prune:
            for address, record in managed.items():
                recorded = record.recorded_guest()
                if address not in wanted and recorded is not None:
                    name = address.partition("/")[2]
                    wanted[address] = (recorded.guest, name, recorded)
        places = await Locator(self.live, inventory, request.release).locate(wanted)
        for address, vmid in request.adopted.items():
            if isinstance(places[address], Missing):
                places[address] = await self._chosen(inventory, vmid)
        for number, address in enumerate(places, 1):
            self.emit(PlanProgress("locate", address, number, len(places)))
        return places

    async def drives(
        self, request: Request, places: Mapping[str, Location]
    ) -> dict[str, frozenset[str]]:
        """Return by address which options wait for the cloud-init drive of a running machine.

        Asked where options are declared that the drive is made of.
        """
        found: dict[str, frozenset[str]] = {}
        for manifest in request.objects:
            address = str(manifest.address)
            place = places.get(address)
            if not isinstance(place, Found):
                continue
            declared = cloud_init.options_declared(manifest.fields)
            if cloud_init.is_worth_asking(place.guest, declared):
                found[address] = frozenset()
        rows = await asyncio.gather(*(self._drive(places[address]) for address in found))
        return dict(zip(found, rows, strict=True))

    async def _drive(self, place: Location) -> frozenset[str]:
        from proxmox_client import PveError

        assert isinstance(place, Found)
        try:
            rows = await self.live.cloud_init(place.guest)
        except PveError:  # it went somewhere else just now: the next plan tells
            return frozenset()
        return cloud_init.behind_rows(rows)

    async def _chosen(self, inventory: Inventory, vmid: int) -> Location:
        """Return a guest somebody chose to be ours; one that has an owner is refused."""
        entry = inventory.guests[vmid]
        guest = await self.live.guest(entry.node, entry.guest, vmid, pool=entry.pool)
        if guest.marker is not None:
            return Refused(f"guest {vmid} belongs to release {guest.marker.release}")
        return Found(guest, new_marker_id(), "it was chosen for adoption", marked=False)

    async def pools(
        self, request: Request, managed: Mapping[str, ManagedRecord]
    ) -> dict[str, PoolObject | None]:
        """Return the pools that the request is about; None for one that is not there."""
        names = {item.name for item in request.manifests if item.kind == "Pool"}
        if request.prune:
            names |= {record.key for record in managed.values() if record.kind == "pool"}
        found: dict[str, PoolObject | None] = {}
        for name in sorted(names):
            exists = await self.live.has_pool(name)
            found[name] = await self.live.pool(name) if exists else None
        return found

    async def images(
        self, request: Request, inventory: Inventory, new: set[str]
    ) -> dict[str, frozenset[str]] | None:
        """Return which nodes have which images, as far as new guests need them."""
        from proxmox_client import PveError

        wanted = {
            (volume.partition(":")[0], content)
            for manifest in request.manifests
            if str(manifest.address) in new
            for volume in files_needed(manifest).values()
            if (content := content_of(volume)) is not None
        }
        try:
            return await self.live.images(inventory, wanted) if wanted else {}
        except PveError:  # such as a token that may not look: then creating tells
            return None

    async def template(self, situation: Situation, manifest: Manifest) -> Mapping[str, Any] | None:
        """Return the configuration of the guest that a manifest clones, if it can be read."""
        cache = self._templates
        entry = template_of(situation, manifest)
        if entry is None or not situation.inventory.reachable(entry.node):
            return None
        if entry.vmid not in cache:
            cache[entry.vmid] = await self.live.config(entry.node, entry.guest, entry.vmid)
        return cache[entry.vmid]

    async def last_declared(self, release: str) -> dict[str, Manifest]:
        """Return the last manifest of every object the release ever declared."""
        from pmpc_reconcile.manifests import manifest_from_document

        found: dict[str, Manifest] = {}
        for revision in await self.records.revisions(release):
            found.pop(f"{RELEASE}/{release}", None)  # only the newest one has a say
            for document in revision.manifests:
                manifest = manifest_from_document(dict(document))
                found[str(manifest.address)] = manifest
        return found


def _guest_name(manifest: Manifest) -> str:
    option = manifest.kind_data.name_option
    return str(manifest.fields.get(f"config.{option}", manifest.name))
