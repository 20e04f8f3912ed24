"""A simulated cluster with machines to try things on, shared by the tests of simulated guests."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.guestwork.placing import place
from proxmox_client.testing.request import PveFault

NODE = "/nodes/pve1"
VM = f"{NODE}/qemu/100"


def with_machines() -> SimulatedCluster:
    """A cluster with a machine 100 that runs an operating system and a template 900."""
    made = SimulatedCluster()
    disk = {"scsi0": "local:4,format=qcow2", "net0": "virtio,bridge=vmbr0", "memory": "512"}
    place(made, "qemu", "pve1", 100, {"name": "web", **disk})
    place(made, "qemu", "pve1", 900, {"name": "debian", **disk}, template=True)
    return made


def run(cluster: SimulatedCluster, method: str, path: str, **params: object) -> tuple[str, str]:
    """Start a task, let it finish, return its exit status and log."""
    upid = cluster.call(method, path, params)
    cluster.clock.advance(120)
    task = cluster.tasks.get(upid)
    assert task.exitstatus is not None
    return task.exitstatus, "\n".join(task.lines)


def refused(cluster: SimulatedCluster, method: str, path: str, **params: object) -> PveFault:
    """Do something that has to be refused at once."""
    with pytest.raises(PveFault) as caught:
        cluster.call(method, path, params)
    return caught.value


def config(cluster: SimulatedCluster, vmid: int = 100, **params: object) -> dict[str, Any]:
    """Read a machine's configuration."""
    found: dict[str, Any] = cluster.call("GET", f"{NODE}/qemu/{vmid}/config", params)
    return found


def volids(cluster: SimulatedCluster) -> set[str]:
    """All volumes there are."""
    return {volume.volid for volume in cluster.volumes}
