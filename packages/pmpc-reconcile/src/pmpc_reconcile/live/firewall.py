"""Read the firewall: a level of it with the digests that guard its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from pmpc_reconcile.groups.firewall.reach import Whole
from pmpc_reconcile.groups.firewall.state import Alias, Group, IpSet, Level, Rules, entry_text
from pmpc_reconcile.live.cluster import LiveCluster
from pmpc_reconcile.values.rules import Rule

CLUSTER_PATH = "/cluster/firewall"
Row = Mapping[str, Any]
Nested = Iterable[tuple[Row, Iterable[Row]]]


@attrs.frozen
class LiveLevel:
    """A level as read.

    Attributes:
        level: Its configuration.
        digests: The digest of each part by its path below the level: `rules`, `groups/web`. A part
            without entries has none.
    """

    level: Level
    digests: Mapping[str, str]


async def read_level(live: LiveCluster, path: str) -> LiveLevel:
    """Read a level.

    Args:
        live: The cluster.
        path: `/cluster/firewall`, `/nodes/N/firewall` or `/nodes/N/qemu/ID/firewall`.
    """
    digests: dict[str, str] = {}

    async def rows(below: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await live.read(f"{path}/{below}")
        if found and found[0].get("digest"):
            digests[below] = str(found[0]["digest"])
        return found

    named = path == CLUSTER_PATH or path.count("/") > 3  # nodes have neither aliases nor sets
    options, rules, aliases, sets, groups = await asyncio.gather(
        live.read(f"{path}/options"),
        rows("rules"),
        rows("aliases") if named else _nothing(),
        rows("ipset") if named else _nothing(),
        rows("groups") if path == CLUSTER_PATH else _nothing(),
    )
    set_rows, group_rows = await asyncio.gather(
        asyncio.gather(*(rows(f"ipset/{row['name']}") for row in sets)),
        asyncio.gather(*(rows(f"groups/{row['group']}") for row in groups)),
    )
    if options.get("digest"):
        digests["options"] = str(options["digest"])
    level = level_of(
        options,
        rules,
        aliases,
        zip(sets, set_rows, strict=True),
        zip(groups, group_rows, strict=True),
    )
    return LiveLevel(level, digests)


def level_of(
    options: Row, rules: Iterable[Row], aliases: Iterable[Row], ipsets: Nested, groups: Nested
) -> Level:
    """Return a level of what PVE shows of its parts.

    Args:
        options: Its options.
        rules: Its own rules.
        aliases: Its aliases.
        ipsets: Its sets, each with its entries.
        groups: The security groups, each with its rules.
    """
    return Level(
        options={name: _text(value) for name, value in options.items() if name != "digest"},
        rules=_rules(rules),
        aliases={str(row["name"]).lower(): Alias(str(row["cidr"]), _comment(row))
                 for row in aliases},
        ipsets={str(row["name"]): IpSet(_entries(found), _comment(row)) for row, found in ipsets},
        groups={str(row["group"]): Group(_rules(found), _comment(row)) for row, found in groups},
    )  # fmt: skip


async def read_whole(live: LiveCluster, path: str, level: Level) -> Whole:
    """Read what decides about the management of nodes, a level of it being known already.

    Nodes that do not answer are left out: what they last read of the rules cannot be told.
    """
    rows: list[dict[str, Any]] = await live.read("/cluster/status")
    addresses = {
        str(row["name"]): str(row.get("ip") or "")
        for row in rows
        if row.get("type") == "node" and str(row.get("online", 1)) not in ("0", "False")
    }
    paths = {name: f"/nodes/{name}/firewall" for name in addresses}
    wanted = [each for each in (CLUSTER_PATH, *paths.values()) if each != path]
    read = await asyncio.gather(*(read_level(live, each) for each in wanted))
    found = {each: item.level for each, item in zip(wanted, read, strict=True)} | {path: level}
    return Whole(
        found[CLUSTER_PATH],
        {name: found[each] for name, each in paths.items()},
        {name: address for name, address in addresses.items() if address},
    )


def with_level(whole: Whole, path: str, level: Level) -> Whole:
    """Return the same with another configuration of one level."""
    if path == CLUSTER_PATH:
        return attrs.evolve(whole, cluster=level)
    for name in whole.nodes:
        if path == f"/nodes/{name}/firewall":
            return attrs.evolve(whole, nodes={**whole.nodes, name: level})
    return whole


async def _nothing() -> list[dict[str, Any]]:
    return []


def _rules(rows: Iterable[Mapping[str, Any]]) -> Rules:
    ordered = sorted(rows, key=lambda row: int(row.get("pos", 0)))
    return tuple(Rule.read(row, enabled=False) for row in ordered)


def _entries(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {str(row["cidr"]): entry_text(row) for row in rows}


def _comment(row: Mapping[str, Any]) -> str:
    return str(row.get("comment") or "").strip()


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
