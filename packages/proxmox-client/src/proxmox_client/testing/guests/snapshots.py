"""The snapshot tree of a guest: taking, listing, rolling back to and removing snapshots."""

from __future__ import annotations

from typing import Any

from proxmox_client.testing.guests import options
from proxmox_client.testing.guests.changes import adopt
from proxmox_client.testing.guests.drives import holds_volume, is_unused
from proxmox_client.testing.guests.guest import Guest, Snapshot

_NOT_COPIED = frozenset(("lock", "description", "template", "parent"))


def take(
    guest: Guest, name: str, *, now: float, description: str = "", vmstate: str | None = None
) -> None:
    """Add a snapshot of the options in force."""
    guest.snapshots[name] = Snapshot(
        name=name,
        config={
            key: text
            for key, text in guest.config.items()
            if key not in _NOT_COPIED and not is_unused(key)
        },
        time=int(now),
        description=options.normalise_description(guest.kind, description),
        parent=guest.parent,
        vmstate=vmstate,
    )
    guest.parent = name


def roll_back(guest: Guest, name: str) -> None:
    """Make a snapshot's options the current ones; description and detached volumes stay."""
    kept = {
        key: text for key, text in guest.config.items() if is_unused(key) or key == "description"
    }
    guest.config = {**kept, **guest.snapshots[name].config}
    for slot in list(guest.config):
        if slot in guest.config and holds_volume(guest.kind, slot):
            adopt(guest, slot)
    guest.pending.clear()
    guest.pending_delete.clear()
    guest.parent = name


def remove(guest: Guest, name: str) -> Snapshot:
    """Take a snapshot out of the tree; its children get its parent."""
    gone = guest.snapshots.pop(name)
    for other in guest.snapshots.values():
        if other.parent == name:
            other.parent = gone.parent
    if guest.parent == name:
        guest.parent = gone.parent
    return gone


def listing(guest: Guest) -> list[dict[str, Any]]:
    """Return the snapshot list; its last entry stands for the present."""
    rows: list[dict[str, Any]] = []
    for snapshot in guest.snapshots.values():
        row: dict[str, Any] = {
            "name": snapshot.name,
            "snaptime": snapshot.time,
            "description": snapshot.description,
        }
        if guest.kind == "qemu":
            row["vmstate"] = 1 if snapshot.vmstate else 0
        if snapshot.parent:
            row["parent"] = snapshot.parent
        rows.append(row)
    present: dict[str, Any] = {
        "name": "current",
        "description": "You are here!",
        "digest": guest.digest,
        "running": 1 if guest.running else 0,
    }
    if guest.parent:
        present["parent"] = guest.parent
    return [*rows, present]


def shown(guest: Guest, name: str, *, hide: bool) -> dict[str, Any]:
    """Return a snapshot's options as answers show them."""
    return dict(options.api_config(guest.kind, guest.snapshots[name].stored(), hide=hide))
