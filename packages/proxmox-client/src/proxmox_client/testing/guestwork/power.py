"""Starting and stopping guests: the work inside the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.guests import changes, cloudinit_drive, drives, keyed
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import disks
from proxmox_client.testing.guestwork.bridges import check_bridges
from proxmox_client.testing.locks import check_lock, guest_lock_file
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Find = Callable[[], Guest]
"""Looks the guest up inside the task; raises PVE's sentence if it is not there."""
START_SECONDS = {"qemu": 1.1, "lxc": 2.2}
STOP_SECONDS = 1.2
SHUTDOWN_SECONDS = {"qemu": 4.0, "lxc": 2.5}
SHUTDOWN_TIMEOUT = 60.0
CLEANUP_SECONDS = 0.4
"""How long the tidying up after a machine keeps its lock."""


def start(cluster: SimulatedCluster, find: Find, task: TaskRecord) -> Iterator[float]:
    """Start a stopped guest, with its pending changes."""
    guest = find()
    if guest.kind == "lxc" and guest.template:
        raise TaskFailed("you can't start a CT if it's a template")
    yield from cluster.locks.guest(guest, task=task)
    try:
        yield from _start_locked(cluster, find(), task)
    finally:
        cluster.locks.release_guest(guest)


def _start_locked(cluster: SimulatedCluster, guest: Guest, task: TaskRecord) -> Iterator[float]:
    if guest.template:
        raise TaskFailed("you can't start a vm if it's a template")
    resumes = guest.lock == "suspended"
    if not resumes:
        check_lock(guest)
    if guest.running:
        raise TaskFailed(f"{guest.label} already running")
    settle(cluster, guest)
    _check_volumes(cluster, guest)
    make_cloudinit(guest, task.log)
    check_bridges(cluster, guest, task)
    if resumes:
        task.log("Resuming suspended VM")
        task.log(f"activating and using '{guest.config.get('vmstate')}' as vmstate")
    yield START_SECONDS[guest.kind]
    if resumes:
        task.log("Resumed VM, removing state")
        forget_state(cluster, guest)
    boot(cluster, guest)


def boot(cluster: SimulatedCluster, guest: Guest) -> None:
    """Make a guest run."""
    node = cluster.nodes[guest.node]
    node.pid += 3
    guest.begin(node.pid, cluster.clock.now())


def settle(cluster: SimulatedCluster, guest: Guest) -> None:
    """Bring everything pending into force, as each cold start does."""
    effects = changes.Effects()
    guest.drop_settled()
    changes.apply_stopped(guest, effects)
    for volid in effects.freed:
        disks.free(cluster, guest.node, volid)
    if guest.kind == "lxc":
        make_mounts(cluster, guest)


def make_mounts(cluster: SimulatedCluster, guest: Guest) -> None:
    """Make the volumes of mount points that were pending until now."""
    for drive in list(drives.drives("lxc", guest.config)):
        if (size := drive.new_size) is not None:
            made = disks.create_filesystem(
                cluster, guest.node, drive.storage or "", guest.vmid, size, _silent
            )
            stored = drive.with_volume(made.volid, size=disks.size_text(made))
            guest.config[drive.slot] = stored.text()


def _silent(line: str) -> None:
    """Take a line that no log shows."""


def forget_state(cluster: SimulatedCluster, guest: Guest) -> None:
    """Drop what a suspended machine saved of its memory."""
    for name in ("lock", "running-nets-host-mtu", "runningcpu", "runningmachine"):
        guest.config.pop(name, None)
    state = guest.config.pop("vmstate", None)
    if state is not None:
        disks.free(cluster, guest.node, state)


def make_cloudinit(guest: Guest, log: disks.Log) -> None:
    """Write a machine's cloud-init drive anew, if it has one, from its present options."""
    if guest.kind == "qemu" and cloudinit_drive.slot(guest.config) is not None:
        log("generating cloud-init ISO")
        guest.cloudinit.clear()


