"""Consoles of machines, containers and nodes: tickets for VNC, terminals and SPICE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.consoles import CERTIFICATE, Console, Kind
from proxmox_client.testing.guests import keyed
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_QEMU = "/nodes/{node}/qemu/{vmid}"
_LXC = "/nodes/{node}/lxc/{vmid}"
_NODE = "/nodes/{node}"
_SPICE_PORT = 61000


@handles("POST", f"{_QEMU}/vncproxy")
@handles("POST", f"{_LXC}/vncproxy")
def guest_vnc(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Open a VNC server for a guest; that of a stopped machine ends at once."""
    guest = _guest(cluster, call)
    dead = guest.kind == "qemu" and not guest.running
    return _open(cluster, call, "vnc", guest, "Failed to run vncproxy." if dead else "")


@handles("POST", f"{_QEMU}/termproxy")
@handles("POST", f"{_LXC}/termproxy")
def guest_terminal(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Open a terminal on a guest's console."""
    return _open(cluster, call, "terminal", _guest(cluster, call))


@handles("POST", f"{_NODE}/vncshell")
def node_vnc(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Open a shell of a node behind a VNC server."""
    return _open(cluster, call, "vnc", None)


@handles("POST", f"{_NODE}/termproxy")
def node_terminal(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Open a shell of a node."""
    return _open(cluster, call, "terminal", None)


@handles("POST", f"{_QEMU}/spiceproxy")
def machine_spice(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return what a SPICE viewer needs; the machine needs a qxl display."""
    guest = _guest(cluster, call)
    display = keyed.parse(guest.config.get("vga", ""), "type").get("type", "")
    if not (guest.running and display.startswith("qxl")):
        raise PveFault(500, "no spice port")
    return _viewer(call, f"VM {guest.vmid} - {guest.name}", f"{guest.vmid}:{call['node']}")


@handles("POST", f"{_LXC}/spiceproxy")
def container_spice(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return what a SPICE viewer needs for a container's console."""
    guest = _guest(cluster, call)
    return _viewer(call, f"CT {guest.vmid} - {guest.name}", f"{guest.vmid}:{call['node']}")


@handles("POST", f"{_NODE}/spiceshell")
def node_spice(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return what a SPICE viewer needs for a node's shell."""
    return _viewer(call, f"Shell on '{call['node']}'", f"0:{call['node']}")


@handles("GET", f"{_QEMU}/vncwebsocket")
@handles("GET", f"{_LXC}/vncwebsocket")
@handles("GET", f"{_NODE}/vncwebsocket")
def websocket(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Check the ticket; the server upgrades the connection after that."""
    path = _path(call)
    good = cluster.consoles.is_good(call["vncticket"], call.identity.authid, path, call["port"])
    if not good:
        raise PveFault(401, "permission denied - invalid PVEVNC ticket")
    if "vmid" in call:
        _guest(cluster, call)
    return {"port": str(call["port"])}


@handles("POST", "/access/vncticket")
def verify(cluster: SimulatedCluster, call: Call) -> None:
    """Say whether a ticket is good; a terminal asks this about its viewer."""
    port = call.get("port")
    if not cluster.consoles.is_good(call["vncticket"], call["authid"], call["path"], port):
        raise PveFault(401, "authentication failure")


def _guest(cluster: SimulatedCluster, call: Call) -> Guest:
    kind = "lxc" if "/lxc/" in call.route.path else "qemu"
    return cluster.guest(kind, call["node"], call["vmid"])


def _path(call: Call) -> str:
    return f"/vms/{call['vmid']}" if "vmid" in call else f"/nodes/{call['node']}"


def _open(
    cluster: SimulatedCluster, call: Call, kind: Kind, guest: Guest | None, failure: str = ""
) -> dict[str, Any]:
    """Open a console on the node that is asked, in a task of that node."""
    who = call.identity.authid
    console: Console = cluster.consoles.open(kind, call.via, _path(call), who, failure)
    upid = cluster.tasks.start(
        call.via,
        "vncshell" if guest is None else "vncproxy",
        lambda task: cluster.consoles.work(console, task),
        id="" if guest is None else guest.vmid,
        user=who,
    )
    told = {"user": who, "ticket": console.shown_ticket, "port": str(console.port), "upid": upid}
    if kind == "vnc":
        told |= {"cert": CERTIFICATE, "password": console.password}
    return told


def _viewer(call: Call, title: str, target: str) -> dict[str, Any]:
    return {
        "type": "spice",
        "title": title,
        "host": f"pvespiceproxy:00000000:{target}:{_SPICE_PORT}::simulated",
        "proxy": f"http://{call.get('proxy', call.via)}:3128",
        "tls-port": _SPICE_PORT,
        "password": "simulated-spice-ticket",
        "ca": CERTIFICATE.replace("\n", "\\n"),
        "host-subject": f"OU=PVE Cluster Node,O=Proxmox Virtual Environment,CN={call['node']}",
        "delete-this-file": 1,
        "secure-attention": "Ctrl+Alt+Ins",
        "toggle-fullscreen": "Shift+F11",
        "release-cursor": "Ctrl+Alt+R",
    }
