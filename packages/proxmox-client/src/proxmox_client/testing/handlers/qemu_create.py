"""Making and removing machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.backups.restore import restore
from proxmox_client.testing.guests import drives, identity, nics, options
from proxmox_client.testing.guests.drives import Drive
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import disks, finding, power, privileges, removal, updating
from proxmox_client.testing.guestwork.storage_checks import check_machine_drives
from proxmox_client.testing.guestwork.storage_turns import turns
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskInterrupted, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


@handles("POST", "/nodes/{node}/qemu")
def create(cluster: SimulatedCluster, call: Call) -> str:
    """Make a new machine."""
    vmid: int = call["vmid"]
    pool: str | None = call.get("pool")
    values = updating.config_values("qemu", call)
    finding.check_pool(cluster, pool)
    _check_allowed(cluster, call, values)
    if "archive" in call:
        given = {name: text for name, text in values.items() if not drives.is_drive(name)}
        return restore(cluster, call, "qemu", call["archive"], given)
    check_machine_drives(cluster, call, vmid, values)
    if (sentence := finding.taken(cluster, vmid)) is not None:
        raise PveFault(500, f"unable to create VM {vmid} - {sentence}")
    guest = Guest(vmid, "qemu", call.node, {"lock": "create"}, responsive=False)
    guest.born = cluster.clock.now()
    cluster.guests[vmid] = guest

    def work(task: TaskRecord) -> Iterator[float]:
        yield from _create(cluster, guest, values, task)
        finding.join_pool(cluster, pool, vmid)
        if call.get("start"):
            task.log("Execute autostart")
            try:
                yield from power.start(cluster, lambda: guest, task)
            except (PveFault, TaskFailed) as error:
                task.log(str(error))

    return cluster.tasks.start(call.node, "qmcreate", work, id=vmid, user=call.identity.authid)


def _check_allowed(cluster: SimulatedCluster, call: Call, values: dict[str, str]) -> None:
    vmid, pool = call["vmid"], call.get("pool")
    privileges.require_allocate(cluster, call.identity, vmid, pool)
    wanted = [name for name in values if not drives.is_drive(name)]
    privileges.check_options(cluster, call.identity, "qemu", vmid, wanted, pool=pool)
    privileges.check_devices(call.identity, values)


def _create(
    cluster: SimulatedCluster, guest: Guest, values: dict[str, str], task: TaskRecord
) -> Iterator[float]:
    made: list[str] = []
    try:
        yield 0.1
        yield from turns(cluster, "qemu", guest.node, values)
        config = _completed(cluster, guest, values, task, made)
        yield 0.1 + 0.1 * len(made)
    except (PveFault, TaskInterrupted) as error:
        for volid in made:
            disks.free(cluster, guest.node, volid)
        cluster.guests.pop(guest.vmid, None)
        sentence = error.message if isinstance(error, PveFault) else "interrupted by signal"
        raise TaskFailed(f"unable to create VM {guest.vmid} - {sentence}") from None
    guest.config = config


def _completed(
    cluster: SimulatedCluster,
    guest: Guest,
    values: dict[str, str],
    task: TaskRecord,
    made: list[str],
) -> dict[str, str]:
    config: dict[str, str] = {}
    for name, text in sorted(values.items()):
        config[name] = _stored(cluster, guest, name, text, task, made)
    chance = cluster.random
    config["meta"] = identity.meta(cluster.clock.now())
    config.setdefault("boot", drives.default_boot(config))
    config.setdefault("smbios1", f"uuid={identity.random_uuid(chance)}")
    if config.get("vmgenid", "1") == "1":
        config["vmgenid"] = identity.random_uuid(chance)
    return {name: text for name, text in config.items() if text != ""}


def _stored(
    cluster: SimulatedCluster,
    guest: Guest,
    name: str,
    text: str,
    task: TaskRecord,
    made: list[str],
) -> str:
    if drives.is_drive(name):
        drive, volume = _disk(cluster, guest, name, text, task)
        if volume is not None:
            made.append(volume)
        return drive.text()
    if name.startswith("net") and name[3:].isdigit():
        return nics.normalise_net(text, cluster.random)
    if name == "tags":
        return options.normalise_tags(text)
    if name == "description":
        return options.normalise_description("qemu", text)
    if name == "cipassword":
        return identity.hash_password(text, cluster.random)
    return text


def _disk(
    cluster: SimulatedCluster, guest: Guest, name: str, text: str, task: TaskRecord
) -> tuple[Drive, str | None]:
    wanted = drives.parse_drive(name, text)
    if "import-from" in wanted.keys:
        guest.responsive = True
    drive, volume = disks.create(cluster, guest.node, guest.vmid, wanted, task.log)
    return drive, None if volume is None else volume.volid


@handles("DELETE", "/nodes/{node}/qemu/{vmid}")
def destroy(cluster: SimulatedCluster, call: Call) -> str:
    """Remove a machine and its disks."""
    guest = finding.called(cluster, call, "qemu")
    removal.check_protection(guest)
    if guest.running:
        raise PveFault(500, f"VM {guest.vmid} is running - destroy failed")

    def work(task: TaskRecord) -> Iterator[float]:
        return removal.destroy(
            cluster,
            call.node,
            "qemu",
            guest.vmid,
            task,
            unreferenced=bool(call.get("destroy-unreferenced-disks")),
            purge=bool(call.get("purge")),
        )

    return cluster.tasks.start(
        call.node,
        "qmdestroy",
        work,
        id=guest.vmid,
        user=call.identity.authid,
        delay=finding.TASK_DELAY,
    )
