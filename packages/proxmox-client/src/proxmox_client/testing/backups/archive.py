"""What a backup archive holds and how it is named."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import attrs

from proxmox_client.testing.guests import drives
from proxmox_client.testing.guests.drives import Drive
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.options import Kind
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.state import Volume

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ENDINGS = {"zstd": ".zst", "gzip": ".gz", "lzo": ".lzo", "1": ".lzo"}


@attrs.frozen
class Archive:
    """What lies in a backup.

    Attributes:
        kind: Kind of the guest.
        config: Its configuration without locks, snapshots and pending changes.
        text: The same as a file's text.
        disks: Slot, storage, format and bytes of each disk in it.
    """

    kind: Kind
    config: dict[str, str]
    text: str
    disks: tuple[tuple[str, str, str, int], ...]


def included(guest: Guest) -> list[Drive]:
    """Return the drives a backup takes along."""
    return [
        drive
        for drive in drives.drives(guest.kind, guest.config)
        if drive.storage is not None
        and not drive.is_cdrom
        and not drives.is_unused(drive.slot)
        and _wanted(guest, drive)
    ]


def _wanted(guest: Guest, drive: Drive) -> bool:
    if guest.kind == "lxc" and drive.slot != "rootfs":
        return drive.keys.get("backup") == "1"
    return drive.keys.get("backup") not in ("0", "no")


def take(cluster: SimulatedCluster, guest: Guest) -> Archive:
    """Take a picture of a guest."""
    disks: list[tuple[str, str, str, int]] = []
    for drive in included(guest):
        volume = cluster.volumes.find(guest.node, drive.volid)
        if volume is None:
            raise PveFault(500, f"volume '{drive.volid}' does not exist")
        disks.append((drive.slot, drive.storage or "", volume.format, volume.size))
    config = {name: text for name, text in guest.config.items() if name != "lock"}
    text = Guest(guest.vmid, guest.kind, guest.node, dict(config)).text()
    if guest.kind == "qemu":
        text += "".join(
            f"#qmdump#map:{slot}:drive-{slot}:{storage}:{form}:\n"
            for slot, storage, form, _ in disks
        )
    return Archive(guest.kind, config, text, tuple(disks))


def name_of(guest: Guest, now: float, compress: str) -> str:
    """Name a new archive."""
    stamp = time.strftime("%Y_%m_%d-%H_%M_%S", time.gmtime(now))
    extension = ("vma" if guest.kind == "qemu" else "tar") + _ENDINGS.get(compress, "")
    return f"vzdump-{guest.kind}-{guest.vmid}-{stamp}.{extension}"


def archive_of(cluster: SimulatedCluster, node: str, volid: str) -> tuple[Volume, Archive | None]:
    """Find a backup; its content is None if the simulator did not make it.

    Raises:
        PveFault: Status 500: it does not exist.
    """
    cluster.volumes.storage(volid.partition(":")[0])
    volume = cluster.volumes.find(node, volid)
    if volume is None:
        raise PveFault(500, f"volume '{volid}' does not exist")
    return volume, volume.payload if isinstance(volume.payload, Archive) else None
