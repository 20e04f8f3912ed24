"""Which privilege changing an option of a guest takes, and what only root may do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from proxmox_client.testing.auth import Identity
from proxmox_client.testing.guests.drives import is_drive, is_mount
from proxmox_client.testing.permissions import denied
from proxmox_client.testing.request import PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_QEMU = {
    "VM.Config.CPU": "cores cpu runningcpu cpulimit cpuunits numa smp sockets vcpus affinity",
    "VM.Config.Memory": "memory balloon shares allow-ksm",
    "VM.Config.HWType": "acpi hotplug kvm machine scsihw smbios1 tablet vga watchdog audio0 rng0",
    "VM.Config.Options": "agent autostart bios description keyboard localtime migrate_downtime"
    " migrate_speed name onboot ostype protection reboot startdate startup tdf template tags"
    " vmgenid",
    "VM.PowerMgmt": "freeze",
    "VM.Config.Disk": "boot bootdisk vmstatestorage",
    "VM.Config.Cloudinit": "cicustom cipassword citype ciuser ciupgrade nameserver searchdomain"
    " sshkeys",
}
_INSTEAD = {"VM.Config.Cloudinit": ["VM.Config.Cloudinit", "VM.Config.Network"]}
"""Privileges that another one can stand in for."""
_LXC = {
    "VM.Config.CPU": "cores cpulimit cpuunits",
    "VM.Config.Memory": "memory swap",
    "VM.Config.Network": "nameserver searchdomain hostname",
    "VM.Config.Disk": "rootfs",
}
_QEMU_FAMILIES = (
    (re.compile(r"numa\d+"), "VM.Config.CPU"),
    (re.compile(r"net\d+"), "VM.Config.Network"),
    (re.compile(r"ipconfig\d+"), "VM.Config.Cloudinit"),
    (re.compile(r"unused\d+"), "VM.Config.Disk"),
    (re.compile(r"(serial|usb|hostpci|virtiofs|parallel)\d+"), "VM.Config.HWType"),
)
_LXC_FAMILIES = (
    (re.compile(r"net\d+"), "VM.Config.Network"),
    (re.compile(r"(mp|unused)\d+"), "VM.Config.Disk"),
)
_BY_OPTION = {
    kind: {name: privilege for privilege, names in table.items() for name in names.split()}
    for kind, table in (("qemu", _QEMU), ("lxc", _LXC))
}


def needed(kind: str, option: str) -> str | None:
    """Return the privilege for an option; None where only root may set it."""
    table = _BY_OPTION[kind]
    if option in table:
        return table[option]
    if is_drive(option) if kind == "qemu" else is_mount(option):
        return "VM.Config.Disk"
    for pattern, privilege in _QEMU_FAMILIES if kind == "qemu" else _LXC_FAMILIES:
        if pattern.fullmatch(option):
            return privilege
    return None if kind == "qemu" else "VM.Config.Options"


def check_options(
    cluster: SimulatedCluster,
    identity: Identity,
    kind: str,
    vmid: int,
    options: Iterable[str],
    *,
    pool: str | None = None,
) -> None:
    """Refuse options the caller may not set.

    Raises:
        PveFault: Status 403, or 500 for what only root may set.
    """
    if identity.is_root:
        return
    for option in options:
        privilege = needed(kind, option)
        if privilege is None or (kind == "lxc" and option in ("lock", "hookscript")):
            raise PveFault(500, f"only root can set '{option}' config")
        wanted = _INSTEAD.get(privilege, [privilege])
        require_guest(cluster, identity, vmid, wanted, pool=pool, any_of=len(wanted) > 1)


def check_devices(identity: Identity, options: Mapping[str, str]) -> None:
    """Refuse real devices to everybody but root.

    Raises:
        PveFault: Status 500.
    """
    if identity.is_root:
        return
    for name, text in options.items():
        if re.fullmatch(r"serial\d+", name) and text != "socket":
            raise PveFault(500, f"only root can set '{name}' config for real devices")
        if re.fullmatch(r"usb\d+", name) and not re.search(r"(^|host=)spice|mapping=", text):
            raise PveFault(500, f"only root can set '{name}' config for real devices")
        if re.fullmatch(r"hostpci\d+", name) and "mapping=" not in text:
            raise PveFault(500, f"only root can set '{name}' config for non-mapped devices")


def require_guest(
    cluster: SimulatedCluster,
    identity: Identity,
    vmid: int,
    privileges: list[str],
    *,
    pool: str | None = None,
    any_of: bool = False,
) -> None:
    """Insist on privileges for a guest, all or any, granted on it or on the pool it goes to.

    Raises:
        PveFault: Status 403.
    """
    allows = cluster.access.allows
    if allows(identity, f"/vms/{vmid}", privileges, any_of=any_of):
        return
    if pool is not None and allows(identity, f"/pool/{pool}", privileges, any_of=any_of):
        return
    raise denied(f"/vms/{vmid}, {('|' if any_of else ', ').join(privileges)}")


def require_space(cluster: SimulatedCluster, identity: Identity, storage: str) -> None:
    """Insist on the right to allocate on a storage.

    Raises:
        PveFault: Status 403.
    """
    if not cluster.access.allows(identity, f"/storage/{storage}", ["Datastore.AllocateSpace"]):
        raise denied(f"/storage/{storage}, Datastore.AllocateSpace")


def require_allocate(
    cluster: SimulatedCluster, identity: Identity, vmid: int, pool: str | None
) -> None:
    """Insist on the right to make a guest of this number, or in this pool.

    Raises:
        PveFault: Status 403 without details, as PVE has it.
    """
    allows = cluster.access.allows
    if allows(identity, f"/vms/{vmid}", ["VM.Allocate"]):
        return
    if pool is not None and allows(identity, f"/pool/{pool}", ["VM.Allocate"]):
        return
    raise denied()
