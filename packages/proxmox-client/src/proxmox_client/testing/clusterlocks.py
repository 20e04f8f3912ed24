"""Locks on the cluster's files: which operation writes under which, and waiting for one.

PVE waits in steps of a second and gives up after ten.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, TypeVar

import attrs

from proxmox_client.testing.request import Call, PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

STEP = 1.0
SPREAD = 0.15
TIMEOUT = 9.99
WRITING = 0.03
"""Seconds for which a write holds its lock."""
T = TypeVar("T")
GUESTS = r"/nodes/\{node\}/(?:qemu|lxc)"
ONE_GUEST = GUESTS + r"/\{vmid\}"
# Operation, what PVE says first, the lock it waits for.
_LOCKS = (
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
    ("*", ONE_GUEST + "/firewall/.*", "", "firewall-vm-{vmid}"),
    ("PUT", "/cluster/sdn", "could not commit SDN config: ", "domain-sdn"),
    ("POST", "/cluster/sdn/lock", "could not acquire lock for SDN config: ", "domain-sdn"),
    ("*", "/cluster/sdn/.*", "", "domain-sdn"),
    ("*", "/cluster/backup(?:/.*)?", "", "file-jobs_cfg"),
    ("*", "/cluster/metrics/.*", "", "file-status_cfg"),
    ("POST", "/cluster/mapping/dir", "create directory mapping failed: ",
     "file-mapping_directory_cfg"),
)  # fmt: skip


@attrs.frozen
class ClusterLock:
    """A lock, and what PVE says before its complaint about not getting it."""

    name: str
    prefix: str


def matches(call: Call, method: str, pattern: str) -> bool:
    """Whether a call is an operation; a star stands for every method that writes."""
    given = call.route.method
    fits = given == method or (method == "*" and given != "GET")
    return fits and re.fullmatch(pattern, call.route.path) is not None


def lock_of(call: Call) -> ClusterLock | None:
    """Return the lock an operation works under; None if it needs none."""
    for method, pattern, prefix, lock in _LOCKS:
        if matches(call, method, pattern):
            return ClusterLock(lock.replace("{vmid}", call.sent.get("vmid", "")), prefix)
    return None


def under_lock(
    cluster: SimulatedCluster, call: Call, work: Generator[float, None, T]
) -> Generator[float, None, T]:
    """Do some work under the lock a call needs; wait while somebody else holds that.

    Raises:
        PveFault: Status 500 after ten seconds, or what the work raises.
    """
    lock = lock_of(call) if call.route.method != "GET" else None
    if lock is None:
        return (yield from work)
    yield from _wait(cluster, lock)
    cluster.locks.take(lock.name)
    try:
        result = yield from work
        yield WRITING
    finally:
        cluster.locks.release(lock.name)
    return result


def _wait(cluster: SimulatedCluster, lock: ClusterLock) -> Iterator[float]:
    deadline = cluster.clock.now() + TIMEOUT
    while cluster.locks.held(lock.name):
        left = deadline - cluster.clock.now()
        if left <= 0:
            text = f"{lock.prefix}cfs-lock '{lock.name}' error: got lock request timeout"
            raise PveFault(500, text)
        # Each looks at its own moment, or all would come back at once.
        yield min(STEP + cluster.random.random() * SPREAD, left)
