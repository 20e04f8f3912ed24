"""Make a large cluster with the variety of a real one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import attrs

from proxmox_client.testing.state import Pool

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ROLES = ("web", "db", "cache", "queue", "build", "mail", "proxy", "batch", "log", "auth")
_STAGES = ("prod", "stage", "test", "dev")
_MEMORY = (512, 1024, 2048, 2048, 4096, 8192, 16384)
_DISKS = (4, 8, 16, 32, 32, 64, 100)
_FIRST = 100


@attrs.frozen
class _Plan:
    """What one guest is to be."""

    kind: str
    node: str
    vmid: int
    status: str
    config: dict[str, object]


def populate(cluster: SimulatedCluster, guests: int, seed: int) -> None:
    """Fill a cluster with machines, containers and pools; the same for one seed."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    nodes = list(cluster.nodes)
    for stage in _STAGES:
        cluster.pools[stage] = Pool(stage, f"all of {stage}")
    for number in range(guests):
        plan = _plan(chance, nodes[number % len(nodes)], _FIRST + number)
        add = cluster.add_vm if plan.kind == "qemu" else cluster.add_container
        add(plan.node, plan.vmid, plan.config, status=plan.status)
        if chance.random() < 0.6:
            cluster.pools[chance.choice(_STAGES)].guests.add(plan.vmid)


def _plan(chance: random.Random, node: str, vmid: int) -> _Plan:
    kind = "lxc" if chance.random() < 0.3 else "qemu"
    name = f"{chance.choice(_ROLES)}-{chance.choice(_STAGES)}-{vmid}"
    config: dict[str, object] = {
        "memory": chance.choice(_MEMORY),
        "cores": chance.choice((1, 1, 2, 2, 4, 8)),
        "onboot": int(chance.random() < 0.5),
        "tags": ";".join(sorted({chance.choice(_ROLES), chance.choice(_STAGES)})),
    }
    disk = f"local-lvm:{chance.choice(_DISKS)}"
    tag = f",tag={chance.randrange(10, 200)}" if chance.random() < 0.4 else ""
    if kind == "lxc":
        config |= {
            "hostname": name,
            "rootfs": disk,
            "net0": f"name=eth0,bridge=vmbr0,ip=dhcp{tag}",
            "unprivileged": 1,
        }
    else:
        config |= {
            "name": name,
            "scsi0": disk,
            "scsihw": "virtio-scsi-single",
            "net0": f"virtio,bridge=vmbr0{tag}",
            "ostype": "l26",
            "agent": chance.choice(("0", "1")),
        }
        if chance.random() < 0.2:
            config["scsi1"] = f"local-lvm:{chance.choice(_DISKS)}"
    if chance.random() < 0.3:
        config["description"] = f"{name}, asked for by team {chance.randrange(1, 30)}"
    status = "running" if chance.random() < 0.7 else "stopped"
    return _Plan(kind, node, vmid, status, config)
