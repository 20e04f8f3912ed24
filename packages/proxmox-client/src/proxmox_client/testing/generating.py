"""Make a large cluster with the variety of a real one; the same for one seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import attrs

from proxmox_client.testing.state import AclEntry, Group, Pool, User

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.guests.guest import Guest

_ROLES = ("web", "db", "cache", "queue", "build", "mail", "proxy", "batch", "log", "auth")
_STAGES = ("prod", "stage", "test", "dev")
_MEMORY = (512, 1024, 2048, 2048, 4096, 8192, 16384)
_DISKS = (4, 8, 16, 32, 32, 64, 100)
_STORAGES = ("local-lvm", "local-lvm", "local-lvm", "shared", "local")
_ISO = "local:iso/debian-13-netinst.iso"
_FIRST = 100
_MANY = 20
_MEMBERS = 1000


@attrs.frozen
class _Plan:
    """What one guest is to be."""

    kind: str
    node: str
    vmid: int
    status: str
    template: bool
    config: dict[str, object]


def populate(cluster: SimulatedCluster, guests: int, seed: int) -> None:
    """Fill a cluster: guests of many kinds, pools, accounts with rights, a firewall, jobs."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    nodes = list(cluster.nodes)
    for stage in _STAGES:
        cluster.pools[stage] = Pool(stage, f"all of {stage}")
    for node in nodes:
        cluster.add_volume("local", _ISO, 800_000_000, node=node)
    for number in range(guests):
        plan = _plan(chance, nodes[number % len(nodes)], _FIRST + number)
        add = cluster.add_vm if plan.kind == "qemu" else cluster.add_container
        guest = add(plan.node, plan.vmid, plan.config, status=plan.status, template=plan.template)
        if chance.random() < 0.6:
            cluster.pools[chance.choice(_STAGES)].guests.add(plan.vmid)
        if chance.random() < 0.05:
            _leave_traces(cluster, guest, chance)
    _open_accounts(cluster, chance, max(2, guests // 100))
    _protect(cluster)


def _plan(chance: random.Random, node: str, vmid: int) -> _Plan:
    kind = "lxc" if chance.random() < 0.3 else "qemu"
    name = f"{chance.choice(_ROLES)}-{chance.choice(_STAGES)}-{vmid}"
    config: dict[str, object] = {
        "memory": chance.choice(_MEMORY),
        "cores": chance.choice((1, 1, 2, 2, 4, 8)),
        "onboot": int(chance.random() < 0.5),
        "tags": ";".join(sorted({chance.choice(_ROLES), chance.choice(_STAGES)})),
    }
    config |= _container(chance, name) if kind == "lxc" else _machine(chance, name)
    if chance.random() < 0.3:
        config["description"] = f"{name}, asked for by team {chance.randrange(1, 30)}"
    if chance.random() < 0.05:
        config["protection"] = 1
    if chance.random() < 0.1:
        config["startup"] = f"order={chance.randrange(1, 9)},up=30"
    template = chance.random() < 0.02
    status = "running" if chance.random() < 0.7 and not template else "stopped"
    return _Plan(kind, node, vmid, status, template, config)


def _disk(chance: random.Random) -> str:
    return f"{chance.choice(_STORAGES)}:{chance.choice(_DISKS)}"


def _tag(chance: random.Random) -> str:
    return f",tag={chance.randrange(10, 200)}" if chance.random() < 0.4 else ""


def _container(chance: random.Random, name: str) -> dict[str, object]:
    config: dict[str, object] = {
        "hostname": name,
        "rootfs": _disk(chance),
        "net0": f"name=eth0,bridge=vmbr0,ip=dhcp{_tag(chance)}",
        "unprivileged": int(chance.random() < 0.9),
        "ostype": chance.choice(("debian", "ubuntu", "alpine")),
    }
    if chance.random() < 0.2:
        config["mp0"] = f"{_disk(chance)},mp=/srv,backup=1"
    return config


def _machine(chance: random.Random, name: str) -> dict[str, object]:
    windows = chance.random() < 0.1
    config: dict[str, object] = {
        "name": name,
        "scsi0": _disk(chance),
        "scsihw": "virtio-scsi-single",
        "net0": f"virtio,bridge=vmbr0{_tag(chance)}",
        "ostype": "win11" if windows else "l26",
        "agent": chance.choice(("0", "1")),
    }
    if windows:
        config |= {"bios": "ovmf", "efidisk0": "local-lvm:1,efitype=4m", "machine": "q35"}
    elif chance.random() < 0.15:
        config |= {"ide2": "local-lvm:cloudinit", "ciuser": "admin", "ipconfig0": "ip=dhcp"}
    elif chance.random() < 0.1:
        config["ide2"] = f"{_ISO},media=cdrom"
    if chance.random() < 0.2:
        config["scsi1"] = _disk(chance)
    if chance.random() < 0.1:
        config["net1"] = f"virtio,bridge=vmbr0,firewall=1{_tag(chance)}"
    return config


def _leave_traces(cluster: SimulatedCluster, guest: Guest, chance: random.Random) -> None:
    """Leave what somebody did to a guest and did not finish: pending options, a lock."""
    if guest.running and guest.kind == "qemu":
        guest.pending["cpu"] = "host"
    elif chance.random() < 0.2:
        guest.config["lock"] = "backup"
    cluster.broadcast.tell(guest)


def _open_accounts(cluster: SimulatedCluster, chance: random.Random, number: int) -> None:
    access = cluster.access
    for stage in _STAGES:
        access.groups[f"{stage}-team"] = Group(f"{stage}-team", f"works on {stage}")
        access.acl.append(AclEntry(f"/pool/{stage}", "group", f"{stage}-team", "PVEVMAdmin"))
    for index in range(min(number, _MEMBERS)):
        userid = f"user{index}@pve"
        group = f"{chance.choice(_STAGES)}-team"
        user = User(userid, enable=chance.random() < 0.9, groups={group})
        user.fields["email"] = f"user{index}@example.com"
        access.users[userid] = user
        if index < _MANY and chance.random() < 0.5:
            cluster.create_token(userid, "automation", privsep=True)
    access.acl.append(AclEntry("/", "user", "user0@pve", "PVEAuditor"))


def _protect(cluster: SimulatedCluster) -> None:
    """Write the datacenter's firewall and its nightly backups."""
    ask: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/cluster/firewall/aliases", {"name": "office", "cidr": "192.0.2.0/24"}),
        ("/cluster/firewall/ipset", {"name": "monitoring"}),
        ("/cluster/firewall/groups", {"group": "webserver", "comment": "80 and 443"}),
        ("/cluster/firewall/rules", {"type": "in", "action": "ACCEPT", "source": "office"}),
        ("/cluster/backup", {"schedule": "21:00", "pool": "prod", "storage": "shared",
                             "enabled": 0, "prune-backups": "keep-last=7"}),
    )  # fmt: skip
    for path, params in ask:
        cluster.call("POST", path, params)
