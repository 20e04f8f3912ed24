"""Read a node's network, staged changes included."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from pmpc_reconcile.groups.network.state import Interfaces, NetworkState
from pmpc_reconcile.kinds.interfaces import LISTS, OPTIONS
from pmpc_reconcile.live.cluster import LiveCluster
from pmpc_reconcile.values.items import read_options


async def read_network(live: LiveCluster, node: str) -> NetworkState:
    """Read the interfaces of a node."""
    from proxmox_client.flows.call import ask
    from proxmox_client.wire.params import build_raw_request

    request = build_raw_request("GET", network_path(node), {})
    # PVE shows what waits for a reload beside the data, which `read` leaves out.
    answer = await live.client.run(ask(live.client.session, request))
    rows: list[dict[str, Any]] = answer.data
    return NetworkState(interfaces_of(rows), answer.changes or "")


def interfaces_of(rows: Iterable[Mapping[str, Any]]) -> Interfaces:
    """Return interfaces of what PVE shows of them."""
    return {
        str(row["iface"]): read_options({name: row[name] for name in OPTIONS if name in row}, LISTS)
        for row in rows
        if row.get("type") in OPTIONS["type"]["allowed"]
    }


async def management_addresses(live: LiveCluster, node: str) -> tuple[str, ...]:
    """Return the addresses over which a node is reached: by the cluster, and by us."""
    rows: list[dict[str, Any]] = await live.read("/cluster/status")
    found = [
        str(row["ip"])
        for row in rows
        if row.get("type") == "node" and row.get("name") == node and row.get("ip")
    ]
    host = urlsplit(live.client.url).hostname or ""
    with contextlib.suppress(ValueError):  # a name: its node's address is known from the cluster
        found.append(str(ipaddress.ip_address(host)))
    return tuple(dict.fromkeys(found))


def network_path(node: str) -> str:
    """Return the API path of a node's network."""
    return f"/nodes/{node}/network"
