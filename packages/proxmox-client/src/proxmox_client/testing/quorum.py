"""What a cluster without quorum refuses, in PVE's three ways, and what it half does.

At once, after waiting ten seconds for a lock, or while writing a file: by then the disks are
already changed. What is in no table here works.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import Guest

LOCK_SECONDS = 9.92
_GUEST = r"/nodes/\{node\}/(?:qemu|lxc)"
_ONE = _GUEST + r"/\{vmid\}"

_AT_ONCE = (
    ("GET", _ONE + "/migrate"),
    ("POST", _GUEST),
    ("POST", _ONE + "/(?:status/start|clone|migrate|remote_migrate)"),
    ("POST", r"/nodes/\{node\}/migrateall"),
    ("POST", r"/cluster/sdn/(?:zones|vnets|controllers|ipams|dns)(?:/.*)?"),
    ("POST", "/cluster/ha/(?:resources|rules)"),
)
# Operation, what PVE says first, the lock it waits for.
_BEHIND_A_LOCK = (
    ("GET", r"/nodes/\{node\}/replication", "", "file-replication_cfg"),
    ("POST", "/storage", "create storage failed: ", "file-storage_cfg"),
    ("PUT", "/storage/.*", "update storage failed: ", "file-storage_cfg"),
    ("DELETE", "/storage/.*", "delete storage failed: ", "file-storage_cfg"),
    ("PUT", "/access/acl", "ACL update failed: ", "file-user_cfg"),
    ("POST", "/access/users/.*/token/.*", "generating token failed: ", "file-user_cfg"),
    ("PUT", "/access/users/.*/token/.*", "updating token failed: ", "file-user_cfg"),
    ("DELETE", "/access/users/.*/token/.*", "deleting token failed: ", "file-user_cfg"),
    *(
        (method, f"/access/{noun}s{tail}", f"{verb} {noun} failed: ", "file-user_cfg")
        for noun in ("user", "group", "role")
        for method, verb, tail in (("POST", "create", ""), ("PUT", "update", "/.*"),
                                   ("DELETE", "delete", "/.*"))
    ),
    ("POST", "/access/domains", "add auth server failed: ", "file-domains_cfg"),
    ("PUT", "/access/domains/.*", "update auth server failed: ", "file-domains_cfg"),
    ("DELETE", "/access/domains/.*", "delete auth server failed: ", "file-domains_cfg"),
    ("POST", "/pools", "create pool failed: ", "file-user_cfg"),
    ("PUT", "/pools(?:/.*)?", "update pool failed: ", "file-user_cfg"),
    ("DELETE", "/pools(?:/.*)?", "delete pool failed: ", "file-user_cfg"),
    ("PUT", "/cluster/options", "", "file-datacenter_cfg"),
    ("*", "/cluster/firewall/.*", "", "firewall-cluster"),
    ("*", _ONE + "/firewall/.*", "", "firewall-vm-{vmid}"),
    ("PUT", "/cluster/sdn", "could not commit SDN config: ", "domain-sdn"),
    ("POST", "/cluster/sdn/lock", "could not acquire lock for SDN config: ", "domain-sdn"),
    ("*", "/cluster/sdn/.*", "", "domain-sdn"),
    ("*", "/cluster/backup(?:/.*)?", "", "file-jobs_cfg"),
    ("*", "/cluster/metrics/.*", "", "file-status_cfg"),
    ("POST", "/cluster/mapping/dir", "create directory mapping failed: ",
     "file-mapping_directory_cfg"),
)  # fmt: skip
# Operation and the type of the task that fails, a machine's and a container's.
_IN_A_TASK = (
    ("POST", _ONE + "/config", "qmconfig", "vzconfig"),
    ("POST", _ONE + "/snapshot", "qmsnapshot", "vzsnapshot"),
    ("POST", _ONE + "/snapshot/.*/rollback", "qmrollback", "vzrollback"),
    ("DELETE", _ONE + "/snapshot/.*", "qmdelsnapshot", "vzdelsnapshot"),
    ("PUT", _ONE + "/resize", "resize", "resize"),
    ("DELETE", _ONE, "qmdestroy", "vzdestroy"),
)


def _matches(call: Call, method: str, pattern: str) -> bool:
    given = call.route.method
    fits = given == method or (method == "*" and given != "GET")
    return fits and re.fullmatch(pattern, call.route.path) is not None


def refuse_without_quorum(
    cluster: SimulatedCluster, call: Call
) -> Generator[float, None, str | None]:
    """Refuse what needs quorum; return a UPID where PVE refuses in a task, else None.

    Raises:
        PveFault: Status 500, at once or after ten seconds.
    """
    if any(_matches(call, *entry) for entry in _AT_ONCE):
        raise PveFault(500, "cluster not ready - no quorum?")
    for method, pattern, prefix, lock in _BEHIND_A_LOCK:
        if _matches(call, method, pattern):
            yield LOCK_SECONDS
            name = lock.replace("{vmid}", call.sent.get("vmid", ""))
            raise PveFault(500, f"{prefix}cfs-lock '{name}' error: no quorum!")
    if _matches(call, "PUT", _ONE + "/config"):
        guest = _guest(cluster, call)
        raise PveFault(500, _cannot_write(cluster, guest, call.node))
    if _matches(call, "PUT", r"/nodes/\{node\}/config"):
        number = cluster.nodes[call.node].pid
        path = f"/etc/pve/nodes/{call.node}/config.tmp.{number}"
        raise PveFault(500, f"unable to open file '{path}' - Permission denied")
    for method, pattern, *kinds in _IN_A_TASK:
        if _matches(call, method, pattern):
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
