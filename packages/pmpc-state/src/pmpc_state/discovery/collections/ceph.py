"""Which nodes have Ceph; the others answer everything about it with an error."""

from __future__ import annotations

from pmpc_state.discovery.look import Look, is_hopeless
from proxmox_client import PveError


async def node_with_ceph(look: Look) -> str | None:
    """Return a node that answers and has Ceph, None if there is none or nobody says so."""
    try:
        found = await look.ask(
            look.pve.request("GET", "/cluster/ceph/metadata", {"scope": "versions"})
        )
    except PveError as error:
        if is_hopeless(error):
            raise
        return None
    have: dict[str, object] = dict(found or {}).get("node") or {}
    return next((node for node in look.listing.online if node in have), None)
