"""Bringing guests back from backups: the work inside ``qmrestore`` and ``vzrestore`` tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from proxmox_client.testing.backups.archive import Archive, archive_of
from proxmox_client.testing.guests import identity, nics
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.options import Kind
from proxmox_client.testing.guestwork import finding, power
from proxmox_client.testing.guestwork.disks import free
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

BYTES_PER_SECOND = 1024**3
_TASKS = {"qemu": "qmrestore", "lxc": "vzrestore"}


def restore(
    cluster: SimulatedCluster, call: Call, kind: Kind, volid: str, values: Mapping[str, str]
) -> str:
    """Start the task that restores a guest; return its UPID.

    Raises:
        PveFault: Status 500: there is no such backup, or the guest's id is taken.
    """
    volume, archive = archive_of(cluster, call.node, volid)
    old = _check_id(cluster, call, kind)
    guest = Guest(call["vmid"], kind, call.node, {"lock": "create"}, born=cluster.clock.now())
    guest.responsive = kind == "lxc"
    if old is None:
        cluster.guests[guest.vmid] = guest
    pool: str | None = call.get("pool")

    def work(task: TaskRecord) -> Iterator[float]:
        yield 0.1
        if archive is None or archive.kind != kind:
            noun = "QemuServer" if kind == "qemu" else "LXC"
            path = cluster.volumes.path(volume.volid)
            # The new guest is left behind, empty, as PVE leaves it.
            guest.config.clear()
            raise TaskFailed(f"ERROR: file '{path}' does not look like a {noun} vzdump backup")
        yield from _fill(cluster, call, guest, archive, task)
        guest.config |= values
        if old is not None:
            _discard(cluster, old)
            cluster.guests[guest.vmid] = guest
        finding.join_pool(cluster, pool, guest.vmid)
        if call.get("start"):
            yield from power.start(cluster, lambda: guest, task)

    return cluster.tasks.start(
        call.node, _TASKS[kind], work, id=guest.vmid, user=call.identity.authid
    )


def _check_id(cluster: SimulatedCluster, call: Call, kind: Kind) -> Guest | None:
    old = cluster.guests.get(call["vmid"])
    if old is None:
        return None
    noun = "VM" if kind == "qemu" else "CT"
    prefix = f"unable to restore VM {old.vmid} - " if kind == "qemu" else ""
    if not call.get("force"):
        raise PveFault(500, f"{prefix}{noun} {old.vmid} already exists on node '{old.node}'")
    if old.node != call.node:
        folder = "qemu-server" if kind == "qemu" else "lxc"
        raise PveFault(
            500,
            f"{prefix}close (rename) atomic file"
            f" '/etc/pve/nodes/{call.node}/{folder}/{old.vmid}.conf' failed: File exists",
        )
    if old.running:
        raise PveFault(500, f"{prefix}{noun} {old.vmid} is running")
    return old


def _fill(
    cluster: SimulatedCluster, call: Call, guest: Guest, archive: Archive, task: TaskRecord
) -> Iterator[float]:
    """Make the disks and the configuration of the archive."""
    config = dict(archive.config)
    made: list[str] = []
    try:
        for slot, storage, form, size in archive.disks:
            content = "images" if guest.kind == "qemu" else "rootdir"
            volume = cluster.volumes.allocate(
                guest.node,
                call.get("storage", storage),
                guest.vmid,
                size,
                format=form,
                content=content,
            )
            made.append(volume.volid)
            task.log(f"new volume ID is '{volume.volid}'")
            rest = config[slot].partition(",")[2]
            config[slot] = f"{volume.volid},{rest}" if rest else volume.volid
            yield 0.1 + size / BYTES_PER_SECOND
            task.log(f"progress 100% (read {size} bytes, duration 0 sec)")
    except PveFault:
        for volid in made:
            free(cluster, guest.node, volid)
        cluster.guests.pop(guest.vmid, None)
        raise
    _renew(cluster, guest, config, unique=bool(call.get("unique")))
    guest.config = config
    if guest.kind == "lxc":
        guest.formatted = next((size for slot, _, _, size in archive.disks if slot == "rootfs"), 0)
        guest.config.setdefault("swap", "512")


def _renew(
    cluster: SimulatedCluster, guest: Guest, config: dict[str, str], *, unique: bool
) -> None:
    chance = cluster.random
    if guest.kind == "qemu":
        config["vmgenid"] = identity.random_uuid(chance)
    if not unique:
        return
    if guest.kind == "qemu":
        config["smbios1"] = f"uuid={identity.random_uuid(chance)}"
    write = nics.normalise_net if guest.kind == "qemu" else nics.normalise_veth
    for name, text in config.items():
        if name.startswith("net") and name[3:].isdigit():
            config[name] = write(text, chance, new_mac=True)


def _discard(cluster: SimulatedCluster, old: Guest) -> None:
    """Remove the disks of the guest that was overwritten."""
    for volume in cluster.volumes.owned(old.vmid, old.node, cluster.storages):
        if any(str(text).partition(",")[0] == volume.volid for text in old.config.values()):
            cluster.volumes.remove(volume)
