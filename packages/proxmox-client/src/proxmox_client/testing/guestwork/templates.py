"""Turning guests into templates: their disks become base images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxmox_client.testing.guests import drives
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import disks
from proxmox_client.testing.request import PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


def check_machine(guest: Guest, disk: str | None) -> None:
    """Refuse to make a template of a machine that cannot be one.

    Raises:
        PveFault: Status 500.
    """
    if guest.snapshots:
        raise PveFault(500, "unable to create template, because VM contains snapshots")
    if guest.template and disk is None:
        raise PveFault(500, "you can't convert a template to a template")
    if guest.running:
        raise PveFault(500, "you can't convert a VM to template if VM is running")
    if disk is not None and disk not in guest.config:
        raise PveFault(500, f"disk '{disk}' does not exist")


def check_container(guest: Guest) -> None:
    """Refuse to make a template of a container that cannot be one.

    Raises:
        PveFault: Status 500.
    """
    if guest.snapshots:
        raise PveFault(500, "unable to create template, because CT contains snapshots")
    if guest.template:
        raise PveFault(500, "you can't convert a template to a template")
    if guest.running:
        raise PveFault(500, "you can't convert a CT to template if the CT is running")


def make_base(cluster: SimulatedCluster, guest: Guest, disk: str | None = None) -> None:
    """Mark a guest as a template and rename its own disks to base images."""
    guest.config["template"] = "1"
    for drive in list(drives.drives(guest.kind, guest.config)):
        if disk is not None and drive.slot != disk:
            continue
        volume = cluster.volumes.find(guest.node, drive.volid)
        mine = drives.owned(guest.vmid, drive) and not drive.is_cdrom
        if volume is None or not mine or "base-" in drive.volid.rpartition("/")[2]:
            continue
        renamed = disks.rename(cluster, volume, f"vm-{guest.vmid}-", f"base-{guest.vmid}-")
        guest.config[drive.slot] = drive.with_volume(renamed.volid).text()
