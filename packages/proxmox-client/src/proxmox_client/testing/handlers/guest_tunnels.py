"""Moving guests to another cluster, and the node's own helpers for it.

The other cluster is outside: its address cannot be reached. What is checked before is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.formats import split_list
from proxmox_client.testing.guests import keyed
from proxmox_client.testing.guestwork import finding
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_UNREACHABLE_SECONDS = 3.07
_TUNNEL_SECONDS = 300.0


@handles("POST", "/nodes/{node}/qemu/{vmid}/remote_migrate")
@handles("POST", "/nodes/{node}/lxc/{vmid}/remote_migrate")
def migrate_away(cluster: SimulatedCluster, call: Call) -> Iterator[float]:
    """Refuse to move a guest to another cluster, which cannot be reached."""
    guest = finding.of_path(cluster, call)
    check_lock(guest)
    if guest.running and not (call.get("online") or call.get("restart")):
        noun = "VM" if guest.kind == "qemu" else "container"
        ways = "--online" if guest.kind == "qemu" else "--online or --restart"
        raise PveFault(500, f"can't migrate running {noun} without {ways}")
    endpoint = keyed.parse(call.sent["target-endpoint"])
    host = endpoint.get("host", "")
    for node in cluster.nodes.values():
        here = node.name == call.node and host in ("127.0.0.1", "localhost")
        if not (here or host in (node.name, node.address)):
            continue
        if endpoint.get("fingerprint") != node.fingerprint:
            raise PveFault(500, f"fingerprint '{node.fingerprint}' not verified, abort!")
        raise PveFault(500, "401 authentication failure")
    yield _UNREACHABLE_SECONDS
    raise PveFault(500, f"500 Can't connect to {host}:{endpoint.get('port', '8006')}"
                   " (No route to host)")  # fmt: skip


@handles("POST", "/nodes/{node}/qemu/{vmid}/mtunnel")
@handles("POST", "/nodes/{node}/lxc/{vmid}/mtunnel")
def open_tunnel(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Wait for a guest from another cluster; nobody comes, and the task gives up."""
    kind, vmid = call.route.path.split("/")[3], call["vmid"]
    if vmid in cluster.guests:
        where = cluster.guests[vmid].node
        text = f"unable to create empty VM config - VM {vmid} already exists on node '{where}'\n"
        raise PveFault.parameters({"vmid": text})
    for name in split_list(call.get("storages", "")):
        cluster.volumes.usable(name, call.node)

    def work(task: TaskRecord) -> Iterator[float]:
        task.log("mtunnel started")
        yield _TUNNEL_SECONDS
        raise TaskFailed("mtunnel: timeout waiting for tunnel")

    letter = "qm" if kind == "qemu" else "vz"
    upid = cluster.tasks.start(
        call.node, f"{letter}mtunnel", work, id=vmid, user=call.identity.authid
    )
    folder = "qemu-server" if kind == "qemu" else "pve"
    return {
        "ticket": f"PVETUNNEL:{int(cluster.clock.now()):08X}::{cluster.new_uuid()}",
        "upid": upid,
        "socket": f"/run/{folder}/{vmid}.mtunnel",
    }


@handles("GET", "/nodes/{node}/qemu/{vmid}/mtunnelwebsocket")
@handles("GET", "/nodes/{node}/lxc/{vmid}/mtunnelwebsocket")
def enter_tunnel(cluster: SimulatedCluster, call: Call) -> None:
    """Refuse: a tunnel is entered by another cluster only, through a websocket."""
    raise PveFault(401, "permission denied - invalid PVETUNNEL ticket", newline=False)


@handles("POST", "/nodes/{node}/qemu/{vmid}/dbus-vmstate")
def control_helper(cluster: SimulatedCluster, call: Call) -> None:
    """Start or stop the helper that carries connection states along with a migration."""
    guest = cluster.guests.get(call["vmid"])
    if guest is None or guest.node != call.node or not guest.running:
        text = f"VM {call['vmid']} not running locally on node '{call.node}'"
        raise PveFault.parameters({"node": text})
