"""A node's network configuration: staged changes that a reload applies or a revert drops."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, cast

from proxmox_client.testing.request import Call, PveFault, Reply
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Interface = dict[str, Any]
Interfaces = dict[str, Interface]
_BRIDGES = ("bridge", "OVSBridge")
_NUMBERS = ("autostart", "bridge_vlan_aware", "mtu", "vlan-id", "ovs_tag")
_GROUPS = {
    "any_bridge": (*_BRIDGES, "vnet"),
    "any_local_bridge": _BRIDGES,
    "include_sdn": (*_BRIDGES, "vnet"),
}


def _default(cluster: SimulatedCluster, node: str) -> Interfaces:
    address = cluster.nodes[node].address
    return {
        "eth0": {"type": "eth", "method": "manual", "method6": "manual", "families": ["inet"],
                 "priority": 3, "active": 1, "exists": 1},
        "vmbr0": {"type": "bridge", "method": "static", "method6": "manual", "families": ["inet"],
                  "priority": 4, "active": 1, "autostart": 1, "address": address, "netmask": "24",
                  "cidr": f"{address}/24", "bridge_ports": "eth0", "bridge_stp": "off",
                  "bridge_fd": "0"},
    }  # fmt: skip


def _applied(cluster: SimulatedCluster, node: str) -> Interfaces:
    files = cluster.nodes[node].files
    return cast("Interfaces", files.setdefault("network", _default(cluster, node)))


def _staged(cluster: SimulatedCluster, node: str) -> Interfaces:
    """Return what is configured: the staged file if there is one."""
    found = cluster.nodes[node].files.get("network.new")
    return _applied(cluster, node) if found is None else cast("Interfaces", found)


def _stage(cluster: SimulatedCluster, node: str) -> Interfaces:
    files = cluster.nodes[node].files
    if "network.new" not in files:
        files["network.new"] = {
            name: dict(entry) for name, entry in _applied(cluster, node).items()
        }
    return cast("Interfaces", files["network.new"])


@handles("GET", "/nodes/{node}/network")
def list_interfaces(cluster: SimulatedCluster, call: Call) -> Reply:
    """List interfaces; staged changes stand beside the data."""
    kind = call.get("type")
    wanted = _GROUPS.get(kind, (kind,)) if kind else None
    staged = _staged(cluster, call.node)
    rows = [
        {"iface": name, **entry}
        for name, entry in staged.items()
        if (wanted is None or entry["type"] in wanted) and _may_see(cluster, call, name, entry)
    ]
    if staged == _applied(cluster, call.node):
        return Reply(rows)
    return Reply(rows, {"changes": _difference(_applied(cluster, call.node), staged)})


def _may_see(cluster: SimulatedCluster, call: Call, name: str, entry: Interface) -> bool:
    """Bridges are for those who may use or audit their network."""
    path = f"/sdn/zones/localnetwork/{name}"
    return entry["type"] not in _BRIDGES or cluster.access.allows(
        call.identity, path, ["SDN.Audit", "SDN.Use"], any_of=True
    )


def _difference(old: Interfaces, new: Interfaces) -> str:
    lines = ["--- /etc/network/interfaces", "+++ /etc/network/interfaces.new"]
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        if name in old:
            lines.append(f"-iface {name} inet {old[name]['method']}")
        if name in new:
            lines.append(f"+iface {name} inet {new[name]['method']}")
    return "\n".join(lines) + "\n"


def _existing(cluster: SimulatedCluster, call: Call) -> Interface:
    entry = _staged(cluster, call.node).get(call["iface"])
    if entry is None:
        raise PveFault.parameters({"iface": "interface does not exist"})
    return entry


@handles("GET", "/nodes/{node}/network/{iface}")
def read_interface(cluster: SimulatedCluster, call: Call) -> Interface:
    """Return one interface."""
    return _existing(cluster, call)


@handles("POST", "/nodes/{node}/network")
def create_interface(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a new interface."""
    name = call["iface"]
    if name in _staged(cluster, call.node):
        raise PveFault.parameters({"iface": "interface already exists"})
    entry = _entry(cluster, call, priority=4 + len(_staged(cluster, call.node)))
    _stage(cluster, call.node)[name] = entry


