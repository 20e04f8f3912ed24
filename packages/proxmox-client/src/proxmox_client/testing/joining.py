"""Servers that are alone, and how they become members of a cluster.

A server that is alone is a `SimulatedCluster` of one node, with accounts, storages and keys of its
own. Servers that know each other's addresses share a clock. A join moves the node into the other
cluster; from then on every request to the server is answered as a member does.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import attrs

from proxmox_client.testing import corosync, logins
from proxmox_client.testing.clusterlog import note
from proxmox_client.testing.logins import LoginRefused
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

LOCK = "/var/lock/pvecm.lock"
_LOCK_SECONDS = 10.0
_NO_ROUTE = 3.07
_REFUSED_AFTER = 3.0
_STATISTICS_AFTER = 10.0


@attrs.frozen
class Wish:
    """What a server that wants to join says.

    Attributes:
        host: Address or name of a member.
        password: root's there.
        fingerprint: What its certificate has to be.
        votes: How much the new member counts.
        number: Node id it asks for; None for the next free one.
        address: Address for the cluster network; None for its own.
        force: Join although there are guests.
    """

    host: str
    password: str
    fingerprint: str
    votes: int = 1
    number: int | None = None
    address: str | None = None
    force: bool = False


def set_up(cluster: SimulatedCluster, name: str, password: str) -> SimulatedCluster:
    """Set up one more server in a cluster's network, with the next free address."""
    used = {node.address for server in cluster.servers() for node in server.nodes.values()}
    lonely = type(cluster)(
        (name,),
        cluster.version,
        seed=cluster.random.getrandbits(32),
        start=cluster.clock.now(),
        clock=cluster.clock,
        storages=("local", "local-lvm"),
    )
    free = (f"10.77.0.{number}" for number in range(1, 255))
    lonely.nodes[name].address = next(address for address in free if address not in used)
    lonely.access.users["root@pam"].password = password or None
    lonely.outside = cluster.outside
    lonely.others = cluster.others
    if not cluster.others:
        cluster.others.append(cluster)
    cluster.others.append(lonely)
    return lonely


def locked(cluster: SimulatedCluster, task: TaskRecord) -> Iterator[float]:
    """Wait for the lock under which a node creates or joins a cluster, and take it.

    Raises:
        PveFault: Status 500 after ten seconds.
    """
    if cluster.locks.held(LOCK):
        task.log("trying to acquire lock...")
    message = f"can't lock file '{LOCK}' - got timeout"
    yield from cluster.locks.wait(LOCK, timeout=_LOCK_SECONDS, message=message)


def make_key(cluster: SimulatedCluster, name: str, task: TaskRecord) -> Iterator[float]:
    """Make root's key, once."""
    files = cluster.nodes[name].files
    if files.get("ssh-key"):
        return
    files["ssh-key"] = True
    yield 1.7
    task.log("Generating public/private rsa key pair.")
    task.log("Your identification has been saved in /root/.ssh/id_rsa")
    task.log("Your public key has been saved in /root/.ssh/id_rsa.pub")


def create(
    cluster: SimulatedCluster, node: str, name: str, member: dict[str, str], task: TaskRecord
) -> Iterator[float]:
    """Make a cluster of a server that is alone.

    Raises:
        PveFault: The lock is held.
    """
    yield from locked(cluster, task)
    try:
        yield from make_key(cluster, node, task)
        task.log("Corosync Cluster Engine Authentication key generator.")
        task.log("Gathering 2048 bits for key from /dev/urandom.")
        task.log("Writing corosync key to /etc/corosync/authkey.")
        task.log("Writing corosync config to /etc/pve/corosync.conf")
        yield 0.5
        corosync.change(cluster, {node: member}, name)
        task.log("Restart corosync and cluster filesystem")
        yield 1.5
    finally:
        cluster.locks.release(LOCK)


def join(
    lonely: SimulatedCluster, node: str, wish: Wish, task: TaskRecord
) -> Iterator[float]:  # fmt: skip
    """Join a server to the cluster of another one.

    Raises:
        TaskFailed: The server may not join, or the other one does not let it in.
        PveFault: The lock is held.
    """
    yield from locked(lonely, task)
    try:
        _check_joinable(lonely, wish, task)
        yield from make_key(lonely, node, task)
        cluster = yield from _member(lonely, wish, task)
        task.log("check cluster join API version")
        address = wish.address or lonely.nodes[node].address
        if wish.address is None:
            task.log(
                f"No cluster network links passed explicitly, fallback to local node IP '{address}'"
            )
        task.log("Request addition of this node")
        add(cluster, node, address, wish.votes, wish.number, force=wish.force)
        yield 0.5
        task.log("Join request OK, finishing setup locally\nstopping pve-cluster service")
        stamp = int(lonely.clock.now())
        file = f"/var/lib/pve-cluster/backup/config-{stamp}.sql.gz"
        task.log(f"backup old database to '{file}'")
        yield 1.0
        move(lonely, node, cluster)
        yield 4.0
        task.log("waiting for quorum...OK\n(re)generate node files")
        task.log("generate new node certificate\nmerge authorized SSH keys")
        yield 3.0
        task.log(
            "generated new node certificate, restart pveproxy and pvedaemon services\n"
            f"successfully added node '{node}' to cluster."
        )
    finally:
        lonely.locks.release(LOCK)


