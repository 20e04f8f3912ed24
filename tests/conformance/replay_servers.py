"""The servers the exchanges were recorded from, as they were before the first one."""

from __future__ import annotations

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.ha.state import HaState
from proxmox_client.testing.state import Storage

ONE_NODE_START = 1_795_358_468.0
JOIN_START = 1_795_359_895.9
THREE_NODE_START = 1_795_360_203.0
# Seconds after the first request when the recorded nodes told the others about their guests.
_TICKS = {"pve1": 4.0, "pve2": 1.5, "pve3": 4.2}
_EVERYTHING = "backup,images,import,iso,rootdir,snippets,vztmpl"


def one_node_cluster() -> SimulatedCluster:
    """Make the server the one-node files were recorded from, as it was before them."""
    cluster = SimulatedCluster(nodes=("pve1",), storages=(), start=ONE_NODE_START)
    node = cluster.nodes["pve1"]
    node.address = "192.0.2.2"
    node.booted = ONE_NODE_START - 4215
    node.phase = 3.2
    node.files["zfs-installed"] = False
    node.files["apt"] = []
    node.files["network"] = {
        "eth0": {"type": "eth", "method": "manual", "method6": "manual", "families": ["inet"],
                 "priority": 3, "active": 1, "exists": 1},
        "vmbr0": {"type": "bridge", "method": "static", "method6": "manual", "families": ["inet"],
                  "priority": 4, "active": 1, "autostart": 1, "address": "10.99.0.1",
                  "netmask": "24", "cidr": "10.99.0.1/24", "bridge_ports": "",
                  "bridge_stp": "off", "bridge_fd": "0"},
    }  # fmt: skip
    cluster.storages["local"] = Storage(
        "local", "dir", {"path": "/var/lib/vz", "content": _EVERYTHING}
    )
    cluster.storages["local2"] = Storage(
        "local2", "dir", {"path": "/mnt/storage2", "content": _EVERYTHING}
    )
    root = cluster.access.users["root@pam"]
    root.password = "a-password"
    root.fields["email"] = "root@example.com"
    _common_volumes(cluster, "pve1")
    cluster.add_volume("local", "local:iso/debian-13-netinst.iso", 1_048_576)
    cluster.add_volume("local", "local:snippets/user.yaml", 14)
    cluster.add_volume("local", "local:vztmpl/my.tar.gz", 300_000)
    return cluster


def lonely_servers() -> SimulatedCluster:
    """Make the three servers the cluster was made of, before they knew each other."""
    first = SimulatedCluster(nodes=("pve1",), storages=(), start=JOIN_START)
    servers = {"pve1": first}
    for name in ("pve2", "pve3"):
        servers[name] = first.add_server(name, "a-password")
    for name, server in servers.items():
        server.access.users["root@pam"].password = "a-password"
        server.access.users["root@pam"].fields["email"] = "root@example.com"
        server.nodes[name].booted = JOIN_START - 5640
        server.storages.clear()
        for storage in _three_node_storages():
            server.storages[storage.name] = storage
    first.nodes["pve1"].broadcast_at = 0.0
    first.nodes["pve1"].fingerprint = (
        "B6:E9:B2:27:84:CF:34:0C:0E:39:A5:D2:C5:25:2D:D9:"
        "75:AA:A5:D5:CB:FA:25:53:E1:8C:3F:74:32:6C:45:E8"
    )
    return first


def three_node_cluster() -> SimulatedCluster:
    """Make the cluster the files below `cluster/` were recorded from."""
    names = ("pve1", "pve2", "pve3")
    cluster = SimulatedCluster(nodes=names, storages=(), start=THREE_NODE_START)
    cluster.files["corosync"] = {"name": "rec3"}
    cluster.files["ha"] = HaState(
        manager_phase=7.7, worker_phases={"pve1": 1.3, "pve2": 8.4, "pve3": 9.2}
    )
    for storage in _three_node_storages():
        cluster.storages[storage.name] = storage
    cluster.access.users["root@pam"].password = "a-password"
    cluster.access.users["root@pam"].fields["email"] = "root@example.com"
    for node in names:
        cluster.nodes[node].booted = THREE_NODE_START - 5950
        cluster.nodes[node].phase = (THREE_NODE_START + _TICKS[node]) % 10
        _common_volumes(cluster, node)
        cluster.add_volume("local", "local:iso/debian-13-netinst.iso", 1_048_576, node=node)
    return cluster


def _common_volumes(cluster: SimulatedCluster, node: str) -> None:
    volid = "local:vztmpl/alpine-3.20-mini_20260101_amd64.tar.gz"
    cluster.add_volume("local", volid, 1_032_947, node=node)


def small_machine(vmid: int, storage: str) -> dict[str, object]:
    """Return the configuration of the machines that the recorded cluster had."""
    return {
        "name": f"vm{vmid}",
        "memory": 64,
        "cores": 1,
        "cpu": "kvm64",
        "ostype": "l26",
        "scsihw": "virtio-scsi-pci",
        "scsi0": f"{storage}:0.05,format=qcow2",
        "net0": "virtio,bridge=vmbr0",
    }


def _three_node_storages() -> list[Storage]:
    return [
        Storage("local", "dir", {"path": "/var/lib/vz", "content": _EVERYTHING}),
        Storage("local2", "dir", {"path": "/mnt/local2", "content": "images,rootdir"}),
        Storage(
            "shared",
            "dir",
            {"path": "/mnt/shared", "content": "backup,images,iso,rootdir", "shared": "1"},
        ),
    ]
