"""How wanted changes of a guest's options come into force, stopped or running."""

from __future__ import annotations

import attrs

from proxmox_client.testing.guests import cloudinit_drive, hotplug
from proxmox_client.testing.guests.drives import (
    Drive,
    free_unused_slot,
    holds_volume,
    is_unused,
    owned,
    parse_drive,
)
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.hotplug import Outcome


@attrs.define
class Effects:
    """What applying changes means for others than the configuration.

    Attributes:
        freed: Volumes to be removed from their storage.
        errors: Texts per option that could not be applied.
        waits: Seconds it took (a guest that does not give a device back).
    """

    freed: list[str] = attrs.field(factory=list[str])
    errors: dict[str, str] = attrs.field(factory=dict[str, str])
    waits: float = 0.0


BUSY_SECONDS = 5.7
"""How long PVE waits for a guest to give a device back."""


def apply(guest: Guest, touched: frozenset[str]) -> Effects:
    """Bring pending changes into force as far as the guest's state allows.

    Args:
        guest: The guest; changed in place.
        touched: Options of this request: others stay pending while the guest runs.
    """
    guest.drop_settled()
    effects = Effects()
    if guest.running:
        before = dict(guest.config)
        _apply_running(guest, touched, effects)
        if guest.kind == "qemu":
            cloudinit_drive.note(guest.cloudinit, before, guest.config)
    else:
        apply_stopped(guest, effects)
    return effects


def apply_stopped(guest: Guest, effects: Effects) -> None:
    """Bring every pending change into force; done at each start and for a stopped guest."""
    for name in sorted(guest.pending_delete):
        _remove(guest, name, effects, force=guest.pending_delete.pop(name))
    for name in list(guest.pending):
        _set(guest, name, effects)


def _apply_running(guest: Guest, touched: frozenset[str], effects: Effects) -> None:
    fast = [name for name in guest.pending if name in hotplug.FAST[guest.kind]]
    for name in fast:
        guest.config[name] = guest.pending.pop(name)
    for name in sorted(touched & guest.pending_delete.keys()):
        outcome = hotplug.removal(guest.kind, guest.config, name)
        if _goes_through(guest, name, outcome, effects):
            _remove(guest, name, effects, force=guest.pending_delete.pop(name))
    for name in [name for name in guest.pending if name in touched]:
        outcome = hotplug.change(guest.kind, guest.config, name, guest.pending[name])
        if _goes_through(guest, name, outcome, effects):
            _set(guest, name, effects)


def _goes_through(guest: Guest, name: str, outcome: Outcome, effects: Effects) -> bool:
    if outcome is Outcome.UNPLUG and not guest.responsive:
        effects.waits += BUSY_SECONDS
        effects.errors[name] = (
            f"hotplug problem - error on hot-unplugging device '{name}' - still busy in guest?\n"
        )
        return False
    return outcome is not Outcome.PENDING


def _set(guest: Guest, name: str, effects: Effects) -> None:
    new = guest.pending.pop(name)
    old = guest.config.get(name)
    if old is not None and holds_volume(guest.kind, name) and not is_unused(name):
        before = parse_drive(name, old)
        if before.volid != parse_drive(name, new).volid:
            detach(guest, before, effects)
    guest.config[name] = new
    adopt(guest, name)


def _remove(guest: Guest, name: str, effects: Effects, *, force: bool) -> None:
    text = guest.config.pop(name, None)
    if text is None or not holds_volume(guest.kind, name):
        return
    drive = parse_drive(name, text)
    if is_unused(name):
        effects.freed.append(drive.volid)
    elif force and guest.kind == "qemu":
        _remove_for_good(guest, drive, effects)
    else:
        detach(guest, drive, effects)


def _remove_for_good(guest: Guest, drive: Drive, effects: Effects) -> None:
    if not owned(guest.vmid, drive):
        return
    if refers(guest, drive.volid, outside=drive.slot):
        guest.config[drive.slot] = drive.text()
        guest.pending_delete[drive.slot] = True
        effects.errors[drive.slot] = (
            f"unable to apply pending change {drive.slot} : unable to delete '{drive.volid}'"
            " - volume is still in use (snapshot?)\n"
        )
        return
    effects.freed.append(drive.volid)


def detach(guest: Guest, drive: Drive, effects: Effects) -> None:
    """Keep a detached volume as ``unusedN``; a cloud-init drive is removed."""
    if not owned(guest.vmid, drive):
        return
    if drive.is_cloudinit:
        effects.freed.append(drive.volid)
    elif not refers(guest, drive.volid, outside=drive.slot, snapshots=guest.kind == "lxc"):
        guest.config[free_unused_slot(guest.config)] = drive.volid


def adopt(guest: Guest, name: str) -> None:
    """Drop the ``unusedN`` entry of a volume that is attached again."""
    if not holds_volume(guest.kind, name) or is_unused(name):
        return
    volid = parse_drive(name, guest.config[name]).volid
    for slot in [slot for slot in guest.config if is_unused(slot)]:
        if parse_drive(slot, guest.config[slot]).volid == volid:
            del guest.config[slot]


def refers(guest: Guest, volid: str, *, outside: str | None = None, snapshots: bool = True) -> bool:
    """Whether any part of the configuration but one option refers to a volume."""
    return any(
        parse_drive(name, text).volid == volid
        for origin, name, text in guest.volumes()
        if holds_volume(guest.kind, name)
        and not (origin == "" and name == outside)
        and (snapshots or origin == "")
    )
