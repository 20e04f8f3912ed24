"""Moving guests to other nodes: what stands in the way, and the work inside the task."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import attrs

from proxmox_client.testing.guests import drives
from proxmox_client.testing.guests.drives import Drive
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import disks, features, power
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.state import Volume
from proxmox_client.testing.tasks import TaskFailed, TaskInterrupted, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Find = Callable[[], Guest]
COPY_BYTES_PER_SECOND = 110 * 1024**2
_KILLING = 1.9
_PREPARING = {"qemu": 0.05, "lxc": 1.3}
_TIDY_UP = {"qemu": 1.3, "lxc": 1.6}
_COPY_OVERHEAD = {"qemu": 0.5, "lxc": 0.6}


@attrs.frozen
class Move:
    """What a migration asks for.

    Attributes:
        target: Node to go to.
        storages: Target storage by source storage; the empty name is the default.
        online: The machine runs on while it moves.
        restart: The container is shut down and started again over there.
        with_local_disks: Local disks of a running machine may go too.
        timeout: Seconds a container gets to shut down.
        bwlimit: KiB per second for copies.
    """

    target: str
    storages: dict[str, str] = attrs.field(factory=dict[str, str])
    online: bool = False
    restart: bool = False
    with_local_disks: bool = False
    timeout: float | None = None
    bwlimit: int | None = None

    def storage_for(self, source: str) -> str:
        """Return the storage a volume goes to."""
        return self.storages.get(source) or self.storages.get("") or source


class _Aborted(Exception):
    """Ends a migration; the message goes to its log."""


@attrs.define
class _Run:
    """One migration under way."""

    cluster: SimulatedCluster
    guest: Guest
    move: Move
    task: TaskRecord
    began: float
    copies: dict[str, Volume] = attrs.field(factory=dict[str, Volume])

    def say(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.cluster.clock.now()))
        self.task.log(f"{stamp} {text}")

    def took(self) -> str:
        seconds = int(self.cluster.clock.now() - self.began)
        return f"(duration {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d})"


def migrate(cluster: SimulatedCluster, find: Find, task: TaskRecord, move: Move) -> Iterator[float]:
    """Move a guest; whatever happens on the way is told in the log."""
    first = find()
    run = _Run(cluster, first, move, task, cluster.clock.now())
    yield from cluster.locks.guest(first, task=task)
    try:
        yield from _locked(run, find)
    except (_Aborted, PveFault, TaskInterrupted) as error:
        sentence = str(error) or "interrupted by signal"
        run.say(f"ERROR: migration aborted {run.took()}: {sentence}")
        raise TaskFailed("migration aborted") from None
    finally:
        cluster.locks.release_guest(first)


def _locked(run: _Run, find: Find) -> Iterator[float]:
    run.guest = guest = find()
    check_lock(guest)
    was_running = guest.running
    if guest.kind == "lxc" and was_running:
        if run.move.online:
            raise _Aborted("lxc live migration is currently not implemented")
        yield from _shut_down(run)
    yield 0.25
    run.began = run.cluster.clock.now()
    target = run.cluster.nodes[run.move.target]
    noun = "VM" if guest.kind == "qemu" else "CT"
    if guest.running:
        run.say(
            "conntrack state migration not supported or disabled,"
            " active connections might get dropped"
        )
    run.say(f"starting migration of {noun} {guest.vmid} to node '{target.name}' ({target.address})")
    if not target.online:
        yield 3.0
        raise _Aborted("Can't connect to destination address using public key")
    guest.config["lock"] = "migrate"
    try:
        yield from _phases(run)
    except (_Aborted, PveFault, TaskInterrupted):
        for copy in run.copies.values():
            run.cluster.volumes.remove(copy)
        raise
    finally:
        guest.config.pop("lock", None)
    run.say(f"migration finished successfully {run.took()}")
    if guest.kind == "lxc" and was_running:
        yield power.START_SECONDS["lxc"]
        power.boot(run.cluster, guest)


def _shut_down(run: _Run) -> Iterator[float]:
    run.say(f"shutdown CT {run.guest.vmid}")
    needed, allowed = power.SHUTDOWN_SECONDS["lxc"], run.move.timeout or 180.0
    if run.guest.responsive and needed <= allowed:
        yield needed
    else:
        yield allowed + _KILLING
        run.task.log(
            f"command 'lxc-stop -n {run.guest.vmid} --nokill --timeout {allowed:g}' failed:"
            " exit code 1"
        )
    run.guest.end()


def _phases(run: _Run) -> Iterator[float]:
    guest = run.guest
    wanted = list(_scan(run))
    if guest.running:
        yield from _online(run, wanted)
        return
    yield _PREPARING[guest.kind]
    if wanted and guest.kind == "qemu":
        run.say("copying local disk images")
    for volume in wanted:
        yield from _copy(run, volume)
    _settle_at_target(run)
    yield _TIDY_UP[guest.kind]


def _online(run: _Run, wanted: list[Volume]) -> Iterator[float]:
    guest, cluster = run.guest, run.cluster
    run.say(f"starting VM {guest.vmid} on remote node '{run.move.target}'")
    cluster.tasks.start(
        run.move.target, "qmstart", _incoming, id=guest.vmid, user="root@pam", delay=0.3
    )
    yield 3.0
    run.say("start remote tunnel")
    yield 0.6
    run.say("ssh tunnel ver 1")
    for volume in wanted:
        yield from _copy(run, volume)
    run.say(f"starting online/live migration on unix:/run/qemu-server/{guest.vmid}.migrate")
    yield 0.9
    guest.qmpstatus = "postmigrate"
    run.say("migration completed")
    # Mirrored disks are finished while the machine stands still.
    yield 2.8 if wanted else 1.0
    started = guest.started
    _settle_at_target(run)
    power.boot(cluster, guest)
    guest.started = started
    if wanted:
        # Its disks change hands before it goes on.
        guest.qmpstatus = "paused"
        yield 1.2
        guest.qmpstatus = "running"
        yield 1.1
    yield 4.0


def _incoming(task: TaskRecord) -> Iterator[float]:
    """Start the machine at the target, where it waits for its memory."""
    yield 2.5


def _scan(run: _Run) -> Iterator[Volume]:
    """Find the volumes that have to be copied.

    Raises:
        _Aborted: Something local cannot go.
    """
    problems = False
    for drive in local_drives(run.cluster, run.guest):
        where = "attached" if run.guest.kind == "qemu" else "in current VM config"
        noun = "disk" if run.guest.kind == "qemu" else "volume"
        run.say(f"found local {noun} '{drive.volid}' ({where})")
        obstacle = _obstacle(run, drive)
        if obstacle is not None:
            run.say(f"can't migrate local {noun} '{drive.volid}': {obstacle}")
            problems = True
            continue
        volume = run.cluster.volumes.find(run.guest.node, drive.volid)
        assert volume is not None
        yield volume
    if problems:
        run.say("ERROR: Problem found while scanning volumes - can't migrate VM - check log")
        run.say("aborting phase 1 - cleanup resources")
        raise _Aborted("Problem found while scanning volumes - can't migrate VM - check log")


def _obstacle(run: _Run, drive: Drive) -> str | None:
    if run.cluster.volumes.find(run.guest.node, drive.volid) is None:
        return f"volume '{drive.volid}' does not exist"
    if drive.is_medium:
        return "local cdrom image"
    if "/base-" in drive.volid and "/vm-" in drive.volid:
        base = drive.volid.rpartition("/vm-")[0]
        return f"can't migrate '{drive.volid}' as it's a clone of '{base}'"
    if run.guest.running and not run.move.with_local_disks and not drive.is_cloudinit:
        return "can't live migrate attached local disks without with-local-disks option"
    return None


def local_drives(cluster: SimulatedCluster, guest: Guest) -> Iterator[Drive]:
    """Yield the drives whose storage only the guest's node sees, unused ones among them."""
    seen: set[str] = set()
    for drive in drives.drives(guest.kind, guest.config, unused=True):
        if drive.storage is None or drive.volid in seen:
            continue
        seen.add(drive.volid)
        if not cluster.volumes.storage(drive.storage).shared:
            yield drive


