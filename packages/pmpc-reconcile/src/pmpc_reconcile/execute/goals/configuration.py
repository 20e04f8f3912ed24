"""Goals about options and disks: one guarded write, only where the live value is as reviewed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.diff import FieldChange, three_way, to_wire
from pmpc_reconcile.execute.goals.base import (
    ExistingGuestGoal,
    guest_call,
    need_quorum,
    wait_unlocked,
)
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure
from pmpc_reconcile.identity import strip_marker, with_marker
from pmpc_reconcile.kinds import Kind, meaning
from pmpc_reconcile.live import GuestObject
from pmpc_reconcile.plans.steps import Configure, MoveDisk, ResizeDisk
from pmpc_reconcile.values import (
    ABSENT,
    Absent,
    FieldValue,
    Secret,
    SecretMark,
    default_of,
    live_fields,
    same,
    split_path,
)

if TYPE_CHECKING:
    from pmpc_reconcile.diff import Wire

_GONE_IS_FINE = ("state", "pool")


def remaining(
    run: StepRun, guest: GuestObject, changes: Iterable[FieldChange], *, lenient: bool = False
) -> tuple[FieldChange, ...]:
    """Return the changes that are not in effect yet, each checked against what was reviewed.

    Args:
        run: The step.
        guest: The guest as it is now.
        changes: What was reviewed.
        lenient: Leave out fields somebody changed since, instead of failing.

    Raises:
        StepFailure: Somebody changed one of the fields since the plan was made.
    """
    live = live_fields(run.kind, guest.own_config)
    wanted = {
        change.path: change.desired for change in changes if not isinstance(change.desired, Absent)
    }
    now = {field.path: field for field in three_way(run.kind, wanted, live, {}).fields}
    missing: list[FieldChange] = []
    for change in changes:
        field = now.get(change.path)
        if field is None:
            current = live.get(change.path, ABSENT)
            in_effect = current is ABSENT
        else:
            current = field.live
            in_effect = not field.action.writes
        if in_effect or change.path in run.target.written:
            continue
        if not run.target.fresh and not _as_reviewed(run.kind, change, current):
            if lenient:
                continue
            raise StepFailure(
                f"{change.path} was {_shown(change.live)} when the plan was made and is "
                f"{_shown(current)} now: somebody changed it; plan again"
            )
        missing.append(attrs.evolve(change, live=current))
    return tuple(missing)


def fresh_changes(
    run: StepRun, guest: GuestObject, planned: Iterable[FieldChange]
) -> tuple[FieldChange, ...]:
    """Return what a guest made by this plan still lacks of everything declared.

    Args:
        run: The step.
        guest: The guest as it is now.
        planned: What it was to lack, with the values of its template; empty where nobody knows.

    Raises:
        StepFailure: Somebody changed one of the fields since the guest was made.
    """
    live = live_fields(run.kind, guest.own_config)
    desired = {path: value for path, value in run.item.desired.items() if path not in _GONE_IS_FINE}
    found = three_way(run.kind, desired, live, {}).changes
    missing = tuple(change for change in found if change.path not in run.target.written)
    before = {change.path: change for change in planned}
    for change in missing if before else ():
        if change.path in live and not _as_made(run.kind, change, before.get(change.path)):
            raise StepFailure(
                f"{change.path} of the new guest is {_shown(change.live)}, which is neither what "
                "it was made with nor what is declared: somebody changed it; plan again"
            )
    return missing


def _as_made(kind: Kind, change: FieldChange, planned: FieldChange | None) -> bool:
    """Return whether a field has the value a new guest has, which PVE chooses for some keys."""
    _, option, key = split_path(change.path)
    chosen = key in meaning.GENERATED_KEYS - {"type"}
    if chosen or option is None or isinstance(change.live, SecretMark):
        return True
    return planned is not None and _as_reviewed(kind, planned, change.live)


def needs_secret(changes: Iterable[FieldChange]) -> None:
    """Refuse to write a secret that only its fingerprint is known of.

    Raises:
        StepFailure: There is one.
    """
    lacking = [item.path for item in changes if isinstance(item.desired, SecretMark)]
    if lacking:
        raise StepFailure(
            f"the stored plan has no secrets, and {', '.join(lacking)} needs one: "
            "apply the manifests instead of the plan's id"
        )


class ConfigureGoal(ExistingGuestGoal):
    """Options have their desired values, pending or running, and the marker is in place."""

    def __init__(self, step: Configure) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the next write: resize first, then options, then moves."""
        guest = await run.own_guest()
        if self.step.fresh:
            changes = fresh_changes(run, guest, self.step.changes)
        else:
            changes = remaining(run, guest, self.step.changes, lenient=self.step.lenient)
        unmarked = guest.marker is None
        if not changes and not unmarked:
            return None
        wait_unlocked(guest)
        needs_secret(changes)
        wire = _sendable(run, guest, changes)
        if wire.resize:
            return await resize_call(run, guest, wire)
        if wire.set or wire.delete or unmarked:
            run.target.written.update(
                item.path for item in changes if isinstance(item.desired, Secret)
            )
            return _write_call(run, guest, wire)
        if wire.move:
            return move_call(guest, wire)
        return None


