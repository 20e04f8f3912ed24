"""Changing the options of an existing guest, in the order PVE does it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from proxmox_client.testing.guests import changes, drives, hotplug, identity, nics, options
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import disks
from proxmox_client.testing.guestwork.disks import Log
from proxmox_client.testing.guestwork.storage_turns import turns
from proxmox_client.testing.request import Call, PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


@attrs.frozen
class Wanted:
    """What an update asks for.

    Attributes:
        values: Options to set, as text.
        delete: Options to remove.
        revert: Options whose pending change is to be dropped.
        force: Removed disks go for good.
    """

    values: dict[str, str]
    delete: tuple[str, ...] = ()
    revert: tuple[str, ...] = ()
    force: bool = False

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing."""
        return not (self.values or self.delete or self.revert)


def config_values(kind: options.Kind, call: Call) -> dict[str, str]:
    """Return the options a call sets, as text."""
    values = options.config_params(kind, call.sent)
    if "cdrom" in call:
        values["ide2"] = call.sent["cdrom"]
    return values


def read(kind: options.Kind, call: Call) -> Wanted:
    """Read an update from a call.

    Raises:
        PveFault: Unknown options in ``delete`` or ``revert``, or contradictions.
    """
    values = config_values(kind, call)
    delete = tuple(options.split_list(call.sent.get("delete")))
    delete = tuple("ide2" if name == "cdrom" else name for name in delete)
    revert = tuple(options.split_list(call.sent.get("revert")))
    for flag, names in (("revert", revert), ("delete", delete)):
        for name in names:
            if not options.option_exists(kind, name):
                raise PveFault.parameters({flag: f"unknown option '{name}'"})
            if name in values:
                raise PveFault.parameters(
                    {"delete": f"you can't use '-{name}' and -{flag} {name}' at the same time"}
                )
    for name in delete:
        if name in revert:
            raise PveFault.parameters(
                {"revert": f"you can't use '-delete {name}' and -revert {name}' at the same time"}
            )
    return Wanted(values, delete, revert, bool(call.get("force")))


def normalise(cluster: SimulatedCluster, guest: Guest, values: dict[str, str]) -> dict[str, str]:
    """Write values the way PVE stores them."""
    return {name: _normalised(cluster, guest, name, text) for name, text in values.items()}


def _normalised(cluster: SimulatedCluster, guest: Guest, name: str, text: str) -> str:
    if name == "tags":
        return options.normalise_tags(text)
    if name == "description":
        return options.normalise_description(guest.kind, text)
    if name.startswith("net") and name[3:].isdigit():
        if guest.kind == "qemu":
            return nics.normalise_net(text, cluster.random)
        return nics.normalise_veth(text, cluster.random)
    if name == "cipassword":
        return identity.hash_password(text, cluster.random)
    if name == "vmgenid" and text == "1":
        return identity.random_uuid(cluster.random)
    return text


def update_machine(
    cluster: SimulatedCluster, guest: Guest, wanted: Wanted, log: Log
) -> Iterator[float]:
    """Change a machine's options; what it cannot take while running becomes pending.

    Raises:
        PveFault: A disk cannot be made, or a device cannot be plugged (400 with texts).
    """
    yield from turns(cluster, "qemu", guest.node, wanted.values)
    touched = set(wanted.values) | set(wanted.delete) | set(wanted.revert)
    for name in wanted.revert:
        guest.pending.pop(name, None)
        guest.pending_delete.pop(name, None)
    boots = drives.boot_devices(guest.config.get("boot"))
    for name in wanted.delete:
        if name in boots:
            boots.remove(name)
            guest.want("boot", drives.boot_text(boots))
            touched.add("boot")
        _delete(cluster, guest, name, wanted.force, log)
    for name, text in normalise(cluster, guest, wanted.values).items():
        if guest.pending.get(name) == text:
            continue
        if drives.is_drive(name):
            text = _drive(cluster, guest, name, text, log)
            if drives.parse_drive(name, text).is_medium and boots and name not in boots:
                boots.append(name)
                guest.want("boot", drives.boot_text(boots))
                touched.add("boot")
        if name == "boot":
            _check_boot(guest, text, wanted)
        if name == "cipassword":
            guest.config[name] = text
            continue
        guest.want(name, text)
    yield from _apply(cluster, guest, frozenset(touched), log)


def _delete(cluster: SimulatedCluster, guest: Guest, name: str, force: bool, log: Log) -> None:
    value = guest.config.get(name, guest.pending.get(name))
    if value is None:
        log(f"cannot delete '{name}' - not set in current configuration!")
        return
    if drives.is_unused(name):
        volid = drives.parse_drive(name, value).volid
        _check_disk_protection(guest, f"can't remove unused disk '{volid}'")
        if drives.owned(guest.vmid, drives.parse_drive(name, value)):
            if changes.refers(guest, volid, outside=name):
                raise PveFault(
                    500, f"unable to delete '{volid}' - volume is still in use (snapshot?)"
                )
            disks.free(cluster, guest.node, volid)
        del guest.config[name]
        return
    if drives.is_drive(name):
        _check_disk_protection(guest, f"can't remove drive '{name}'")
        if name in guest.pending:
            _drop_pending_disk(cluster, guest, name)
    if name == "tags":
        guest.config.pop("tags", None)
        return
    guest.want_deleted(name, force=force)


