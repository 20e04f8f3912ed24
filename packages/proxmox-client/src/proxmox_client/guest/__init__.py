"""A guest by number or name, wherever in the cluster it is at the moment, in both colours.

Here is what is done to one guest; what is done to storages is in `volumes`, and the conversations
themselves are flows.
"""

from __future__ import annotations

from proxmox_client.guest.agent import AsyncGuestAgent, GuestAgent
from proxmox_client.guest.awaiting import AsyncGuest
from proxmox_client.guest.blocking import Guest
from proxmox_client.guest.snapshots import AsyncGuestSnapshots, GuestSnapshots

__all__ = [
    "AsyncGuest",
    "AsyncGuestAgent",
    "AsyncGuestSnapshots",
    "Guest",
    "GuestAgent",
    "GuestSnapshots",
]
