"""Putting a finished guest into the cluster as a test or demonstration wants it, without a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from proxmox_client.testing.guests import drives, identity, nics, options, sizes
from proxmox_client.testing.guests.drives import Drive
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.options import Kind
from proxmox_client.testing.guestwork import disks, power, templates
from proxmox_client.testing.state import Volume

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


def place(
    cluster: SimulatedCluster,
    kind: Kind,
    node: str,
    vmid: int,
    texts: Mapping[str, str],
    *,
    running: bool = False,
    template: bool = False,
) -> Guest:
    """Put a guest with its volumes on a node.

    Args:
        cluster: The cluster.
        kind: ``qemu`` or ``lxc``.
        node: Node it lives on.
        vmid: Its number; must be free.
        texts: Its options. Disks may be ``storage:GiB`` or ``storage:cloudinit`` (a volume is
            made), or name a volume, which is made with its ``size=`` if it does not exist.
        running: Whether it runs.
        template: Whether it is a template; its disks become base images.

    Raises:
        ValueError: An option does not exist.
        PveFault: A storage is missing.
    """
    config = {name: _stored(cluster, kind, node, vmid, name, text) for name, text in texts.items()}
    for name, text in _defaults(cluster, kind, vmid, config).items():
        config.setdefault(name, text)
    guest = Guest(vmid, kind, node, {name: text for name, text in config.items() if text != ""})
    guest.born = cluster.clock.now()
    cluster.guests[vmid] = guest
    if template or guest.template:
        templates.make_base(cluster, guest)
    if running:
        power.boot(cluster, guest)
    return guest


def _defaults(
    cluster: SimulatedCluster, kind: Kind, vmid: int, config: Mapping[str, str]
) -> dict[str, str]:
    if kind == "lxc":
        return {
            "arch": "amd64",
            "hostname": f"CT{vmid}",
            "memory": "512",
            "ostype": "unmanaged",
            "swap": "512",
        }
    return {
        "boot": drives.default_boot(config),
        "meta": identity.meta(cluster.clock.now()),
        "smbios1": f"uuid={identity.random_uuid(cluster.random)}",
        "vmgenid": identity.random_uuid(cluster.random),
    }


def _stored(
    cluster: SimulatedCluster, kind: Kind, node: str, vmid: int, name: str, text: str
) -> str:
    if not options.option_exists(kind, name):
        raise ValueError(f"cannot add guest {vmid}: PVE has no option {name!r}")
    if drives.holds_volume(kind, name):
        return _with_volume(cluster, kind, node, vmid, drives.parse_drive(name, text)).text()
    if name.startswith("net") and name[3:].isdigit():
        normalise = nics.normalise_net if kind == "qemu" else nics.normalise_veth
        return normalise(text, cluster.random)
    if name == "tags":
        return options.normalise_tags(text)
    if name == "description":
        return options.normalise_description(kind, text)
    return text


def _with_volume(
    cluster: SimulatedCluster, kind: Kind, node: str, vmid: int, drive: Drive
) -> Drive:
    if drive.storage is None:
        return drive
    if drive.new_size is not None and kind == "lxc":
        volume = disks.create_filesystem(
            cluster, node, drive.storage, vmid, drive.new_size, _silent
        )
        return drive.with_volume(volume.volid, size=disks.size_text(volume))
    if drive.new_size is None and not drive.volid.endswith(":cloudinit"):
        _make_named(cluster, kind, node, vmid, drive)
    made, _ = disks.create(cluster, node, vmid, drive, _silent)
    if drives.is_unused(drive.slot):
        made.keys.clear()
    return made


def _make_named(cluster: SimulatedCluster, kind: Kind, node: str, vmid: int, drive: Drive) -> None:
    """Make the volume a drive names, if it does not exist yet."""
    if cluster.volumes.find(node, drive.volid) is not None:
        return
    name = drive.volid.partition(":")[2]
    content = "iso" if name.startswith("iso/") else "images" if kind == "qemu" else "rootdir"
    extension = name.rpartition(".")[2]
    cluster.volumes.put(
        Volume(
            drive.volid,
            node,
            content,
            extension if extension in ("qcow2", "raw", "vmdk", "iso") else "raw",
            drive.size or sizes.GIB,
            cluster.clock.now(),
            used=None if content == "iso" else 0,
            vmid=vmid if drives.owned(vmid, drive) else None,
        )
    )


def _silent(line: str) -> None:
    """Take a line that only a task would show."""
