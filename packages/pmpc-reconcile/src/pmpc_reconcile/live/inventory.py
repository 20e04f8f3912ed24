"""What `/cluster/resources` says: candidates, up to ten seconds old except node and lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs


@attrs.frozen
class GuestEntry:
    """One guest as listed.

    Attributes:
        vmid: Its id.
        guest: `qemu` or `lxc`.
        node: Where it is; taken from the configuration's path, so it is current.
        name: Its name; empty for a guest that no broadcast has named yet.
        status: Status of the last broadcast; proves nothing.
        template: Whether it is a template.
        lock: Lock in its configuration; current.
        pool: Its pool.
        ha_state: What HA says of it; empty when HA does not manage it.
    """

    vmid: int
    guest: str
    node: str
    name: str = ""
    status: str = "unknown"
    template: bool = False
    lock: str | None = None
    pool: str | None = None
    ha_state: str = ""


@attrs.frozen
class Inventory:
    """Everything that could be what a manifest means.

    Attributes:
        guests: Guests by vmid.
        nodes: Nodes and whether they are online.
        storages: Storages and the nodes that have them.
        pools: Names of pools.
        shared: Storages that are the same on every node that has them.
    """

    guests: Mapping[int, GuestEntry]
    nodes: Mapping[str, bool]
    storages: Mapping[str, frozenset[str]]
    pools: frozenset[str]
    shared: frozenset[str] = frozenset()
    _by_name: Mapping[str, tuple[GuestEntry, ...]] = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(lambda self: _index_names(self.guests), takes_self=True),
    )

    def reachable(self, node: str) -> bool:
        """Return whether a node is online, whatever its guests claim."""
        return self.nodes.get(node, False)

    def named(self, name: str) -> tuple[GuestEntry, ...]:
        """Return the guests of that name, by vmid."""
        return self._by_name.get(name, ())

    def templates(self, reference: str | int, guest: str) -> tuple[GuestEntry, ...]:
        """Return the guests a template reference may mean: by vmid or by name."""
        if isinstance(reference, int) or str(reference).isdigit():
            entry = self.guests.get(int(reference))
            return (entry,) if entry is not None and entry.guest == guest else ()
        return tuple(item for item in self.named(reference) if item.guest == guest)


def _index_names(guests: Mapping[int, GuestEntry]) -> dict[str, tuple[GuestEntry, ...]]:
    found: dict[str, list[GuestEntry]] = {}
    for vmid in sorted(guests):
        found.setdefault(guests[vmid].name, []).append(guests[vmid])
    return {name: tuple(entries) for name, entries in found.items()}


def parse_inventory(rows: Iterable[Mapping[str, Any]]) -> Inventory:
    """Return the inventory of the rows of `/cluster/resources`; odd rows are left out."""
    guests: dict[int, GuestEntry] = {}
    nodes: dict[str, bool] = {}
    storages: dict[str, set[str]] = {}
    pools: set[str] = set()
    shared: set[str] = set()
    for row in rows:
        kind = row.get("type")
        if kind in ("qemu", "lxc") and "vmid" in row:
            entry = _guest(str(kind), row)
            guests[entry.vmid] = entry
        elif kind == "node" and "node" in row:
            nodes[str(row["node"])] = row.get("status") != "offline"
        elif kind == "storage" and "storage" in row:
            storages.setdefault(str(row["storage"]), set()).add(str(row.get("node", "")))
            if str(row.get("shared", 0)) in ("1", "True"):
                shared.add(str(row["storage"]))
        elif kind == "pool" and "pool" in row:
            pools.add(str(row["pool"]))
    by_storage = {name: frozenset(where) for name, where in storages.items()}
    return Inventory(guests, nodes, by_storage, frozenset(pools), frozenset(shared))


def _guest(kind: str, row: Mapping[str, Any]) -> GuestEntry:
    lock, pool = row.get("lock"), row.get("pool")
    return GuestEntry(
        vmid=int(row["vmid"]),
        guest=kind,
        node=str(row.get("node", "")),
        name=str(row.get("name") or ""),
        status=str(row.get("status", "unknown")),
        template=str(row.get("template", 0)) == "1" or row.get("template") is True,
        lock=None if lock is None else str(lock),
        pool=None if pool is None else str(pool),
        ha_state=str(row.get("hastate") or ""),
    )
