"""Changing the options of a container."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from proxmox_client.testing.clusterlog import note
from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import finding, privileges, updating
from proxmox_client.testing.guestwork.storage_checks import check_container_volumes
from proxmox_client.testing.handlers.qemu_config import summary
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


@handles("PUT", "/nodes/{node}/lxc/{vmid}/config")
def update(cluster: SimulatedCluster, call: Call) -> Generator[float, None, None]:
    """Change options at once."""
    wanted = updating.read("lxc", call)
    if wanted.empty:
        raise PveFault(500, "no options specified")
    vmid: int = call["vmid"]
    names = [*wanted.delete, *wanted.values]
    privileges.check_options(cluster, call.identity, "lxc", vmid, names)
    check_container_volumes(cluster, call, wanted.values)
    guest = _checked(cluster, call)
    yield from cluster.locks.guest(guest)
    try:
        guest = _checked(cluster, call)
        text = f"update CT {guest.vmid}: {summary(call)}"
        note(cluster, call.node, call.identity.authid, text)
        yield from updating.update_container(cluster, guest, wanted, _silent)
    finally:
        cluster.locks.release_guest(guest)


def _checked(cluster: SimulatedCluster, call: Call) -> Guest:
    guest = finding.called(cluster, call, "lxc")
    check_lock(guest)
    check_digest(call.sent.get("digest"), guest.digest)
    return guest


def _silent(line: str) -> None:
    """Take a line that only a task would show."""
