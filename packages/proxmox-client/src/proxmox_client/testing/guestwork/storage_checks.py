"""Checks of the volumes a request names, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from proxmox_client.testing.auth import Identity
from proxmox_client.testing.guests import drives
from proxmox_client.testing.guests.drives import Drive
from proxmox_client.testing.guestwork import disks, privileges
from proxmox_client.testing.permissions import denied
from proxmox_client.testing.request import Call, PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


def check_machine_drives(
    cluster: SimulatedCluster, call: Call, vmid: int, values: Mapping[str, str]
) -> None:
    """Check every drive among a machine's options.

    Raises:
        PveFault: A storage is missing or unfit, a volume name is wrong or a stranger's.
    """
    for name in sorted(values):
        if drives.is_drive(name):
            _check_drive(cluster, call, vmid, drives.parse_drive(name, values[name]))


def _check_drive(cluster: SimulatedCluster, call: Call, vmid: int, drive: Drive) -> None:
    if drive.volid in ("none", "cdrom"):
        privileges.require_guest(
            cluster, call.identity, vmid, ["VM.Config.CDROM"], pool=call.get("pool")
        )
        return
    wanted = "VM.Config.CDROM" if drive.is_cdrom or drive.is_cloudinit else "VM.Config.Disk"
    privileges.require_guest(cluster, call.identity, vmid, [wanted], pool=call.get("pool"))
    if drive.storage is None:
        if not call.identity.is_root:
            raise PveFault(500, "Only root can pass arbitrary filesystem paths.")
        return
    storage = cluster.volumes.storage(drive.storage)
    if drive.new_size is not None or drive.volid.endswith(":cloudinit"):
        privileges.require_space(cluster, call.identity, storage.name)
        if "images" not in storage.content:
            raise PveFault.parameters(
                {"storage": f"storage '{storage.name}' does not support vm images"}
            )
        return
    check_volume_access(cluster, call.identity, vmid, drive.volid)


def check_volume_access(
    cluster: SimulatedCluster, identity: Identity, vmid: int, volid: str
) -> None:
    """Refuse a volume that cannot be read, or belongs to another guest.

    Raises:
        PveFault: Status 500 or 403.
    """
    storage = cluster.volumes.storage(volid.partition(":")[0])
    disks.check_volume_name(storage, volid)
    allows = cluster.access.allows
    path = f"/storage/{storage.name}"
    if allows(identity, path, ["Datastore.Allocate"]):
        return
    if drives.owned(vmid, Drive("", volid)):
        return
    if not allows(identity, path, ["Datastore.AllocateSpace", "Datastore.Audit"], any_of=True):
        raise denied(f"{path}, Datastore.AllocateSpace|Datastore.Audit")
    name = volid.partition(":")[2]
    if not name.startswith(("iso/", "vztmpl/", "import/")):
        raise denied(f"{path}, Datastore.Allocate")


def check_hookscript(cluster: SimulatedCluster, call: Call, values: Mapping[str, str]) -> None:
    """Refuse a hook script that cannot be run; the simulator's snippets never can.

    Raises:
        PveFault: Status 400 with the script's name.
    """
    volid = values.get("hookscript")
    if volid is None:
        return
    volume = cluster.volumes.find(call.node, volid)
    if volume is None:
        raise PveFault.parameters({"hookscript": f"script '{volid}' does not exist\n"})
    if not volume.extra.get("executable"):
        raise PveFault.parameters({"hookscript": f"script '{volid}' is not executable\n"})


def check_container_volumes(
    cluster: SimulatedCluster, call: Call, values: Mapping[str, str]
) -> None:
    """Check every volume among a container's options.

    Raises:
        PveFault: A storage is missing or unfit, a volume name is wrong or a stranger's.
    """
    for name in sorted(values):
        if not drives.is_mount(name):
            continue
        drive = drives.parse_drive(name, values[name])
        if drive.storage is None:
            if not call.identity.is_root:
                raise PveFault(500, "Only root can pass arbitrary filesystem paths.")
            continue
        storage = cluster.volumes.storage(drive.storage)
        if drive.new_size is None:
            check_volume_access(cluster, call.identity, call["vmid"], drive.volid)
            continue
        privileges.require_space(cluster, call.identity, storage.name)
        if "rootdir" not in storage.content:
            raise PveFault(
                500,
                f"storage '{storage.name}' does not allow content type 'rootdir' (Container)",
            )
