"""Reading containers: lists, features, network addresses; the rest is in `guest_read`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.guests import keyed, readings
from proxmox_client.testing.guestwork import features, finding
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ROOT = "/nodes/{node}/lxc/{vmid}"
_INDEX = (
    "config", "pending", "status", "vncproxy", "termproxy", "vncwebsocket", "spiceproxy",
    "migrate", "clone", "rrd", "rrddata", "firewall", "snapshot", "resize", "interfaces",
)  # fmt: skip
_LOOPBACK: dict[str, Any] = {
    "name": "lo",
    "hwaddr": "00:00:00:00:00:00",
    "hardware-address": "00:00:00:00:00:00",
    "ip-addresses": [],
}


@handles("GET", "/nodes/{node}/lxc")
def containers(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the containers of a node that the caller may see."""
    cpus = cluster.nodes[call.node].cpus
    return [
        readings.summary(guest, now=cluster.clock.now(), host_cpus=cpus)
        for guest in cluster.guests.values()
        if guest.kind == "lxc"
        and guest.node == call.node
        and finding.may_see(cluster, call, guest.vmid)
    ]


@handles("GET", _ROOT)
def index(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List what can be asked about a container; unlike a machine's, it has to exist."""
    finding.called(cluster, call, "lxc")
    return [{"subdir": name} for name in _INDEX]


@handles("GET", f"{_ROOT}/feature")
def feature(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Tell whether the container can be snapshotted, cloned or copied."""
    guest = finding.called(cluster, call, "lxc")
    snapname = call.get("snapname")
    if snapname is not None and snapname not in guest.snapshots:
        raise PveFault(500, f"snapshot '{snapname}' does not exist")
    possible = features.has_feature(cluster, guest, call["feature"], snapname is not None)
    return {"hasFeature": 1 if possible else 0}


@handles("GET", f"{_ROOT}/interfaces")
def interfaces(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]] | None:
    """List the network cards inside a running container."""
    guest = finding.called(cluster, call, "lxc")
    if not guest.running:
        return None
    return [_LOOPBACK, *(_card(guest.config[name]) for name in _cards(guest.config))]


def _cards(config: dict[str, str]) -> list[str]:
    return sorted(name for name in config if name[:3] == "net" and name[3:].isdigit())


def _card(text: str) -> dict[str, Any]:
    net = keyed.parse(text)
    mac = net.get("hwaddr", "").lower()
    card: dict[str, Any] = {
        "name": net.get("name", "eth0"),
        "hwaddr": mac,
        "hardware-address": mac,
        "ip-addresses": [],
    }
    for key, kind, short in (("ip", "inet", "inet"), ("ip6", "inet6", "inet6")):
        address, slash, prefix = net.get(key, "").partition("/")
        if slash:
            card["ip-addresses"].append(
                {"ip-address-type": kind, "ip-address": address, "prefix": int(prefix)}
            )
            card[short] = f"{address}/{prefix}"
    return card
