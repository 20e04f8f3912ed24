"""Prefix lists and route maps (PVE 9.2), and what nodes say about zones and networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.sdn import records
from proxmox_client.testing.sdn.state import sdn

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_LISTS = "/cluster/sdn/prefix-lists"
_LIST = f"{_LISTS}/{{id}}"
_ENTRY = f"{_LIST}/entries/{{url_seq}}"
_MAPS = "/cluster/sdn/route-maps"
_MAP = f"{_MAPS}/entries/{{route-map-id}}"
_STEP = f"{_MAP}/entry/{{order}}"


# --- prefix lists ---------------------------------------------------------------------------


def _no_list(name: str) -> str:
    return f"prefix list '{name}' does not exist"


@handles("GET", _LISTS)
def list_prefix_lists(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the prefix lists; with ``verbose`` with their entries."""
    objects, digest = records.view(cluster, call, "prefix-lists")
    rows: list[dict[str, Any]] = []
    for name, entry in objects.items():
        row = {"id": name, **entry, "digest": digest}
        if not (call.get("verbose") or call.get("pending")):
            row.pop("entries", None)
        rows.append(row)
    return rows


@handles("GET", _LIST)
def read_prefix_list(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one prefix list."""
    state, name = sdn(cluster), call["id"]
    entry = records.found(state.staged["prefix-lists"], name, _no_list(name))
    return {"id": name, **entry, "digest": state.digest("prefix-lists")}


def _parsed(texts: list[str]) -> list[dict[str, Any]]:
    rows = [dict(part.split("=", 1) for part in text.split(",")) for text in texts]
    numbers = ("seq", "le", "ge")
    return [
        {key: int(value) if key in numbers else value for key, value in row.items()}
        for row in rows
    ]  # fmt: skip


@handles("POST", _LISTS)
def create_prefix_list(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a prefix list."""
    name, prefix = call["id"], "adding prefix list failed"
    objects = records.writing(cluster, call, "prefix-lists", prefix).staged["prefix-lists"]
    if name in objects:
        raise PveFault(500, f"{prefix}: prefix list '{name}' already exists")
    objects[name] = {"entries": _numbered(_parsed(call.get("entries", [])))}


def _numbered(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give entries without a number the next multiple of five, and sort them."""
    last = max((entry.get("seq", 0) for entry in entries), default=0)
    for entry in entries:
        if "seq" not in entry:
            last = last // 5 * 5 + 5
            entry["seq"] = last
    return sorted(entries, key=lambda entry: int(entry["seq"]))


@handles("PUT", _LIST)
def update_prefix_list(cluster: SimulatedCluster, call: Call) -> None:
    """Stage other entries for a prefix list."""
    name, prefix = call["id"], "updating prefix list failed"
    objects = records.writing(cluster, call, "prefix-lists", prefix).staged["prefix-lists"]
    records.found(objects, name, _no_list(name), prefix)
    if "entries" in call.get("delete", ()):
        objects[name] = {"entries": []}
    if "entries" in call:
        objects[name] = {"entries": _numbered(_parsed(call["entries"]))}


@handles("DELETE", _LIST)
def delete_prefix_list(cluster: SimulatedCluster, call: Call) -> None:
    """Stage the removal of a prefix list."""
    name, prefix = call["id"], "deleting prefix list failed"
    objects = records.writing(cluster, call, "prefix-lists", prefix).staged["prefix-lists"]
    records.found(objects, name, _no_list(name), prefix)
    del objects[name]


def _entries(cluster: SimulatedCluster, call: Call, prefix: str = "") -> list[dict[str, Any]]:
    state, name = sdn(cluster), call["id"]
    if prefix:
        state = records.writing(cluster, call, "prefix-lists", prefix)
    entry = records.found(state.staged["prefix-lists"], name, _no_list(name), prefix)
    rows: list[dict[str, Any]] = entry["entries"]
    return rows


def _entry(rows: list[dict[str, Any]], call: Call) -> dict[str, Any]:
    for row in rows:
        if str(row["seq"]) == str(call["url_seq"]):
            return row
    raise PveFault(500, f"prefix list '{call['id']}' has no entry {call['url_seq']}")


@handles("GET", f"{_LIST}/entries")
def list_entries(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List a prefix list's entries."""
    return [dict(row) for row in _entries(cluster, call)]


@handles("GET", _ENTRY)
def read_entry(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one entry."""
    return dict(_entry(_entries(cluster, call), call))


@handles("POST", f"{_LIST}/entries")
def create_entry(cluster: SimulatedCluster, call: Call) -> None:
    """Stage one more entry."""
    rows = _entries(cluster, call, "adding prefix list entry failed")
    if any(row["seq"] == call.get("seq") for row in rows):
        text = f"prefix list '{call['id']}' already has an entry {call['seq']}"
        raise PveFault(500, f"adding prefix list entry failed: {text}")
    rows[:] = _numbered([*rows, records.fields(call, "id")])


@handles("PUT", _ENTRY)
def update_entry(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a change of an entry."""
    rows = _entries(cluster, call, "updating prefix list entry failed")
    old = _entry(rows, call)
    changes = records.fields(call, "id", "url_seq")
    rows[rows.index(old)] = records.merged(old, changes, call.get("delete", ()))
    rows[:] = _numbered(rows)


@handles("DELETE", _ENTRY)
def delete_entry(cluster: SimulatedCluster, call: Call) -> None:
    """Stage the removal of an entry."""
    rows = _entries(cluster, call, "deleting prefix list entry failed")
    rows.remove(_entry(rows, call))


# --- route maps -----------------------------------------------------------------------------


def _step_key(call: Call) -> str:
    return f"{call['route-map-id']}/{call['order']}"


def _no_step(call: Call) -> str:
    return f"route map '{call['route-map-id']}' has no entry with order {call['order']}"


@handles("GET", _MAPS)
def list_maps(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List the names of route maps."""
    objects, _ = records.view(cluster, call, "route-maps")
    return [{"id": name} for name in sorted({key.partition("/")[0] for key in objects})]


@handles("GET", f"{_MAPS}/entries")
@handles("GET", _MAP)
def list_steps(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the entries of one route map, or of all, in their order."""
    objects, digest = records.view(cluster, call, "route-maps")
    rows: list[dict[str, Any]] = []
    for key, entry in objects.items():
        name, _, order = key.partition("/")
        if call.get("route-map-id", name) == name:
            names = {"route-map-id": name, "order": int(order)}
            rows.append({**names, **entry, **({"digest": digest} if digest else {})})
    return sorted(rows, key=lambda row: (str(row["route-map-id"]), int(row["order"])))


@handles("GET", _STEP)
def read_step(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one entry of a route map."""
    state = sdn(cluster)
    entry = records.found(state.staged["route-maps"], _step_key(call), _no_step(call))
    return {**entry, "digest": state.digest("route-maps")}


@handles("POST", f"{_MAPS}/entries")
def create_step(cluster: SimulatedCluster, call: Call) -> None:
    """Stage an entry; the first one makes the route map."""
    prefix = "adding route map entry failed"
    objects = records.writing(cluster, call, "route-maps", prefix).staged["route-maps"]
    if _step_key(call) in objects:
        text = f"route map '{call['route-map-id']}' already has an entry with order"
        raise PveFault(500, f"{prefix}: {text} {call['order']}")
    objects[_step_key(call)] = records.fields(call)


@handles("PUT", _STEP)
def update_step(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a change of an entry."""
    prefix = "updating route map entry failed"
    objects = records.writing(cluster, call, "route-maps", prefix).staged["route-maps"]
    entry = records.found(objects, _step_key(call), _no_step(call), prefix)
    changes = records.fields(call)
    objects[_step_key(call)] = records.merged(entry, changes, call.get("delete", ()))


@handles("DELETE", _STEP)
def delete_step(cluster: SimulatedCluster, call: Call) -> None:
    """Stage the removal of an entry; with the last one the route map goes."""
    prefix = "deleting route map entry failed"
    objects = records.writing(cluster, call, "route-maps", prefix).staged["route-maps"]
    records.found(objects, _step_key(call), _no_step(call), prefix)
    del objects[_step_key(call)]


# --- what a node says -----------------------------------------------------------------------


def _zone(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    name = call["zone"]
    return records.found(sdn(cluster).running["zones"], name, f"sdn '{name}' does not exist")


@handles("GET", "/nodes/{node}/sdn/zones/{zone}")
def zone_index(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what is below."""
    return [{"subdir": name} for name in ("content", "bridges", "ip-vrf")]


@handles("GET", "/nodes/{node}/sdn/zones/{zone}/bridges")
def zone_bridges(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the bridges of a zone with the network cards of running guests in them."""
    if call["zone"] != "localnetwork":
        _zone(cluster, call)
    vnets = [
        name
        for name, vnet in sdn(cluster).running["vnets"].items()
        if vnet["zone"] == call["zone"]
    ]  # fmt: skip
    return [
        {"name": name, "vlan_filtering": "0", "ports": _ports(cluster, call.node, name)}
        for name in sorted(vnets)
    ]


def _ports(cluster: SimulatedCluster, node: str, bridge: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for guest in cluster.guests.values():
        if guest.node != node or not guest.running:
            continue
        for slot, text in guest.config.items():
            number = slot.removeprefix("net")
            if slot != number and number.isdecimal() and f"bridge={bridge}" in text.split(","):
                device = "tap" if guest.kind == "qemu" else "veth"
                name = f"{device}{guest.vmid}i{number}"
                rows.append({"name": name, "vmid": str(guest.vmid), "index": slot})
    return rows


@handles("GET", "/nodes/{node}/sdn/zones/{zone}/ip-vrf")
def zone_routes(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the routes of an EVPN zone: its subnets."""
    zone = _zone(cluster, call)
    if zone["type"] != "evpn":
        raise PveFault(500, f"zone {call['zone']} is not an EVPN zone")
    vnets = sdn(cluster).running["vnets"]
    return [
        {"ip": entry.get("cidr", name), "protocol": "connected", "metric": 0,
         "nexthops": [entry["vnet"]]}
        for name, entry in sdn(cluster).running["subnets"].items()
        if vnets.get(str(entry.get("vnet")), {}).get("zone") == call["zone"]
    ]  # fmt: skip


@handles("GET", "/nodes/{node}/sdn/vnets/{vnet}")
def vnet_index(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what is below."""
    return [{"subdir": "mac-vrf"}]


@handles("GET", "/nodes/{node}/sdn/vnets/{vnet}/mac-vrf")
def vnet_addresses(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what an EVPN network has learnt: nothing, as guests have no addresses."""
    name = call["vnet"]
    records.found(sdn(cluster).running["vnets"], name, f"vnet '{name}' does not exist")
    return []
