"""Nodes: list, state, time, names, description."""

from __future__ import annotations

import datetime
import time
import zoneinfo
from typing import TYPE_CHECKING, Any, cast

from proxmox_client.testing.digest import check_digest, digest_of
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.guests import readings
from proxmox_client.testing.handlers.cluster import node_figures, node_row
from proxmox_client.testing.handlers.version import REPOSITORY, full_version
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_KERNEL = "6.17.2-1-pve"
_BUILD = "#1 SMP PREEMPT_DYNAMIC @0"


@handles("GET", "/nodes")
def list_nodes(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the nodes."""
    return [
        node_row(cluster, call, node) | {"ssl_fingerprint": node.fingerprint}
        for node in cluster.nodes.values()
    ]


@handles("GET", "/nodes/{node}/status")
def status(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return a node's load, memory, kernel and processors."""
    node = cluster.nodes[call.node]
    figures = node_figures(cluster, node)
    memory, disk = figures["mem"], figures["disk"]
    free = node.disk - disk
    return {
        "uptime": int(cluster.clock.now() - node.booted),
        "cpu": figures["cpu"],
        "wait": 0,
        "idle": 0,
        "loadavg": [f"{figures['cpu'] * node.cpus:.2f}"] * 3,
        "memory": {
            "total": node.memory,
            "used": memory,
            "free": node.memory - memory,
            "available": node.memory - memory,
        },
        "swap": {"total": 0, "used": 0, "free": 0},
        "rootfs": {"total": node.disk, "used": disk, "free": free, "avail": free},
        "ksm": {"shared": 0},
        "cpuinfo": {
            "cpus": node.cpus,
            "cores": node.cpus,
            "sockets": 1,
            "model": "AMD EPYC",
            "mhz": "2596.146",
            "user_hz": 100,
            "hvm": "1",
            "flags": "fpu vme de pse tsc msr pae cx8 apic svm",
            "vendor": "AuthenticAMD",
            "family": "25",
        },
        "boot-info": {"mode": "legacy-bios"},
        "kversion": f"Linux {_KERNEL} {_BUILD}",
        "current-kernel": {
            "sysname": "Linux",
            "release": _KERNEL,
            "version": _BUILD,
            "machine": "x86_64",
        },
        "pveversion": f"pve-manager/{full_version(cluster.version)}/{REPOSITORY}",
    }


@handles("GET", "/nodes/{node}/time")
def read_time(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the node's time and zone."""
    now = int(cluster.clock.now() + cluster.nodes[call.node].skew)
    zone: str = cluster.nodes[call.node].files.get("timezone", "Etc/UTC")
    return {"time": now, "localtime": now + _offset(zone, now), "timezone": zone}


def _offset(zone: str, moment: int) -> int:
    """Return how many seconds a zone is ahead of UTC at a moment."""
    if zone in ("UTC", "Etc/UTC"):
        return 0  # also where this machine knows no zones
    found = datetime.datetime.fromtimestamp(moment, zoneinfo.ZoneInfo(zone)).utcoffset()
    return int(found.total_seconds()) if found else 0


@handles("PUT", "/nodes/{node}/time")
def set_time_zone(cluster: SimulatedCluster, call: Call) -> None:
    """Set the time zone."""
    try:
        _offset(call["timezone"], 0)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise PveFault.parameters({"timezone": "No such timezone"}) from None
    cluster.nodes[call.node].files["timezone"] = call["timezone"]


@handles("GET", "/nodes/{node}/dns")
def read_dns(cluster: SimulatedCluster, call: Call) -> dict[str, str]:
    """Return the resolver's settings."""
    stored = cluster.nodes[call.node].files.get("dns", {"dns1": "192.0.2.53"})
    return cast("dict[str, str]", stored)


@handles("PUT", "/nodes/{node}/dns")
def set_dns(cluster: SimulatedCluster, call: Call) -> None:
    """Set the resolver's settings."""
    names = ("search", "dns1", "dns2", "dns3")
    cluster.nodes[call.node].files["dns"] = {name: call[name] for name in names if name in call}


def _hosts(cluster: SimulatedCluster, name: str) -> str:
    node = cluster.nodes[name]
    default = f"127.0.0.1 localhost\n{node.address} {name}.localdomain {name}\n"
    return str(node.files.get("hosts", default))


@handles("GET", "/nodes/{node}/hosts")
def read_hosts(cluster: SimulatedCluster, call: Call) -> dict[str, str]:
    """Return the hosts file."""
    text = _hosts(cluster, call.node)
    return {"data": text, "digest": digest_of(text)}


@handles("POST", "/nodes/{node}/hosts")
def write_hosts(cluster: SimulatedCluster, call: Call) -> None:
    """Replace the hosts file, guarded by the digest."""
    check_digest(call.sent.get("digest"), digest_of(_hosts(cluster, call.node)))
    cluster.nodes[call.node].files["hosts"] = call["data"]


@handles("GET", "/nodes/{node}/config")
def read_config(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the node's own options; without a file there is nothing, not even a digest."""
    stored: dict[str, str] = cluster.nodes[call.node].files.get("config", {})
    if not stored:
        return {}
    shown = {name: text for name, text in stored.items() if call.get("property") in (None, name)}
    return {**shown, "digest": digest_of(_config_text(stored))}


def _config_text(stored: dict[str, str]) -> str:
    return "".join(f"{name}: {stored[name]}\n" for name in sorted(stored))


@handles("PUT", "/nodes/{node}/config")
def write_config(cluster: SimulatedCluster, call: Call) -> None:
    """Change the node's options, guarded by the digest."""
    files = cluster.nodes[call.node].files
    stored: dict[str, str] = dict(files.get("config", {}))
    check_digest(call.sent.get("digest"), digest_of(_config_text(stored)))
    for name in split_list(call.get("delete", "")):
        stored.pop(name, None)
    for name, text in call.sent.items():
        if name not in ("node", "delete", "digest"):
            # The description is kept as comment lines and comes back with a line feed.
            stored[name] = f"{text.rstrip()}\n" if name == "description" else text
    files["config"] = stored


@handles("GET", "/nodes/{node}/netstat")
def netstat(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the traffic of running guests' network devices; numbers are text here."""
    now = cluster.clock.now()
    seen = {
        name: (guest.vmid, traffic)
        for guest in cluster.guests.values()
        if guest.running and guest.node == call.node
        for name, traffic in readings.cards(guest, now).items()
    }
    return [
        {
            "vmid": str(vmid),
            "dev": f"net{name.rpartition('i')[2]}",
            "in": str(traffic["netin"]),
            "out": str(traffic["netout"]),
        }
        for name, (vmid, traffic) in sorted(seen.items())
    ]


@handles("GET", "/nodes/{node}/capabilities/qemu/migration")
def migration_capabilities(cluster: SimulatedCluster, call: Call) -> dict[str, bool]:
    """Say what a migration can do; one of the few real booleans of the API."""
    return {"has-dbus-vmstate": True}


@handles("POST", "/nodes/{node}/wakeonlan")
def wake(cluster: SimulatedCluster, call: Call) -> None:
    """Refuse to wake a node, as PVE does for the local one and where no address is known."""
    if call["node"] == call.via:
        raise PveFault(500, f"'{call['node']}' is local node, cannot wake my self!")
    raise PveFault(500, f"No wake on LAN MAC address defined for '{call['node']}'!")


@handles("GET", "/nodes/{node}/report")
def report(cluster: SimulatedCluster, call: Call) -> str:
    """Return a short report about the node."""
    when = time.strftime("%a %d %b %Y %H:%M:%S UTC", time.gmtime(cluster.clock.now()))
    return f"==== general system info ====\n\n# hostname\n{call.node}\n\n# date -R\n{when}\n"