class DiskGoal(ExistingGuestGoal):
    """A disk has its desired size, or is on its desired storage."""

    def __init__(self, step: ResizeDisk | MoveDisk) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the resize or the move until its effect is there."""
        guest = await run.own_guest()
        lenient = isinstance(self.step, MoveDisk) and self.step.lenient
        changes = remaining(run, guest, self.step.changes, lenient=lenient)
        if not changes:
            return None
        wait_unlocked(guest)
        wire = _sendable(run, guest, changes)
        if wire.resize:
            return await resize_call(run, guest, wire)
        return move_call(guest, wire) if wire.move else None


def _sendable(run: StepRun, guest: GuestObject, changes: Iterable[FieldChange]) -> Wire:
    """Return what to send.

    Raises:
        StepFailure: A change cannot be made this way.
    """
    wire = to_wire(run.kind, changes, guest.own_config)
    if wire.refused:
        raise StepFailure("; ".join(item.message for item in wire.refused))
    return wire


async def resize_call(run: StepRun, guest: GuestObject, wire: Wire) -> Call:
    """Return the request that grows a disk; without quorum it would be done by half.

    Raises:
        Wait: There is no quorum.
    """
    await need_quorum(run)
    first = wire.resize[0]
    params: dict[str, object] = {"disk": first.disk, "size": first.text, "digest": guest.digest}
    return guest_call(guest, f"resize {first.disk}", "PUT", "resize", params, [first.disk])


def move_call(guest: GuestObject, wire: Wire) -> Call:
    """Return the request that moves a disk and drops the old copy."""
    first = wire.move[0]
    below, slot = ("move_disk", "disk") if guest.guest == "qemu" else ("move_volume", "volume")
    params: dict[str, object] = {
        slot: first.disk,
        "storage": first.storage,
        "delete": 1,
        "digest": guest.digest,
    }
    return guest_call(guest, f"move {first.disk}", "POST", below, params, [first.disk])


def _write_call(run: StepRun, guest: GuestObject, wire: Wire) -> Call:
    params: dict[str, object] = dict(wire.parameters())
    params.pop("delete", None)
    delete = [option for option in wire.delete if option != "description"]
    if guest.marker is None or "description" in wire.set or "description" in wire.delete:
        given = wire.set.get("description")
        own = None if given is None else str(given)
        if own is None and "description" not in wire.delete:
            own = strip_marker(guest.description)
        params["description"] = with_marker(own, run.marker)
    if delete:
        params["delete"] = ",".join(delete)
    params["digest"] = guest.digest
    allocates = guest.guest == "qemu" and any(
        option not in guest.config and ":" in str(value) for option, value in wire.set.items()
    )
    method = "POST" if allocates else "PUT"
    return guest_call(guest, "write options", method, "config", params, [*wire.set, *delete])


def _as_reviewed(kind: Kind, change: FieldChange, now: FieldValue | Absent) -> bool:
    if isinstance(now, SecretMark) or isinstance(change.live, SecretMark):
        return True
    reviewed: FieldValue | Absent = change.live
    if isinstance(reviewed, Absent):
        reviewed = default_of(kind, change.path)
    if isinstance(now, Absent):
        now = default_of(kind, change.path)
    return same(kind, change.path, reviewed, now)


def _shown(value: FieldValue | Absent) -> str:
    return str(value)