def _check_disk_protection(guest: Guest, sentence: str) -> None:
    if guest.config.get("protection") == "1":
        raise PveFault(500, f"{sentence} - protection mode enabled")


def _drop_pending_disk(cluster: SimulatedCluster, guest: Guest, name: str) -> None:
    effects = changes.Effects()
    changes.detach(guest, drives.parse_drive(name, guest.pending.pop(name)), effects)
    for volid in effects.freed:
        disks.free(cluster, guest.node, volid)


def _drive(cluster: SimulatedCluster, guest: Guest, name: str, text: str, log: Log) -> str:
    if name in guest.pending:
        _drop_pending_disk(cluster, guest, name)
    drive = drives.parse_drive(name, text)
    if drive.volid.endswith(":cloudinit"):
        for other in drives.drives("qemu", guest.merged()):
            if other.is_cloudinit:
                raise PveFault(
                    500, f"{name} - cloud-init drive is already attached at '{other.slot}'"
                )
    made, _ = disks.create(cluster, guest.node, guest.vmid, drive, log)
    return made.text()


def _check_boot(guest: Guest, text: str, wanted: Wanted) -> None:
    for device in drives.boot_devices(text):
        known = device in guest.config or device in guest.pending or device in wanted.values
        if not known or device in wanted.delete:
            raise PveFault(500, f"invalid bootorder: device '{device}' does not exist'")


def _apply(
    cluster: SimulatedCluster, guest: Guest, touched: frozenset[str], log: Log
) -> Iterator[float]:
    new_cloudinit = any(
        drives.parse_drive(name, guest.pending[name]).is_cloudinit
        for name in guest.pending
        if guest.kind == "qemu" and drives.is_drive(name)
    )
    features = hotplug.features(guest.config)
    effects = changes.apply(guest, touched)
    if new_cloudinit or (guest.cloudinit and "cloudinit" in features):
        log("generating cloud-init ISO")
        guest.cloudinit.clear()
    for name in ("description", "boot", "tags"):
        if guest.config.get(name) == "":
            del guest.config[name]
    if effects.waits:
        yield effects.waits
    for volid in effects.freed:
        disks.free(cluster, guest.node, volid)
    if effects.errors:
        raise PveFault.parameters(effects.errors)


def update_container(
    cluster: SimulatedCluster, guest: Guest, wanted: Wanted, log: Log
) -> Iterator[float]:
    """Change a container's options; volumes of new mount points are made at once.

    Raises:
        PveFault: An option may not be changed, or a volume cannot be made.
    """
    yield from turns(cluster, "lxc", guest.node, wanted.values)
    for name in wanted.revert:
        guest.pending.pop(name, None)
        guest.pending_delete.pop(name, None)
    for name in wanted.delete:
        if name in ("memory", "rootfs", "ostype"):
            raise PveFault(500, f"unable to delete required option '{name}'")
        if name == "unprivileged":
            raise PveFault(500, f"unable to delete read-only option: '{name}'")
        if name not in guest.config and name not in guest.pending:
            continue
        if drives.holds_volume("lxc", name):
            _check_disk_protection(guest, f"can't remove CT {guest.vmid} drive '{name}'")
        guest.want_deleted(name, force=False)
    for name, text in sorted(normalise(cluster, guest, wanted.values).items()):
        if name == "unprivileged":
            raise PveFault(500, f"unable to modify read-only option: '{name}'")
        if drives.is_mount(name):
            _check_disk_protection(guest, f"can't update CT {guest.vmid} drive '{name}'")
            waits = guest.running and name in guest.config
            text = text if waits else mount(cluster, guest, name, text, log)
        guest.want(name, text)
    yield from _apply(cluster, guest, frozenset((*wanted.values, *wanted.delete)), log)


def mount(cluster: SimulatedCluster, guest: Guest, name: str, text: str, log: Log) -> str:
    """Make the volume a mount point asks for and return the option as it is stored."""
    drive = drives.parse_drive(name, text)
    if (size := drive.new_size) is not None:
        made = disks.create_filesystem(
            cluster, guest.node, drive.storage or "", guest.vmid, size, log
        )
        return drive.with_volume(made.volid, size=disks.size_text(made)).text()
    if drive.storage is None:
        return drive.text()
    found = cluster.volumes.find(guest.node, drive.volid)
    if found is None:
        raise PveFault(500, f"volume '{drive.volid}' does not exist")
    return drive.with_volume(found.volid, size=disks.size_text(found)).text()
