"""Read the cluster's networks, staged and running."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from pmpc_reconcile.groups.sdn.state import SdnState
from pmpc_reconcile.kinds.sdn import LISTS, OPTIONS
from pmpc_reconcile.live.cluster import LiveCluster
from pmpc_reconcile.values import FieldValue
from pmpc_reconcile.values.items import network_text, read_options

SDN_PATH: Final = "/cluster/sdn"
_RUNNING: Final[Mapping[str, object]] = {"running": 1}
_KEYS: Final = {"zones": "zone", "vnets": "vnet", "controllers": "controller"}

_Found = dict[str, dict[str, dict[str, FieldValue]]]


async def read_sdn(live: LiveCluster) -> SdnState:
    """Read both configurations."""
    sections = tuple(_KEYS)
    views = await asyncio.gather(
        *(live.read(f"{SDN_PATH}/{name}") for name in sections),
        *(live.read(f"{SDN_PATH}/{name}", _RUNNING) for name in sections),
    )
    digests: dict[str, str] = {}
    staged: _Found = {}
    running: _Found = {}
    for section, now, applied in zip(sections, views[:3], views[3:], strict=True):
        key = _KEYS[section]
        staged[section] = {str(row[key]): sdn_options(section, row) for row in now}
        running[section] = {str(row[key]): sdn_options(section, row) for row in applied}
        digests |= _digest(section, now)
    vnets = sorted(staged["vnets"])
    below = await asyncio.gather(
        *(live.read(f"{SDN_PATH}/vnets/{vnet}/subnets") for vnet in vnets),
        *(live.read(f"{SDN_PATH}/vnets/{vnet}/subnets", _RUNNING) for vnet in vnets),
    )
    ids: dict[str, str] = {}
    staged["subnets"] = _subnets(below[: len(vnets)], vnets, ids)
    running["subnets"] = _subnets(below[len(vnets) :], vnets, {})
    for rows in below[: len(vnets)]:
        digests |= _digest("subnets", rows)
    return SdnState(staged, running, ids, digests)


def _digest(section: str, rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return the digest of a section's file, which stands in each of its rows."""
    found = {str(row["digest"]) for row in rows if row.get("digest")}
    return {section: found.pop()} if len(found) == 1 else {}


def _subnets(
    answers: list[Any], vnets: list[str], ids: dict[str, str]
) -> dict[str, dict[str, FieldValue]]:
    found: dict[str, dict[str, FieldValue]] = {}
    for vnet, rows in zip(vnets, answers, strict=True):
        for row in rows:
            name = subnet_network(row)
            found[name] = sdn_options("subnets", {**row, "vnet": row.get("vnet") or vnet})
            ids[name] = str(row["subnet"])
    return found


def subnet_network(row: Mapping[str, Any]) -> str:
    """Return the network of a subnet, which newer versions show and older ones have in the id."""
    if row.get("cidr"):
        return network_text(str(row["cidr"]))
    _, network, mask = str(row["subnet"]).rsplit("-", 2)
    return network_text(f"{network}/{mask}")


def sdn_options(section: str, row: Mapping[str, Any]) -> dict[str, FieldValue]:
    """Return the options of an object as PVE shows it."""
    known = OPTIONS[section]
    return read_options({name: row[name] for name in known if name in row}, LISTS)
