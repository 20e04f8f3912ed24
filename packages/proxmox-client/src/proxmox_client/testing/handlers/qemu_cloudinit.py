"""Cloud-init documents of machines and their drive."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.guests import cloudinit, cloudinit_drive
from proxmox_client.testing.guestwork import finding
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import Call
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_PATH = "/nodes/{node}/qemu/{vmid}/cloudinit"


@handles("GET", _PATH)
def pending(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the options the drive carries, and what it does not carry yet."""
    guest = finding.called(cluster, call, "qemu")
    return cloudinit_drive.rows(guest.config, guest.cloudinit)


@handles("PUT", _PATH)
def regenerate(cluster: SimulatedCluster, call: Call) -> Generator[float, None, None]:
    """Write the drive anew; without one nothing happens."""
    guest = finding.called(cluster, call, "qemu")
    yield from cluster.locks.guest(guest)
    try:
        check_lock(guest)
        if cloudinit_drive.slot(guest.config) is not None:
            yield 0.1
            guest.cloudinit.clear()
    finally:
        cluster.locks.release_guest(guest)


@handles("GET", f"{_PATH}/dump")
def dump(cluster: SimulatedCluster, call: Call) -> str:
    """Return one of the generated documents."""
    guest = finding.called(cluster, call, "qemu")
    return cloudinit.dump(guest.merged(), guest.vmid, call["type"])
