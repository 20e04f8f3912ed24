"""Whether a guest works, from what is read anyway: its state, its lock, what HA says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmpc_reconcile.live import GuestEntry, GuestObject
    from pmpc_reconcile.manifests import Manifest

_HA_TROUBLE = ("error", "fence", "recovery")
# Locks of work that ends by itself; a guest is healthy while it is backed up or moved.
_AT_WORK = ("backup", "clone", "create", "migrate", "snapshot", "snapshot-delete", "rollback")


def ailment_of(manifest: Manifest, guest: GuestObject, entry: GuestEntry | None) -> str:
    """Return what is wrong with a guest: a word and a sentence, `Word: sentence`; empty if nothing.

    Args:
        manifest: What it should be.
        guest: The guest as read.
        entry: Its entry in the inventory.
    """
    ha = "" if entry is None else entry.ha_state
    if ha in _HA_TROUBLE:
        return f"HighAvailability: HA says {ha}"
    if guest.lock is not None and guest.lock not in _AT_WORK:
        return f"Locked: it is locked ({guest.lock})"
    if manifest.state == "running" and not guest.running:
        return "NotRunning: it should run and is stopped"
    return ""
