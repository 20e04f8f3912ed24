"""The firewall of each guest: options, rules, aliases and IP sets as one object.

Any node answers for every guest, because these files are the cluster's; so a node that is down
hides none of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pmpc_state.discovery.collections.table import Collection
from pmpc_state.discovery.look import Look, failure, is_hopeless
from pmpc_state.values.inventory import ObservedItem, Section, SectionFailure
from proxmox_client import PveError

GUESTS = ("qemu", "lxc")
REQUESTS = 4
"""What reading one costs, and one more for each IP set."""
Found = tuple[ObservedItem, SectionFailure | None]


async def look_at_guest_firewalls(
    look: Look, wanted: Collection, gone_guests: Iterable[str]
) -> Section:
    """Read the firewall of every guest that is listed; with a guest goes its firewall."""
    listed = {f"{one['type']}/{one['vmid']}": one for one in look.listing.of_type(*GUESTS)}
    due = {key: one for key, one in listed.items() if look.wants(wanted.kind, key)}
    found = await asyncio.gather(*(_firewall(look, wanted, key, one) for key, one in due.items()))
    missing = look.missing(wanted.kind, due)
    gone = frozenset(missing) & frozenset(gone_guests)
    untouched = frozenset(key for key in missing if key in listed)
    return Section(
        wanted.kind,
        tuple(item for item, _ in found),
        gone=gone,
        unseen={
            key: "its guest is not listed, and nothing proves that it is gone"
            for key in missing
            if key not in gone | untouched
        },
        failures=tuple(problem for _, problem in found if problem is not None),
        untouched=untouched,
    )


async def _firewall(look: Look, wanted: Collection, key: str, entry: Mapping[str, Any]) -> Found:
    # Whatever node the path names, the one that is asked answers: so name one that is there.
    node = entry.get("node")
    if not look.listing.is_online(node):
        node = next(iter(look.listing.online), "localhost")
    path = f"/nodes/{node}/{key}/firewall"
    try:
        options, rules, aliases, sets = await asyncio.gather(
            *(_ask(look, f"{path}/{name}") for name in ("options", "rules", "aliases", "ipset"))
        )
        members = await asyncio.gather(
            *(_ask(look, f"{path}/ipset/{quote(str(one['name']), safe='')}") for one in sets or ())
        )
    except PveError as error:
        if is_hopeless(error):
            raise
        problem = failure(wanted.kind, key, error)
        return ObservedItem(wanted.kind, key, None, reason=problem.message), problem
    config = {
        "options": _clean(options or {}),
        "rules": [_clean(one) for one in rules or ()],
        "aliases": {str(one["name"]): _clean(one) for one in aliases or ()},
        "ipsets": {
            str(one["name"]): {**_clean(one), "members": [_clean(member) for member in inside]}
            for one, inside in zip(sets or (), members, strict=True)
        },
    }
    return ObservedItem(wanted.kind, key, {"config": config}), None


async def _ask(look: Look, path: str) -> Any:
    return await look.ask(look.pve.request("GET", path))


def _clean(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in ("digest", "pos")}