def _check_joinable(lonely: SimulatedCluster, wish: Wish, task: TaskRecord) -> None:
    errors: list[str] = []
    if corosync.config(lonely) is not None:
        errors += [
            "* authentication key '/etc/corosync/authkey' already exists",
            "* cluster config '/etc/pve/corosync.conf' already exists",
        ]
    if lonely.guests:
        errors.append("* this host already contains virtual guests")
    if not errors:
        return
    severity = "WARNING : detected error but forced to continue!" if wish.force else ""
    task.log(severity or "detected the following error(s):")
    task.log("\n".join(errors))
    if not wish.force:
        raise TaskFailed("Check if node may join a cluster failed!")


def _member(
    lonely: SimulatedCluster, wish: Wish, task: TaskRecord
) -> Generator[float, None, SimulatedCluster]:  # fmt: skip
    """Find and enter the cluster to join."""
    task.log(f"Establishing API connection with host '{wish.host}'")
    found = next(
        (
            (server, name)
            for server in lonely.servers()
            for name, node in server.nodes.items()
            if wish.host in (name, node.address) and node.online and node.away is None
        ),
        None,
    )
    if found is None or found[0] is lonely:
        yield _NO_ROUTE
        raise TaskFailed(f"500 Can't connect to {wish.host}:8006 (No route to host)")
    cluster, name = found
    shown = cluster.nodes[name].fingerprint
    if wish.fingerprint.upper() != shown:
        yield 0.2
        raise TaskFailed(f"fingerprint '{shown}' not verified, abort!")
    root = cluster.access.users["root@pam"]
    try:
        logins.check_password(cluster, root, wish.password)
    except LoginRefused:
        yield _REFUSED_AFTER
        raise TaskFailed("401 authentication failure") from None
    task.log("Login succeeded.")
    return cluster


def add(
    cluster: SimulatedCluster,
    name: str,
    address: str,
    votes: int = 1,
    number: int | None = None,
    *,
    force: bool = False,
) -> None:
    """Take a node up into corosync's configuration.

    Raises:
        PveFault: There is no cluster or no quorum, or the name or the address is taken.
    """
    found = corosync.config(cluster)
    if found is None:
        raise PveFault(500, "unable to open file '/etc/pve/corosync.conf' - No such file")
    if not cluster.quorate:
        raise PveFault(500, "cluster not ready - no quorum?")
    members: corosync.Members = dict(found["members"])
    for other, entry in members.items():
        if other != name and entry["ring0_addr"] == address:
            text = f"corosync: address '{address}' already used on link ring0_addr by node"
            raise PveFault(500, f"{text} '{other}'")
    if name in members and not force:
        raise PveFault(500, f"can't add existing node '{name}'")
    reporter = next(iter(cluster.nodes))
    note(cluster, reporter, "root@pam", f"adding node {name} to cluster")
    members[name] = corosync.member(number or corosync.free_number(members), address, votes)
    corosync.change(cluster, members)


def move(lonely: SimulatedCluster, name: str, cluster: SimulatedCluster) -> None:
    """Let a server become a member: what it had of its own is replaced by the cluster's."""
    node = lonely.nodes[name]
    node.files.pop("certificate", None)
    node.broadcast_at = 1.0
    node.silent_until = lonely.clock.now() + _STATISTICS_AFTER
    cluster.nodes[name] = node
    cluster.tasks.adopt(node.tasks)
    for volume in list(lonely.volumes):
        storage = cluster.storages.get(volume.storage)
        if storage is not None and not storage.shared:
            cluster.volumes.put(volume)
    for vmid, guest in lonely.guests.items():
        cluster.guests.setdefault(vmid, guest)
    lonely.leave_for(cluster)


def remove(cluster: SimulatedCluster, name: str) -> None:
    """Take a node out of the cluster; its guests' configurations go with it.

    Raises:
        PveFault: There is no such member.
    """
    found = corosync.config(cluster)
    if found is None or name not in found["members"]:
        raise PveFault(500, f"Node/IP: {name} is not a known host of the cluster.")
    members: corosync.Members = dict(found["members"])
    del members[name]
    corosync.change(cluster, members)
    cluster.nodes.pop(name, None)
    for vmid in [vmid for vmid, guest in cluster.guests.items() if guest.node == name]:
        del cluster.guests[vmid]
