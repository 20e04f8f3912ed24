"""Make a plan: read the cluster and the records, then let pure code decide object by object."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.diagnostics import Severity
from pmpc_reconcile.events import EventSink, PlanProgress
from pmpc_reconcile.identity import new_marker_id
from pmpc_reconcile.live import Inventory, LiveCluster, PoolObject
from pmpc_reconcile.locate import Found, Location, Missing, Refused, Unknown
from pmpc_reconcile.manifests import Manifest
from pmpc_reconcile.planning.begun import begun_by
from pmpc_reconcile.planning.editors import Editors, newer
from pmpc_reconcile.planning.hooked import hooks_without_storage
from pmpc_reconcile.planning.linking import linked, removed_after, with_images, with_storages
from pmpc_reconcile.planning.others import OtherKinds, in_order
from pmpc_reconcile.planning.pools import in_order_of_pools
from pmpc_reconcile.planning.reading import Reading
from pmpc_reconcile.planning.request import Request
from pmpc_reconcile.plans.caps import too_many_deletions
from pmpc_reconcile.plans.commits import together
from pmpc_reconcile.plans.creation import plan_new
from pmpc_reconcile.plans.graph import ordered
from pmpc_reconcile.plans.group_hooks import RELEASE, Fabric, weave
from pmpc_reconcile.plans.membership import in_two_pools
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan, Plan, Purpose
from pmpc_reconcile.plans.pools import plan_pool
from pmpc_reconcile.plans.removal import forget_object, keep_object, remove_guest, remove_pool
from pmpc_reconcile.plans.resolutions import check_resolutions
from pmpc_reconcile.plans.situation import Built, Situation, with_blame
from pmpc_reconcile.plans.update import plan_existing
from pmpc_reconcile.records import ManagedRecord, Records, documents_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Planner:
    """Plans for one cluster."""

    def __init__(
        self, live: LiveCluster, records: Records, emit: EventSink, now: Callable[[], float]
    ) -> None:
        self.live = live
        self.records = records
        self.emit = emit
        self.now = now
        self._former: dict[str, Manifest] = {}
        self._states: dict[str, str] = {}
        self._others = OtherKinds(live)
        self._reading = Reading(live, records, emit)
        self._editors = Editors(live)

    async def plan(self, request: Request) -> Plan:
        """Return what would bring the cluster to the manifests.

        Raises:
            ManifestInvalid: Two manifests are about one object.
            InputInvalid: A resolution names no object or no field.
            PveError: The cluster cannot be read.
        """
        request.refuse_doubles()
        check_resolutions(request.resolutions, request.manifests)
        inventory = await self.live.inventory()
        begun = await begun_by(self.records, request.release)
        managed = begun.managed(await self.records.managed(request.release))
        places = await self._reading.places(request, inventory, managed)
        self._states = {
            address: place.guest.state
            for address, place in places.items()
            if isinstance(place, Found)
        }
        pools = await self._reading.pools(request, managed)
        if request.prune:
            self._former = await self._reading.last_declared(request.release)
        situation = await self._situation(request, inventory, places, pools)
        owned = {address: item.owned_after for address, item in begun.items.items()}
        behind = await self._reading.drives(request, places)
        situation = attrs.evolve(situation, begun=owned, managed=managed, behind=behind)
        built = await self._build(request, situation, managed, places, pools)
        built += await self._leftovers(request, situation, managed, places, pools)
        built = in_order_of_pools(situation, built)
        many = too_many_deletions(built, request.most_deleted)
        wrong = (
            *request.warnings,
            *request.problems(),
            *many,
            *in_two_pools(situation),
            *hooks_without_storage(situation, built),
        )
        return await self._assembled(attrs.evolve(request, warnings=wrong), built)

    async def _situation(
        self,
        request: Request,
        inventory: Inventory,
        places: Mapping[str, Location],
        pools: Mapping[str, PoolObject | None],
    ) -> Situation:
        addresses = {str(manifest.address) for manifest in request.manifests}
        creations = {
            address: f"{address}#create"
            for address, place in places.items()
            if address in addresses and isinstance(place, Missing)
        }
        creations |= {
            f"Pool/{name}": f"Pool/{name}#create"
            for name, pool in pools.items()
            if pool is None and f"Pool/{name}" in addresses
        }
        anew = {str(item.address) for item in request.manifests if item.replace == "allow"}
        images = await self._reading.images(request, inventory, anew | set(creations))
        inventory = with_storages(inventory, request.manifests)
        return Situation(
            release=request.release,
            inventory=inventory,
            claims=await self.records.claims(request.release),
            resolutions=request.resolutions,
            fingerprint=self.records.fingerprint,
            new_id=new_marker_id,
            creations=creations,
            declared={str(manifest.address): manifest for manifest in request.manifests},
            images=with_images(images, request.manifests, inventory),
            moment=self.now(),
            restart=request.restart,
            vmids={
                address: place.guest.vmid
                for address, place in places.items()
                if isinstance(place, Found)
            },
        )

    # -- deciding -----------------------------------------------------------------------------

    async def _build(
        self,
        request: Request,
        situation: Situation,
        managed: Mapping[str, ManagedRecord],
        places: Mapping[str, Location],
        pools: Mapping[str, PoolObject | None],
    ) -> list[Built]:
        built: list[Built] = []
        manifests = in_order(request.objects)
        for number, manifest in enumerate(manifests, 1):
            address = str(manifest.address)
            record = managed.get(address)
            place = places.get(address)
            if self._others.has(manifest.kind):
                taken = address in request.taken
                result = await self._others.plan(situation, manifest, record, adopted=taken)
            elif place is None:
                taken = address in request.taken
                pool = pools[manifest.name]
                result = plan_pool(situation, manifest, pool, record, adopted=taken)
            elif isinstance(place, Missing):
                config = await self._reading.template(situation, manifest)
                result = plan_new(situation, manifest, place.notes, config)
            else:
                result = _existing_or_not(situation, manifest, place, record)
            built.append(await self._blamed(request.release, result, place))
            self.emit(PlanProgress("diff", address, number, len(manifests)))
            await asyncio.sleep(0)  # thousands of objects must not stop the event loop
        return linked(built, {str(item.address): item for item in request.manifests})

    async def _blamed(self, release: str, built: Built, place: Location | None) -> Built:
        item = built.item
        if not item.conflicts:
            return built
        if self._others.has(item.kind):
            theirs = await self.records.settings_blame(release, item)
            return attrs.evolve(built, item=attrs.evolve(item, theirs=theirs))
        kind = {"Container": "lxc", "Pool": "pool"}.get(item.kind, "qemu")
        key = item.name if item.vmid is None else str(item.vmid)
        options = {change.path.split(".")[1] for change in item.conflicts if "." in change.path}
        if not isinstance(place, Found):
            return with_blame(built, await self.records.blame(kind, key, options))
        blame = await self.records.blame(kind, key, options, place.guest.config)
        told = await self._editors.blame(place.guest, options)
        known = {option: newer(blame.get(option), one) for option, one in told.items()}
        return with_blame(built, blame | known)

    async def _leftovers(
        self,
        request: Request,
        situation: Situation,
        managed: Mapping[str, ManagedRecord],
        places: Mapping[str, Location],
        pools: Mapping[str, PoolObject | None],
    ) -> list[Built]:
        """Plan what is recorded but not in the manifests: kept unless pruning was asked for."""
        declared = {str(manifest.address) for manifest in request.manifests}
        gone = {address: item for address, item in managed.items() if address not in declared}
        if not request.prune:
            return [keep_object(record) for record in gone.values()]
        kept = [address for address in gone if {"*", address} & request.keep]
        forgotten = [
            forget_object(record, places.get(address), _pool_of(record, pools))
            for address, record in gone.items()
            if address in kept
        ]
        gone = {address: item for address, item in gone.items() if address not in kept}
        built = [
            await self._others.remove(situation, record, protect=self._protects(address))
            for address, record in gone.items()
            if self._others.has(address.partition("/")[0])
        ]
        guests = [
            remove_guest(record, places[address], self._former.get(address))
            for address, record in gone.items()
            if record.kind in ("qemu", "lxc")
        ]
        after = tuple(step.id for item in guests for step in item.steps)
        return [*forgotten, *removed_after(built, guests), *guests] + [
            remove_pool(
                situation, record, pools.get(record.key), after, protect=self._protects(address)
            )
            for address, record in gone.items()
            if record.kind == "pool"
        ]

    def _protects(self, address: str) -> bool:
        former = self._former.get(address)
        return former is not None and former.protect

    async def _assembled(self, request: Request, built: Sequence[Built]) -> Plan:
        revisions = await self.records.revisions(request.release)
        objects = tuple(item.item for item in built)
        fabric = Fabric(objects, self._told(request, objects), self._states, request.purpose)
        woven = weave(fabric, (step for item in built for step in item.steps))
        wrong = (*(each for item in built for each in item.diagnostics), *woven.diagnostics)
        return Plan(
            id=secrets.token_hex(6),
            cluster=self.records.cluster,
            release=request.release,
            purpose=request.purpose,
            created_at=datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="seconds"),
            base_revision=revisions[-1].number if revisions else None,
            objects=objects,
            steps=ordered(together(woven.steps, objects)),
            diagnostics=(*request.warnings, *wrong),
            documents=documents_of(request.manifests, self.records.fingerprint),
            note=request.note,
            manifests={str(item.address): item for item in request.manifests},
        )

    def _told(self, request: Request, objects: Sequence[ObjectPlan]) -> dict[str, Manifest]:
        """Return the manifests whose hooks count: those given, and the last ones of what goes."""
        going = {item.address for item in objects}
        if request.purpose is Purpose.DELETE:
            going.add(f"{RELEASE}/{request.release}")
        former = {name: found for name, found in self._former.items() if name in going}
        return {**former, **{str(item.address): item for item in request.manifests}}


def _pool_of(record: ManagedRecord, pools: Mapping[str, PoolObject | None]) -> PoolObject | None:
    return pools.get(record.key) if record.kind == "pool" else None


def _existing_or_not(
    situation: Situation, manifest: Manifest, place: Location, record: ManagedRecord | None
) -> Built:
    address = str(manifest.address)
    match place:
        case Found():
            return plan_existing(situation, manifest, place, record)
        case Refused(reason):
            problem = manifest.diagnose(reason)
            return Built(ObjectPlan(address, ObjectAction.REFUSED, notes=(reason,)), (), (problem,))
        case Unknown(reason):
            note = manifest.diagnose(f"{address} is unknown: {reason}", severity=Severity.WARNING)
            return Built(ObjectPlan(address, ObjectAction.UNKNOWN, notes=(reason,)), (), (note,))
        case Missing():
            raise AssertionError("a missing object is planned as a new one")
