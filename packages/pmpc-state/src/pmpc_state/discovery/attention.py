"""What an incremental look reads: what may have changed, and the part of the rest whose turn it is.

A guest may have changed if the lists say something else of it than when it was last read, if it
restarted, if a task ran on it, or if the cluster's log tells of an edit. A volume list may have
changed if a task ran that makes or removes volumes. Everything else can change without a trace: the
sweep finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from pmpc_state.discovery.collections.guests import GUESTS, requests_of
from pmpc_state.discovery.collections.hinting import hinted
from pmpc_state.discovery.collections.table import Collection
from pmpc_state.discovery.look import Listing
from pmpc_state.discovery.volumes import place_of, scopes_of
from pmpc_state.freshness import Sweep, Unit, choose, summary_of
from pmpc_state.logtext import edit_told
from pmpc_state.values.inventory import Knowledge, Known, TaskSection

_LOOKING: Final = frozenset({"vncproxy", "spiceproxy", "termproxy", "vncshell", "spiceshell"})
"""Tasks that only look at a guest."""
_POWER: Final = frozenset(
    f"{tool}{verb}"
    for tool in ("qm", "vz")
    for verb in ("start", "stop", "shutdown", "reboot", "reset", "suspend", "resume")
)
Name = tuple[str, str]


@attrs.frozen
class Memory:
    """What an incremental look builds on.

    Attributes:
        recorded: What the database believes to be there.
        read: Section and scope to when that list was last read as a whole.
        before: When the last look began.
    """

    recorded: Knowledge
    read: Mapping[Name, datetime]
    before: datetime


def attend(
    listing: Listing,
    memory: Memory,
    news: TaskSection,
    collections: Iterable[Collection],
    sweep: Sweep,
    now: datetime,
    *,
    volumes: bool = True,
) -> frozenset[Name]:
    """Return section and key, or scope, of what an incremental look reads.

    Args:
        listing: What the cluster lists.
        memory: What the look builds on.
        news: The tasks that had an effect, and the lines that came, since the last look.
        collections: What is read besides.
        sweep: How fresh everything is to be.
        now: When the look begins.
        volumes: Whether what the storages hold is of interest.
    """
    busy = {task.object_id for task in news.tasks if task.type not in _LOOKING}
    busy |= {told.key for line in news.lines if (told := edit_told(line.message)) is not None}
    placed = {task.node for task in news.tasks if task.type not in _LOOKING | _POWER}
    due = {
        *_changed_guests(listing, memory.recorded, busy),
        *_changed_nodes(listing, memory.recorded),
        *_changed_storages(listing, memory.recorded),
        *_changed_pools(listing, memory.recorded),
    }
    wanted = tuple(collections)
    due.update(hinted(listing, memory.recorded, news, wanted))
    units = [*_object_units(listing, memory), *_collection_units(listing, memory, wanted)]
    if volumes:
        places = placed | _new_places(listing, memory.recorded)
        due.update(_changed_volumes(listing, memory, places))
        units += _volume_units(listing, memory)
    due.update(unit.name for unit in units if _is_list(unit) and unit.proven_at is None)
    rest = [unit for unit in units if unit.name not in due]
    return frozenset(due) | choose(rest, sweep, now, memory.before)


def _changed_guests(listing: Listing, recorded: Knowledge, busy: set[str]) -> Iterator[Name]:
    for entry in listing.of_type(*GUESTS):
        kind, key = str(entry["type"]), str(entry["vmid"])
        known = recorded.get(kind, {}).get(key)
        if key in busy or _may_differ(known, summary_of(kind, (entry,)), entry):
            yield kind, key


def _changed_nodes(listing: Listing, recorded: Knowledge) -> Iterator[Name]:
    for name, entry in listing.nodes.items():
        known = recorded.get("node", {}).get(name)
        if _may_differ(known, summary_of("node", (entry,)), entry):
            yield "node", name


def _may_differ(known: Known | None, summary: str, entry: Mapping[str, Any]) -> bool:
    if known is None or not known.known or known.proven_at is None or known.summary != summary:
        return True
    # Up for a shorter time than before: it restarted in between.
    return _seconds(entry.get("uptime")) < _seconds(known.facts.get("uptime"))


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _changed_storages(listing: Listing, recorded: Knowledge) -> Iterator[Name]:
    known, listed = recorded.get("storage", {}), listing.storages
    if any(
        (one := known.get(key)) is None or one.summary != summary_of("storage", entries)
        for key, entries in listed.items()
    ) or any(key not in listed and one.status != "disabled" for key, one in known.items()):
        yield "storage", ""


def _changed_pools(listing: Listing, recorded: Knowledge) -> Iterator[Name]:
    listed = {str(entry.get("pool")) for entry in listing.of_type("pool")}
    known = recorded.get("pool", {})
    moved = any(
        (one := recorded.get(str(entry["type"]), {}).get(str(entry["vmid"]))) is not None
        and one.facts.get("pool") != entry.get("pool")
        for entry in listing.of_type(*GUESTS)
    )
    if moved or listed != set(known) or not all(one.known for one in known.values()):
        yield "pool", ""


def _new_places(listing: Listing, recorded: Knowledge) -> set[str]:
    """Return the nodes on which guests appeared or from which they went."""
    listed = {
        (str(entry["type"]), str(entry["vmid"])): str(entry.get("node"))
        for entry in listing.of_type(*GUESTS)
    }
    known = {
        (kind, key): str(one.node) for kind in GUESTS for key, one in recorded.get(kind, {}).items()
    }
    moved = {name for name in listed.keys() | known.keys() if listed.get(name) != known.get(name)}
    return {where[name] for where in (listed, known) for name in moved if name in where}


def _changed_volumes(listing: Listing, memory: Memory, placed: set[str]) -> Iterator[Name]:
    lost = {
        place_of(key) for key, one in memory.recorded.get("content", {}).items() if not one.known
    }
    for scope in scopes_of(listing)[0]:
        place = (None if scope.shared else scope.node, scope.storage)
        touched = bool(placed) if scope.shared else scope.node in placed
        if touched or place in lost or ("content", str(scope)) not in memory.read:
            yield "content", str(scope)


def _is_list(unit: Unit) -> bool:
    return not unit.name[1]


def _object_units(listing: Listing, memory: Memory) -> Iterator[Unit]:
    for entry in listing.of_type(*GUESTS):
        kind, key = str(entry["type"]), str(entry["vmid"])
        requests = 1 if entry.get("status") == "stopped" else 2
        yield Unit((kind, key), _proven(memory, kind, key), requests)
    for name in listing.online:
        yield Unit(("node", name), _proven(memory, "node", name))
    for section in ("storage", "pool"):
        yield Unit((section, ""), memory.read.get((section, "")))


def _volume_units(listing: Listing, memory: Memory) -> Iterator[Unit]:
    for scope in scopes_of(listing)[0]:
        yield Unit(("content", str(scope)), memory.read.get(("content", str(scope))))


def _collection_units(
    listing: Listing, memory: Memory, wanted: Iterable[Collection]
) -> Iterator[Unit]:
    for one in wanted:
        if one.is_per_guest:
            for entry in listing.of_type(*GUESTS):
                key = f"{entry['type']}/{entry['vmid']}"
                yield Unit((one.kind, key), _proven(memory, one.kind, key), requests_of(one.kind))
        else:
            requests = len(listing.online) if one.is_per_node else 1 + len(one.inside)
            yield Unit((one.kind, ""), memory.read.get((one.kind, "")), requests)


def _proven(memory: Memory, kind: str, key: str) -> datetime | None:
    known = memory.recorded.get(kind, {}).get(key)
    return None if known is None else known.proven_at
