"""Making and removing containers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.backups.restore import restore
from proxmox_client.testing.guests import drives, nics, options
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import disks, finding, power, privileges, removal, updating
from proxmox_client.testing.guestwork.storage_checks import (
    check_container_volumes,
    check_volume_access,
)
from proxmox_client.testing.guestwork.storage_turns import turns
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskInterrupted, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_DISTRIBUTIONS = (
    "alpine", "archlinux", "centos", "debian", "devuan", "fedora", "gentoo", "nixos", "opensuse",
    "ubuntu",
)  # fmt: skip
_DEFAULT_ROOT = "4"


@handles("POST", "/nodes/{node}/lxc")
def create(cluster: SimulatedCluster, call: Call) -> str:
    """Make a new container from a template."""
    vmid: int = call["vmid"]
    pool: str | None = call.get("pool")
    finding.check_pool(cluster, pool)
    privileges.require_allocate(cluster, call.identity, vmid, pool)
    values = options.config_params("lxc", call.sent)
    privileges.check_options(cluster, call.identity, "lxc", vmid, values, pool=pool)
    if call.get("restore"):
        given = {name: text for name, text in values.items() if not drives.is_mount(name)}
        return restore(cluster, call, "lxc", call["ostemplate"], given)
    if "unprivileged" in call and not call.get("unprivileged") and not call.identity.is_root:
        privileges.require_guest(cluster, call.identity, vmid, ["VM.Allocate"], pool=pool)
    template: str = call["ostemplate"]
    _check_template(cluster, call, template)
    values.setdefault("rootfs", f"{call.get('storage', 'local')}:{_DEFAULT_ROOT}")
    check_container_volumes(cluster, call, values)
    if (sentence := finding.taken(cluster, vmid)) is not None:
        raise PveFault(500, sentence)
    guest = Guest(vmid, "lxc", call.node, {"lock": "create"}, born=cluster.clock.now())
    cluster.guests[vmid] = guest

    def work(task: TaskRecord) -> Iterator[float]:
        yield from _create(cluster, guest, values, template, task)
        finding.join_pool(cluster, pool, vmid)
        if call.get("start"):
            yield from power.start(cluster, lambda: guest, task)

    return cluster.tasks.start(call.node, "vzcreate", work, id=vmid, user=call.identity.authid)


def _check_template(cluster: SimulatedCluster, call: Call, template: str) -> None:
    if ":" not in template:
        raise PveFault(
            500,
            "Only root can pass arbitrary filesystem paths."
            " at /usr/share/perl5/PVE/Storage.pm line 651.",
        )
    check_volume_access(cluster, call.identity, call["vmid"], template)


def _create(
    cluster: SimulatedCluster,
    guest: Guest,
    values: dict[str, str],
    template: str,
    task: TaskRecord,
) -> Iterator[float]:
    config: dict[str, str] = {}
    try:
        yield 0.1
        yield from turns(cluster, "lxc", guest.node, values)
        for name, text in sorted(values.items()):
            config[name] = _stored(cluster, guest, name, text, task)
            yield 0.1 if drives.is_mount(name) else 0.0
        _unpack(cluster, guest, template, task)
        yield 0.6
    except (PveFault, TaskInterrupted) as error:
        for drive in drives.drives("lxc", config):
            if drives.owned(guest.vmid, drive):
                disks.free(cluster, guest.node, drive.volid)
        cluster.guests.pop(guest.vmid, None)
        sentence = error.message if isinstance(error, PveFault) else "interrupted by signal"
        raise TaskFailed(f"unable to create CT {guest.vmid} - {sentence}") from None
    for name, text in _defaults(guest, template).items():
        config.setdefault(name, text)
    guest.formatted = drives.boot_size("lxc", config)
    guest.config = {name: text for name, text in config.items() if text != ""}


def _defaults(guest: Guest, template: str) -> dict[str, str]:
    return {
        "arch": "amd64",
        "hostname": f"CT{guest.vmid}",
        "memory": "512",
        "swap": "512",
        "ostype": distribution(template),
    }


def distribution(template: str) -> str:
    """Tell the distribution from a template's name, as the simulator cannot look inside."""
    name = re.split(r"[/:]", template)[-1]
    return next((word for word in _DISTRIBUTIONS if name.startswith(word)), "unmanaged")


def _stored(cluster: SimulatedCluster, guest: Guest, name: str, text: str, task: TaskRecord) -> str:
    if drives.is_mount(name):
        return updating.mount(cluster, guest, name, text, task.log)
    if name.startswith("net") and name[3:].isdigit():
        return nics.normalise_veth(text, cluster.random)
    if name == "tags":
        return options.normalise_tags(text)
    if name == "description":
        return options.normalise_description("lxc", text)
    return text


def _unpack(cluster: SimulatedCluster, guest: Guest, template: str, task: TaskRecord) -> None:
    volume = cluster.volumes.find(guest.node, template)
    if volume is None:
        task.log(f"volume '{template}' does not exist")
        raise PveFault(500, f"volume '{template}' does not exist")
    task.log(f"extracting archive '{cluster.volumes.path(template)}'")
    task.log(f"Total bytes read: {volume.size} ({volume.size / 1024**2:.1f}MiB, 100MiB/s)")
    task.log("Detected container architecture: amd64")


@handles("DELETE", "/nodes/{node}/lxc/{vmid}")
def destroy(cluster: SimulatedCluster, call: Call) -> str:
    """Remove a container and its volumes."""
    guest = finding.called(cluster, call, "lxc")
    removal.check_protection(guest)
    force = bool(call.get("force"))
    if guest.running and not force:
        raise PveFault(500, f"unable to destroy CT {guest.vmid} - container is running")

    def work(task: TaskRecord) -> Iterator[float]:
        return removal.destroy(
            cluster,
            call.node,
            "lxc",
            guest.vmid,
            task,
            unreferenced=bool(call.get("destroy-unreferenced-disks")),
            purge=bool(call.get("purge")),
            force=force,
        )

    return cluster.tasks.start(
        call.node,
        "vzdestroy",
        work,
        id=guest.vmid,
        user=call.identity.authid,
        delay=finding.TASK_DELAY,
    )