@handles("PUT", "/nodes/{node}/network/{iface}")
def update_interface(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a change; what is not sent stays unless it is named under ``delete``."""
    old = _existing(cluster, call)
    entry = _entry(cluster, call, priority=old["priority"])
    kept = {name: value for name, value in old.items() if name not in call.get("delete", "")}
    _stage(cluster, call.node)[call["iface"]] = kept | entry


def _entry(cluster: SimulatedCluster, call: Call, *, priority: int) -> Interface:
    skipped = ("node", "iface", "delete")
    entry: Interface = {
        name: int(text) if name in _NUMBERS and text.isdecimal() else text
        for name, text in call.sent.items()
        if name not in skipped
    }
    _complete_address(entry)
    _check_slaves(cluster, call, entry)
    entry["families"] = ["inet"]
    entry["method"] = "static" if "address" in entry else "manual"
    entry["method6"] = "static" if "address6" in entry else "manual"
    entry["priority"] = priority
    if "comments" in entry:
        entry["comments"] = f"{entry['comments'].rstrip()}\n"
    if entry["type"] == "vlan" and "." in call["iface"]:
        device, _, tag = call["iface"].rpartition(".")
        entry |= {"vlan-raw-device": device, "vlan-id": tag, "exists": 1}
    if entry["type"] == "bridge":
        entry |= {"bridge_stp": "off", "bridge_fd": "0"}
        entry.setdefault("bridge_ports", "")
        if entry.get("bridge_vlan_aware"):
            entry.setdefault("bridge_vids", "2-4094")
    return entry


def _complete_address(entry: Interface) -> None:
    if "cidr" in entry:
        network = ipaddress.ip_interface(entry["cidr"])
        entry |= {"address": str(network.ip), "netmask": str(network.network.prefixlen)}
    elif "address" in entry and "netmask" in entry:
        network = ipaddress.ip_interface(f"{entry['address']}/{entry['netmask']}")
        entry |= {
            "netmask": str(network.network.prefixlen),
            "cidr": f"{network.ip}/{network.network.prefixlen}",
        }


def _check_slaves(cluster: SimulatedCluster, call: Call, entry: Interface) -> None:
    known = _staged(cluster, call.node)
    for slave in str(entry.get("slaves", "")).split():
        kind = known.get(slave, {}).get("type", "")
        if kind not in ("eth", "bond"):
            raise PveFault(
                500,
                f"bond '{call['iface']}' - wrong interface type on slave '{slave}'"
                f" ('{kind}' != 'eth or bond')",
            )


@handles("DELETE", "/nodes/{node}/network/{iface}")
def delete_interface(cluster: SimulatedCluster, call: Call) -> None:
    """Stage the removal of an interface."""
    _existing(cluster, call)
    del _stage(cluster, call.node)[call["iface"]]


@handles("DELETE", "/nodes/{node}/network")
def revert(cluster: SimulatedCluster, call: Call) -> None:
    """Drop the staged changes."""
    cluster.nodes[call.node].files.pop("network.new", None)


@handles("PUT", "/nodes/{node}/network")
def reload(cluster: SimulatedCluster, call: Call) -> str:
    """Apply the staged changes in a task."""
    files = cluster.nodes[call.node].files

    def work(task: TaskRecord) -> None:
        staged = files.pop("network.new", None)
        if staged is not None:
            files["network"] = {
                name: {**entry, "active": 1} for name, entry in cast("Interfaces", staged).items()
            }

    return cluster.tasks.start(
        call.node, "srvreload", work, id="networking", user=call.identity.authid, duration=1.0
    )
