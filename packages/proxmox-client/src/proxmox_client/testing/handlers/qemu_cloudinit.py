"""Cloud-init documents of machines and their drive."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.guests import cloudinit, options
from proxmox_client.testing.guestwork import finding, power
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import Call
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_PATH = "/nodes/{node}/qemu/{vmid}/cloudinit"


@handles("GET", _PATH)
def pending(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the options the drive carries."""
    config = finding.called(cluster, call, "qemu").merged()
    return [
        {
            "key": name,
            "value": options.HIDDEN
            if name == "cipassword"
            else options.api_value("qemu", name, text),
        }
        for name, text in config.items()
        if name in cloudinit.KEYS
    ]


@handles("PUT", _PATH)
def regenerate(cluster: SimulatedCluster, call: Call) -> Generator[float, None, None]:
    """Write the drive anew; without one nothing happens."""
    guest = finding.called(cluster, call, "qemu")
    yield from cluster.locks.guest(guest)
    try:
        check_lock(guest)
        yield 0.0 if power.cloudinit_drive(guest) is None else 0.1
    finally:
        cluster.locks.release_guest(guest)


@handles("GET", f"{_PATH}/dump")
def dump(cluster: SimulatedCluster, call: Call) -> str:
    """Return one of the generated documents."""
    guest = finding.called(cluster, call, "qemu")
    return cloudinit.dump(guest.merged(), guest.vmid, call["type"])