def _copy(run: _Run, volume: Volume) -> Iterator[float]:
    cluster, guest = run.cluster, run.guest
    storage = cluster.volumes.usable(run.move.storage_for(volume.storage), run.move.target)
    rate = run.move.bwlimit * 1024 if run.move.bwlimit else COPY_BYTES_PER_SECOND
    if run.move.bwlimit:
        run.say(
            f"using a bandwidth limit of {rate} bytes per second for transferring '{volume.volid}'"
        )
    stem = f"vm-{guest.vmid}-cloudinit" if "cloudinit" in volume.volid else None
    copy = cluster.volumes.allocate(
        run.move.target,
        storage.name,
        guest.vmid,
        volume.size,
        format=features.copy_format(storage, None, volume.format),
        content=volume.content,
        stem=stem or _same_stem(cluster, run, volume, storage.name),
    )
    run.copies[volume.volid] = copy
    run.say(disks.formatting(cluster, copy))
    yield volume.size / rate + _COPY_OVERHEAD[guest.kind]
    run.say(f"{volume.size} bytes copied")
    run.say(f"successfully imported '{copy.volid}'")
    if guest.kind == "qemu":
        run.say(f"volume '{volume.volid}' is '{copy.volid}' on the target")


def _same_stem(cluster: SimulatedCluster, run: _Run, volume: Volume, storage: str) -> str | None:
    """Keep the volume's name unless the target has one like it."""
    stem = volume.name.rpartition("/")[2].partition(".")[0]
    taken = {
        other.name.rpartition("/")[2].partition(".")[0]
        for other in cluster.volumes.on(storage, run.move.target)
    }
    return None if stem in taken else stem


def _settle_at_target(run: _Run) -> None:
    """Move the configuration, with the names the volumes have over there."""
    guest, cluster = run.guest, run.cluster
    for options in (guest.config, *(snapshot.config for snapshot in guest.snapshots.values())):
        for drive in list(drives.drives(guest.kind, options, unused=True)):
            copy = run.copies.get(drive.volid)
            if copy is not None:
                moved = drive.with_volume(copy.volid)
                options[drive.slot] = copy.volid if drives.is_unused(drive.slot) else moved.text()
    for volid in run.copies:
        source = cluster.volumes.find(guest.node, volid)
        if source is not None:
            cluster.volumes.remove(source)
    guest.node = run.move.target
