"""What the token may see, and which privileges would show more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from pmpc_state.discovery.look import Look, is_hopeless
from pmpc_state.values.inventory import Cause, Section, SectionFailure
from proxmox_client import PveError

Privileges = Mapping[str, Iterable[str]]
Need = tuple[str, str]
"""A privilege, and the path below which it must hold."""
_SHOWN_BY: Final[Mapping[str, tuple[Need, ...]]] = {
    "node": (("Sys.Audit", "/nodes"),),
    "qemu": (("VM.Audit", "/vms"),),
    "lxc": (("VM.Audit", "/vms"),),
    "storage": (("Datastore.Audit", "/storage"),),
    "content": (("Datastore.Audit", "/storage"), ("VM.Config.Disk", "/vms")),
    "pool": (("Pool.Audit", "/pool"),),
    "guest-firewall": (("VM.Audit", "/vms"),),
    "guest-snapshots": (("VM.Audit", "/vms"),),
}
"""Which privileges, held where, show a whole section."""
_OR_ALONE: Final[Mapping[str, Need]] = {"content": ("Datastore.Allocate", "/storage")}
"""Which privilege shows a whole section without the others."""


async def privileges_of(look: Look) -> Privileges:
    """Return what the token may do where; nothing if that cannot be read."""
    try:
        found = await look.ask(look.pve.request("GET", "/access/permissions"))
    except PveError as error:
        if is_hopeless(error):
            raise
        return {}
    return {
        # What does not go down to the paths below is no proof that all of them are shown.
        str(path): tuple(right for right, goes_down in dict(rights).items() if goes_down)
        for path, rights in dict(found or {}).items()
    }


def holds_below(privileges: Privileges, privilege: str, root: str) -> bool:
    """Say whether a privilege holds at a path and everywhere below it.

    Lists leave out silently what one may not see. The privilege must hold at the root, and at
    every path below it that has an entry of its own, because such an entry can take away what is
    inherited.
    """
    top = root.rstrip("/")
    above = [path for path in privileges if path == "/" or f"{top}/".startswith(f"{path}/")]
    if not above:
        return False
    at_root = max(above, key=len)
    below = (path for path in privileges if path.startswith(f"{top}/"))
    return all(privilege in privileges[path] for path in (at_root, *below))


def with_notes(sections: Iterable[Section], privileges: Privileges) -> tuple[Section, ...]:
    """Add to each section which privilege would show more of it, if one is missing."""
    return tuple(_noted(section, privileges) for section in sections)


def _noted(section: Section, privileges: Privileges) -> Section:
    alone = _OR_ALONE.get(section.name)
    lacking = [
        need for need in _SHOWN_BY.get(section.name, ()) if not holds_below(privileges, *need)
    ]
    if not lacking or (alone is not None and holds_below(privileges, *alone)):
        return section
    wanted = " and ".join(f"{privilege} on {root}" for privilege, root in lacking)
    message = f"shows what this token may see; {wanted} would show all"
    note = SectionFailure(section.name, "hidden", Cause.HIDDEN, message)
    return attrs.evolve(section, failures=(*section.failures, note))
