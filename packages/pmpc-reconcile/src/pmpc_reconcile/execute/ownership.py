"""Record what became ours, object by object, as soon as it did."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pmpc_reconcile.execute.steprun import ObjectRun
from pmpc_reconcile.identity.disks import disks_of, own_disks, read_disks, write_disks
from pmpc_reconcile.live import GuestObject
from pmpc_reconcile.plans.cloud_init import BEHIND
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan, Plan
from pmpc_reconcile.plans.settings import RECORD_KINDS, recorded_key
from pmpc_reconcile.plans.steps import (
    HOOK_STEPS,
    CloneGuest,
    Configure,
    CreateGuest,
    CreatePool,
    CreateStorage,
    DeleteGuest,
    DeletePool,
    DeleteStorage,
    ForgetObject,
    MoveDisk,
    RegenerateCloudInit,
    ResizeDisk,
    SetPool,
    Step,
)
from pmpc_reconcile.records import MARKER, Records
from pmpc_reconcile.values import Absent, FieldValue


class OwnershipKeeper:
    """Keeps the records of a plan's objects in step with what was verified."""

    def __init__(self, records: Records, plan: Plan, objects: Mapping[str, ObjectRun]) -> None:
        self._records = records
        self._plan = plan
        self._objects = objects
        self._writing: dict[str, asyncio.Lock] = {}
        self._begun: set[str] = set()
        self._acting = frozenset(step.address for step in plan.steps)
        self._open: dict[str, dict[str, Step]] = {}
        for step in plan.steps:
            self._open.setdefault(step.address, {})[step.id] = step

    async def step_begins(self, step: Step) -> None:
        """Record what the next plan has to know if this process is killed in the middle.

        A guest that is gone is forgotten before another is made in its place: its record names the
        marker and traits of the former one, and the new one would be taken for a copy of it.
        """
        self._begun.add(step.id)
        if isinstance(step, (CloneGuest, CreateGuest)):
            await self._records.forget(self._plan.release, step.address)
        if isinstance(step, Configure) and self._unwritten(step.address):
            # Killed right after the options are written, nothing of them tells that the drive is
            # still to be written: PVE does not list all of them.
            await self._record(self._objects[step.address])

    async def step_done(self, step: Step) -> None:
        """Record what a verified step made ours."""
        self._open.get(step.address, {}).pop(step.id, None)
        if isinstance(step, (DeleteGuest, DeletePool, ForgetObject)):
            await self._records.forget(self._plan.release, step.address)
            return
        if isinstance(step, HOOK_STEPS):
            return
        await self._record(self._objects[step.address])

    async def step_undone(self, step: Step, undone: str) -> None:
        """Record that what a step made ours is as it was before.

        Args:
            step: The step that undid it.
            undone: Id of the step it undid.
        """
        if isinstance(step, (DeleteGuest, DeletePool, DeleteStorage)):
            await self._records.forget(self._plan.release, step.address)
            return
        original = next((item for item in self._plan.steps if item.id == undone), None)
        steps = self._open.setdefault(step.address, {})
        if isinstance(original, RegenerateCloudInit):
            steps.pop(undone, None)  # written from the values before
        elif original is not None:
            for other in self._unwritten(step.address):
                if other.id not in self._begun and not self._objects[step.address].item.behind:
                    del steps[other.id]
            steps[undone] = original
        await self._record(self._objects[step.address])

    async def settle_quiet_objects(self) -> None:
        """Record objects that needed no step: taken over fields, forgotten ones."""
        busy = {step.address for step in self._plan.steps if not isinstance(step, HOOK_STEPS)}
        for address, target in self._objects.items():
            if address in busy or not target.item.record:
                continue
            if target.item.action in (ObjectAction.DELETE, ObjectAction.FORGET):
                await self._records.forget(self._plan.release, address)
            else:
                await self._record(target)

    async def _record(self, target: ObjectRun) -> None:
        # Steps of one object may end at the same moment. Each writes all that is ours by then, so
        # they write one after the other: else the one that knew less could come last.
        async with self._writing.setdefault(target.item.address, asyncio.Lock()):
            await self._write(target)

    async def _write(self, target: ObjectRun) -> None:
        item = target.item
        identity = {**item.evidence, MARKER: item.marker_id or ""}
        if item.kind in RECORD_KINDS:
            if item.action is ObjectAction.DELETE and not self._open.get(item.address):
                await self._records.forget(self._plan.release, item.address)
                return
            identity |= target.traits
            kind, key = RECORD_KINDS[item.kind], recorded_key(item, target.vmid)
        elif item.kind == "Pool":
            kind, key = "pool", item.name
        else:
            if target.vmid is None:
                return
            kind, key = ("lxc" if item.kind == "Container" else "qemu"), str(target.vmid)
            if target.seen is not None:
                identity |= target.seen.evidence.to_record()
                identity |= _disks(target, target.seen)
            if lacking := self._lacking(item):
                identity[BEHIND] = ",".join(lacking)
        await self._records.record(
            self._plan.release,
            item.address,
            kind=kind,
            key=key,
            identity=identity,
            fields=self._fields(item),
        )

    def _unwritten(self, address: str) -> tuple[RegenerateCloudInit, ...]:
        """Return the steps to come that write a cloud-init drive."""
        steps = self._open.get(address, {}).values()
        return tuple(step for step in steps if isinstance(step, RegenerateCloudInit))

    def _lacking(self, item: ObjectPlan) -> tuple[str, ...]:
        """Return the options that a guest's cloud-init drive may lack from now on."""
        if item.address not in self._acting:
            return item.behind
        return tuple(sorted({key for step in self._unwritten(item.address) for key in step.keys}))

    def _fields(self, item: ObjectPlan) -> dict[str, FieldValue]:
        """Return what is ours by now: fields of open steps keep the value recorded before."""
        waiting = self._open.get(item.address, {}).values()
        fields = dict(item.owned_after)
        if any(_brings_everything(step) for step in waiting):
            return {}
        before = {change.path: change.base for change in item.changes}
        for path in {path for step in waiting for path in _paths(step)}:
            base = before.get(path)
            fields.pop(path, None)
            if base is not None and not isinstance(base, Absent):
                fields[path] = base
        return fields


def _disks(target: ObjectRun, guest: GuestObject) -> dict[str, str]:
    """Return the disks to record as ours: all of a guest we made, else ours of before and now."""
    if target.fresh:
        target.disks = disks_of(guest.config)
        return write_disks(target.disks)
    recorded = read_disks(target.item.evidence)
    there = disks_of(guest.config) | disks_of(guest.running_config)  # one may wait for a restart
    volumes = {disk.volume for disk in there}
    known = frozenset(disk for disk in recorded if disk.volume in volumes)
    # A volume that is gone is no proof any more: PVE gives its name to the next one.
    return write_disks(known | own_disks(guest.config, recorded, target.item.owned_after))


def _brings_everything(step: Step) -> bool:
    fresh = isinstance(step, Configure) and step.fresh
    return fresh or isinstance(step, (CreatePool, CloneGuest, CreateGuest, CreateStorage))


def _paths(step: Step) -> tuple[str, ...]:
    if isinstance(step, (Configure, ResizeDisk, MoveDisk)):
        return tuple(change.path for change in step.changes)
    return ("pool",) if isinstance(step, SetPool) else ()
