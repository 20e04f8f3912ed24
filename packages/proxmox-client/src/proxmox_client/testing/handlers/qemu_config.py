"""Changing the options of a machine."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.clusterlog import note
from proxmox_client.testing.digest import GUEST_MESSAGE, check_digest
from proxmox_client.testing.guests import drives
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import finding, privileges, updating
from proxmox_client.testing.guestwork.storage_checks import check_hookscript, check_machine_drives
from proxmox_client.testing.guestwork.updating import Wanted
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_PATH = "/nodes/{node}/qemu/{vmid}/config"
_NOT_LOGGED = frozenset(("node", "vmid", "digest", "background_delay", "import-working-storage"))


@handles("PUT", _PATH)
def update(cluster: SimulatedCluster, call: Call) -> Generator[float, None, None]:
    """Change options at once."""
    wanted = _wanted(cluster, call)
    guest = _checked(cluster, call)
    yield from cluster.locks.guest(guest)
    try:
        guest = _checked(cluster, call)
        text = f"update VM {guest.vmid}: {summary(call)}"
        note(cluster, call.node, call.identity.authid, text)
        yield from updating.update_machine(cluster, guest, wanted, _silent)
    finally:
        cluster.locks.release_guest(guest)


@handles("POST", _PATH)
def update_in_task(cluster: SimulatedCluster, call: Call) -> str:
    """Change options in a task."""
    wanted = _wanted(cluster, call)
    guest = _checked(cluster, call)
    line = f"update VM {guest.vmid}: {summary(call)}"

    def work(task: TaskRecord) -> Iterator[float]:
        yield from cluster.locks.guest(guest, task=task)
        try:
            now = _checked(cluster, call)
            task.log(line)
            note(cluster, call.node, call.identity.authid, line)
            yield 0.05
            yield from updating.update_machine(cluster, now, wanted, task.log)
        finally:
            cluster.locks.release_guest(guest)

    return cluster.tasks.start(
        call.node, "qmconfig", work, id=guest.vmid, user=call.identity.authid
    )


def _wanted(cluster: SimulatedCluster, call: Call) -> Wanted:
    if call.get("skiplock") and not call.identity.is_root:
        raise PveFault.parameters({"skiplock": "Only root may use this option."})
    values = updating.config_values("qemu", call)
    if not (values or call.get("delete") or call.get("revert")):
        raise PveFault(500, "no options specified")
    wanted = updating.read("qemu", call)
    vmid: int = call["vmid"]
    check_hookscript(cluster, call, values)
    names = [*wanted.delete, *wanted.values]
    plain = [name for name in names if not drives.is_drive(name)]
    privileges.check_options(cluster, call.identity, "qemu", vmid, plain)
    _check_present_drives(cluster, call, names)
    privileges.check_devices(call.identity, values)
    check_machine_drives(cluster, call, vmid, values)
    return wanted


def _check_present_drives(cluster: SimulatedCluster, call: Call, names: list[str]) -> None:
    """Ask for the privilege that the drives a change replaces or removes are worth."""
    config = finding.called(cluster, call, "qemu").merged()
    for name in names:
        if drives.is_drive(name) and name in config:
            drive = drives.parse_drive(name, config[name])
            privilege = "VM.Config.CDROM" if drive.is_medium else "VM.Config.Disk"
            privileges.require_guest(cluster, call.identity, call["vmid"], [privilege])


def _checked(cluster: SimulatedCluster, call: Call) -> Guest:
    guest = finding.called(cluster, call, "qemu")
    check_digest(call.sent.get("digest"), guest.digest, message=GUEST_MESSAGE)
    if not call.get("skiplock"):
        check_lock(guest)
    _check_balloon(guest, call)
    return guest


def _check_balloon(guest: Guest, call: Call) -> None:
    if "memory" not in call and "balloon" not in call:
        return
    merged = guest.merged()
    memory = call.sent.get("memory") or merged.get("memory", "512")
    balloon = call.sent.get("balloon", merged.get("balloon", "0"))
    if int(balloon) > int(memory.removeprefix("current=").split(",")[0]):
        raise PveFault(500, "balloon value too large (must be smaller than assigned memory)")


def summary(call: Call) -> str:
    """Write a change as PVE's log does, as options of a command."""
    words = [
        f"-{name} {'<hidden>' if name == 'cipassword' else text}"
        for name, text in sorted(call.sent.items())
        if name not in _NOT_LOGGED
    ]
    return " ".join(words)


def _silent(line: str) -> None:
    """Take a line that only a task would show."""
