"""The simulated cluster of the demo: three nodes, one template, and guests that are not ours."""

from __future__ import annotations

from typing import Any

from proxmox_client.testing import SimulatedCluster

NODES = ("pve1", "pve2", "pve3")
TEMPLATE = 9000
SOMEBODY = "alice@pve"
CONTAINER_TEMPLATE = "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst"
GIB = 1024**3


def make_cluster(start: float) -> SimulatedCluster:
    """Return the cluster as it is before pmpc comes.

    Args:
        start: Its time at the beginning, seconds since the epoch.
    """
    cluster = SimulatedCluster(nodes=NODES, version="9.2", seed=13, start=start)
    cluster.add_vm(
        "pve1",
        TEMPLATE,
        {
            "name": "debian-13",
            "cores": 1,
            "memory": 1024,
            "ostype": "l26",
            "scsihw": "virtio-scsi-single",
            "scsi0": "shared:9000/base-9000-disk-0.qcow2,size=16G",
            "net0": "virtio,bridge=vmbr0",
            "boot": "order=scsi0",
            "agent": "1",
        },
        template=True,
    )
    for node in NODES:
        cluster.add_volume("local", CONTAINER_TEMPLATE, 123_000_000, node=node)
    cluster.call("POST", "/access/users", {"userid": SOMEBODY, "comment": "works in the UI"})
    rights = {"path": "/vms", "users": SOMEBODY, "roles": "PVEVMAdmin"}
    cluster.call("PUT", "/access/acl", rights)
    _add_others(cluster)
    return cluster


def _add_others(cluster: SimulatedCluster) -> None:
    """Add guests of other people: seen by sync, never touched."""
    cluster.add_vm(
        "pve1",
        100,
        {"name": "mail", "cores": 2, "memory": 4096, "scsi0": "local-lvm:40", "onboot": 1},
        status="running",
    )
    cluster.add_vm(
        "pve3",
        101,
        {"name": "build", "cores": 8, "memory": 16384, "scsi0": "local-lvm:80"},
        status="stopped",
    )
    cluster.add_container(
        "pve2",
        102,
        {"hostname": "dns", "cores": 1, "memory": 256, "rootfs": "local-lvm:2"},
        status="running",
    )


def edit_behind_our_back(cluster: SimulatedCluster, vmid: int, options: dict[str, Any]) -> str:
    """Let somebody change a VM, as the PVE UI does for changes it runs as a task.

    Returns:
        The task it left behind.
    """
    guest = cluster.guests[vmid]
    with cluster.clock.lock:
        upid: str = cluster.call(
            "POST", f"/nodes/{guest.node}/qemu/{vmid}/config", options, user=SOMEBODY
        )
    return upid
