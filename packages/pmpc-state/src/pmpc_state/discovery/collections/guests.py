"""What each guest has besides its configuration: its firewall, its snapshots.

Any node answers for every guest's firewall, because these files are the cluster's; so a node that
is down hides none of them. Snapshots are told by the guest's own node only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

import attrs

from pmpc_state.discovery.collections.table import Collection
from pmpc_state.discovery.look import Look, failure, is_hopeless, offline
from pmpc_state.values.inventory import Cause, ObservedItem, Section, SectionFailure
from proxmox_client import PveError

GUESTS = ("qemu", "lxc")
Found = tuple[ObservedItem, SectionFailure | None]
Read = Callable[[Look, str], Awaitable[dict[str, Any]]]


async def look_at_guest_settings(
    look: Look, wanted: Collection, gone_guests: Iterable[str]
) -> Section:
    """Read something of every guest that is listed; with a guest goes what it has."""
    listed = {f"{one['type']}/{one['vmid']}": one for one in look.listing.of_type(*GUESTS)}
    due = {key: one for key, one in listed.items() if look.wants(wanted.kind, key)}
    found = await asyncio.gather(*(_item(look, wanted, key, one) for key, one in due.items()))
    missing = look.missing(wanted.kind, due)
    # Also of a guest that an earlier sync, which was cut short, recorded as gone.
    recorded = {f"{kind}/{key}" for kind in GUESTS for key in look.recorded.get(kind, ())}
    gone = frozenset(missing) - (recorded - frozenset(gone_guests)) - frozenset(listed)
    untouched = frozenset(key for key in missing if key in listed)
    problems = dict.fromkeys(problem for _, problem in found if problem is not None)
    return Section(
        wanted.kind,
        tuple(item for item, _ in found),
        gone=gone,
        unseen={
            key: "its guest is not listed, and nothing proves that it is gone"
            for key in missing
            if key not in gone | untouched
        },
        failures=tuple(problems),
        untouched=untouched,
    )


def requests_of(kind: str) -> int:
    """Return what reading it of one guest costs, at least."""
    return _READERS[kind].requests


async def _item(look: Look, wanted: Collection, key: str, entry: Mapping[str, Any]) -> Found:
    reader, node = _READERS[wanted.kind], entry.get("node")
    if not look.listing.is_online(node):
        if reader.at_home:
            why = offline(node)
            problem = SectionFailure(wanted.kind, f"node {node}", Cause.OFFLINE, why)
            return ObservedItem(wanted.kind, key, None, reason=why), problem
        # Whatever node the path names, the one that is asked answers: so name one that is there.
        node = next(iter(look.listing.online), "localhost")
    try:
        config = await reader.read(look, f"/nodes/{node}/{key}")
    except PveError as error:
        if is_hopeless(error):
            raise
        problem = failure(wanted.kind, key, error)
        if problem.cause is Cause.PERMISSION:
            hint = f"{problem.message}; {wanted.privilege} on {wanted.root} would show it"
            problem = attrs.evolve(problem, message=hint)
        return ObservedItem(wanted.kind, key, None, reason=problem.message), problem
    return ObservedItem(wanted.kind, key, {"config": config}), None


async def _firewall(look: Look, guest: str) -> dict[str, Any]:
    path = f"{guest}/firewall"
    options, rules, aliases, sets = await asyncio.gather(
        *(_ask(look, f"{path}/{name}") for name in ("options", "rules", "aliases", "ipset"))
    )
    members = await asyncio.gather(
        *(_ask(look, f"{path}/ipset/{quote(str(one['name']), safe='')}") for one in sets or ())
    )
    return {
        "options": _clean(options or {}),
        "rules": [_clean(one) for one in rules or ()],
        "aliases": {str(one["name"]): _clean(one) for one in aliases or ()},
        "ipsets": {
            str(one["name"]): {**_clean(one), "members": [_clean(member) for member in inside]}
            for one, inside in zip(sets or (), members, strict=True)
        },
    }


async def _snapshots(look: Look, guest: str) -> dict[str, Any]:
    entries = await _ask(look, f"{guest}/snapshot")
    # The entry of the guest as it is now says no more than its configuration does.
    there = [one for one in entries or () if one.get("name") != "current"]
    return {"snapshots": {str(one["name"]): _clean(one) for one in there}}


async def _ask(look: Look, path: str) -> Any:
    return await look.ask(look.pve.request("GET", path))


def _clean(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in ("digest", "pos")}


@attrs.frozen
class _Reader:
    """How something of a guest is read.

    Attributes:
        requests: What it costs, at least.
        at_home: Whether only the guest's own node answers.
    """

    read: Read
    requests: int
    at_home: bool


_READERS: Final[Mapping[str, _Reader]] = {
    "guest-firewall": _Reader(_firewall, 4, at_home=False),
    "guest-snapshots": _Reader(_snapshots, 1, at_home=True),
}
