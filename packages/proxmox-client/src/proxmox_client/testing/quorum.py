"""What a cluster without quorum refuses, in PVE's three ways, and what it half does.

At once, after waiting ten seconds for a lock, or while writing a file: by then the disks are
already changed. What is in no table here works.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.clusterlocks import GUESTS, ONE_GUEST, lock_of, matches
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import Guest

LOCK_SECONDS = 9.92

_AT_ONCE = (
    ("GET", ONE_GUEST + "/migrate"),
    ("POST", GUESTS),
    ("POST", ONE_GUEST + "/(?:status/start|clone|migrate|remote_migrate)"),
    ("POST", r"/nodes/\{node\}/migrateall"),
    ("POST", r"/cluster/sdn/(?:zones|vnets|controllers|ipams|dns)(?:/.*)?"),
    ("POST", "/cluster/ha/(?:resources|rules)"),
)
# Operation and the type of the task that fails, a machine's and a container's.
_IN_A_TASK = (
    ("POST", ONE_GUEST + "/config", "qmconfig", "vzconfig"),
    ("POST", ONE_GUEST + "/snapshot", "qmsnapshot", "vzsnapshot"),
    ("POST", ONE_GUEST + "/snapshot/.*/rollback", "qmrollback", "vzrollback"),
    ("DELETE", ONE_GUEST + "/snapshot/.*", "qmdelsnapshot", "vzdelsnapshot"),
    ("PUT", ONE_GUEST + "/resize", "resize", "resize"),
    ("DELETE", ONE_GUEST, "qmdestroy", "vzdestroy"),
)


def refuse_without_quorum(
    cluster: SimulatedCluster, call: Call
) -> Generator[float, None, str | None]:
    """Refuse what needs quorum; return a UPID where PVE refuses in a task, else None.

    Raises:
        PveFault: Status 500, at once or after ten seconds.
    """
    if any(matches(call, *entry) for entry in _AT_ONCE):
        raise PveFault(500, "cluster not ready - no quorum?")
    if (found := lock_of(call)) is not None:
        yield LOCK_SECONDS
        raise PveFault(500, f"{found.prefix}cfs-lock '{found.name}' error: no quorum!")
    if matches(call, "PUT", ONE_GUEST + "/config"):
        guest = _guest(cluster, call)
        raise PveFault(500, _cannot_write(cluster, guest, call.node))
    if matches(call, "PUT", r"/nodes/\{node\}/config"):
        number = cluster.nodes[call.node].pid
        path = f"/etc/pve/nodes/{call.node}/config.tmp.{number}"
        raise PveFault(500, f"unable to open file '{path}' - Permission denied")
    for method, pattern, *kinds in _IN_A_TASK:
        if matches(call, method, pattern):
            guest = _guest(cluster, call)
            return _failing_task(cluster, call, guest, kinds[guest.kind == "lxc"])
    return None


def _guest(cluster: SimulatedCluster, call: Call) -> Guest:
    kind = call.route.path.split("/")[3]
    return cluster.guest(kind, call.node, call["vmid"])


def _cannot_write(cluster: SimulatedCluster, guest: Guest, node: str) -> str:
    folder = "qemu-server" if guest.kind == "qemu" else "lxc"
    path = f"/etc/pve/nodes/{node}/{folder}/{guest.vmid}.conf.tmp.{cluster.nodes[node].pid}"
    return f"unable to open file '{path}' - Permission denied"


def _failing_task(cluster: SimulatedCluster, call: Call, guest: Guest, kind: str) -> str:
    def work(task: TaskRecord) -> Iterator[float]:
        yield 0.2
        _half_done(cluster, call, guest)
        raise TaskFailed(_cannot_write(cluster, guest, call.node))

    return cluster.tasks.start(call.node, kind, work, id=guest.vmid, user=call.identity.authid)


def _half_done(cluster: SimulatedCluster, call: Call, guest: Guest) -> None:
    """Do what really happens before the configuration cannot be written."""
    if call.route.method == "DELETE" and "snapname" not in call:
        for volume in cluster.volumes.owned(guest.vmid, guest.node, cluster.storages):
            cluster.volumes.remove(volume)
    elif call.route.path.endswith("/resize"):
        volid = str(guest.config.get(call["disk"], "")).partition(",")[0]
        disk = cluster.volumes.find(guest.node, volid)
        if disk is not None:
            disk.size = _new_size(call["size"], disk.size)


def _new_size(text: str, size: int) -> int:
    from proxmox_client.testing.seeding import parse_size

    return size + parse_size(text[1:]) if text.startswith("+") else max(size, parse_size(text))


def is_quorate(cluster: SimulatedCluster) -> bool:
    """Whether more than half of the nodes are there, and nobody decreed otherwise."""
    online = sum(node.online for node in cluster.nodes.values())
    return online * 2 > len(cluster.nodes) and not cluster.faults.no_quorum
