"""The sizes a resize asks for."""

from __future__ import annotations

from proxmox_client.testing.guests.sizes import parse_size


def grown_size(wanted: str, present: int) -> int:
    """Return the new size in bytes: absolute, or added where the text begins with ``+``."""
    if wanted.startswith("+"):
        return present + parse_size(wanted[1:])
    return parse_size(wanted)