def _check_volumes(cluster: SimulatedCluster, guest: Guest) -> None:
    for drive in drives.drives(guest.kind, guest.config):
        if drive.storage is None:
            continue
        storage = cluster.volumes.usable(drive.storage, guest.node)
        if cluster.volumes.find(guest.node, drive.volid) is None:
            raise TaskFailed(
                f"volume '{drive.volid}' does not exist"
                if storage.type in ("dir", "nfs", "cifs")
                else f"no such logical volume {drive.volid.partition(':')[2]}"
            )


def stop(cluster: SimulatedCluster, find: Find, task: TaskRecord) -> Iterator[float]:
    """Stop a guest at once; a stopped one is fine."""
    guest = find()
    if not guest.running:
        yield 0.05
        return
    yield from cluster.locks.guest(guest, task=task)
    try:
        if guest.kind == "lxc" or guest.running:
            check_lock(guest)
        yield STOP_SECONDS
        halt(cluster, guest)
    finally:
        _let_go(cluster, guest)


def _let_go(cluster: SimulatedCluster, guest: Guest) -> None:
    """Give the lock back; after a machine has stopped, what tidies up holds it for a moment."""
    cluster.locks.release_guest(guest)
    if guest.kind == "qemu" and not guest.running:
        until = cluster.clock.now() + CLEANUP_SECONDS
        cluster.locks.take(guest_lock_file(guest), until=until)


def halt(cluster: SimulatedCluster, guest: Guest) -> None:
    """Make a guest stop; a machine's pending changes come into force with it."""
    guest.end()
    if guest.kind == "qemu":
        settle(cluster, guest)


def shutdown(
    cluster: SimulatedCluster,
    find: Find,
    task: TaskRecord,
    *,
    timeout: float | None = None,
    force: bool = False,
) -> Iterator[float]:
    """Ask a guest to shut down and wait for it."""
    guest = find()
    if not guest.running:
        yield 0.05
        return
    yield from cluster.locks.guest(guest, task=task)
    try:
        check_lock(guest)
        yield from _shutdown_locked(cluster, guest, task, timeout or SHUTDOWN_TIMEOUT, force=force)
    finally:
        _let_go(cluster, guest)


def _shutdown_locked(
    cluster: SimulatedCluster, guest: Guest, task: TaskRecord, timeout: float, *, force: bool
) -> Iterator[float]:
    if guest.kind == "qemu" and wants_agent(guest) and not guest.agent_answers:
        task.log(
            "QEMU Guest Agent is not running"
            f" - VM {guest.vmid} qga command 'guest-ping' failed - got timeout"
        )
    needed = SHUTDOWN_SECONDS[guest.kind]
    if guest.responsive and needed <= timeout:
        yield needed
        halt(cluster, guest)
        return
    yield timeout
    if not force:
        raise TaskFailed(
            "VM quit/powerdown failed - got timeout"
            if guest.kind == "qemu"
            else f"command 'lxc-stop -n {guest.vmid} --nokill --timeout {int(timeout)}'"
            " failed: exit code 1"
        )
    if guest.kind == "qemu":
        task.log("VM still running - terminating now with SIGTERM")
    yield STOP_SECONDS
    halt(cluster, guest)


def wants_agent(guest: Guest) -> bool:
    """Whether the machine's options say that a guest agent runs inside."""
    agent = keyed.parse(guest.config.get("agent", ""), "enabled")
    return agent.get("enabled", "0").lower() in ("1", "on", "yes", "true")


def reboot(
    cluster: SimulatedCluster, find: Find, task: TaskRecord, *, timeout: float | None = None
) -> Iterator[float]:
    """Shut a guest down and start it again, with its pending changes."""
    guest = find()
    yield from cluster.locks.guest(guest, task=task)
    try:
        check_lock(guest)
        yield from _shutdown_locked(
            cluster, guest, task, timeout or SHUTDOWN_TIMEOUT, force=guest.kind == "lxc"
        )
        settle(cluster, guest)
        make_cloudinit(guest, _silent)
        yield START_SECONDS[guest.kind]
        boot(cluster, guest)
    finally:
        cluster.locks.release_guest(guest)
