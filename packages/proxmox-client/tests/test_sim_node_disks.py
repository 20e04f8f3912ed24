"""Disks of simulated nodes, what is made of them, and what is found by scanning."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster
from proxmox_client.testing.nodedisks import disks, new_disk
from proxmox_client.testing.outside import FileServer

GIB = 1024**3
DISKS = "/nodes/pve1/disks"


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster(nodes=("pve1", "pve2"))
    for node in made.nodes.values():
        for letter in "bcde":
            disks(node).append(new_disk(f"/dev/sd{letter}", 100 * GIB, kind="ssd"))
    return made


def run(cluster: SimulatedCluster, method: str, path: str, params: dict[str, Any]) -> str:
    upid = str(cluster.call(method, path, params))
    cluster.clock.advance(10)
    return str(cluster.tasks.get(upid).exitstatus)


def free_disks(cluster: SimulatedCluster) -> list[str]:
    rows = cluster.call("GET", f"{DISKS}/list", {"type": "unused"})
    return [row["devpath"] for row in rows]


MAKING = {
    "lvm": {"device": "/dev/sdb"},
    "lvmthin": {"device": "/dev/sdb"},
    "directory": {"device": "/dev/sdb", "filesystem": "xfs"},
    "zfs": {"devices": "/dev/sdb,/dev/sdc", "raidlevel": "mirror"},
}


@pytest.mark.parametrize("kind", MAKING)
@pytest.mark.requirement("nodes.disks")
def test_what_is_made_of_disks_takes_them_and_gives_them_back(
    cluster: SimulatedCluster, kind: str
) -> None:
    params = {"name": "fast", "add_storage": 1, **MAKING[kind]}
    assert run(cluster, "POST", f"{DISKS}/{kind}", params) == "OK"
    assert "/dev/sdb" not in free_disks(cluster)
    storage = cluster.call("GET", "/storage/fast")
    assert storage["nodes"] == "pve1"
    status = cluster.call("GET", "/nodes/pve1/storage/fast/status")
    assert status["active"] == 1
    assert 90 * GIB < status["total"] <= 100 * GIB
    with pytest.raises(PveFault, match="already"):
        cluster.call("POST", f"{DISKS}/{kind}", params)
    gone = {"cleanup-config": 1, "cleanup-disks": 1}
    if kind == "lvmthin":
        gone |= {"volume-group": "fast"}  # type: ignore[dict-item]
    assert run(cluster, "DELETE", f"{DISKS}/{kind}/fast", gone) == "OK"
    assert "/dev/sdb" in free_disks(cluster)
    assert "fast" not in cluster.storages


@pytest.mark.requirement("nodes.disks")
def test_the_same_name_on_two_nodes_is_one_storage(cluster: SimulatedCluster) -> None:
    params = {"name": "fast", "add_storage": 1, "device": "/dev/sdb"}
    run(cluster, "POST", f"{DISKS}/lvm", params)
    run(cluster, "POST", "/nodes/pve2/disks/lvm", params)
    assert cluster.storages["fast"].options["nodes"] == "pve1,pve2"
    assert run(cluster, "DELETE", f"{DISKS}/lvm/fast", {"cleanup-config": 1}) == "OK"
    assert cluster.storages["fast"].options["nodes"] == "pve2"


@pytest.mark.requirement("nodes.disks")
def test_used_mounted_and_missing_disks_are_refused(cluster: SimulatedCluster) -> None:
    with pytest.raises(PveFault, match="not a valid block device"):
        cluster.call("POST", f"{DISKS}/lvm", {"name": "vg1", "device": "/dev/nosuch"})
    with pytest.raises(PveFault, match="device '/dev/vda' is already in use"):
        cluster.call("POST", f"{DISKS}/lvm", {"name": "vg1", "device": "/dev/vda"})
    with pytest.raises(PveFault, match="disk/partition '/dev/vda' is mounted"):
        cluster.call("PUT", f"{DISKS}/wipedisk", {"disk": "/dev/vda"})
    with pytest.raises(PveFault, match="disk /dev/vda already in use"):
        cluster.call("POST", f"{DISKS}/initgpt", {"disk": "/dev/vda"})
    assert run(cluster, "POST", f"{DISKS}/initgpt", {"disk": "/dev/sdb"}) == "OK"
    rows = {row["devpath"]: row["gpt"] for row in cluster.call("GET", f"{DISKS}/list")}
    assert (rows["/dev/sdb"], rows["/dev/sdc"]) == (1, 0)
    assert run(cluster, "PUT", f"{DISKS}/wipedisk", {"disk": "/dev/sdb"}) == "OK"


@pytest.mark.parametrize(
    ("level", "devices", "text"),
    [
        ("single", "/dev/sdb,/dev/sdc", "please give only one disk for single disk mode"),
        ("raid10", "/dev/sdb,/dev/sdc,/dev/sdd", "raid10 needs an even number of disks"),
        ("raidz2", "/dev/sdb,/dev/sdc,/dev/sdd", "raidz2 needs at least 4 disks"),
    ],
)
@pytest.mark.requirement("nodes.disks")
def test_a_pool_needs_its_number_of_disks(
    cluster: SimulatedCluster, level: str, devices: str, text: str
) -> None:
    params = {"name": "tank", "raidlevel": level, "devices": devices}
    with pytest.raises(PveFault, match=text):
        cluster.call("POST", f"{DISKS}/zfs", params)


@pytest.mark.requirement("nodes.disks")
def test_a_pool_shows_its_disks_and_what_it_holds(cluster: SimulatedCluster) -> None:
    devices = "/dev/sdb,/dev/sdc,/dev/sdd"
    params = {"name": "tank", "raidlevel": "raidz", "devices": devices, "add_storage": 1}
    run(cluster, "POST", f"{DISKS}/zfs", params)
    (pool,) = cluster.call("GET", f"{DISKS}/zfs")
    assert (pool["size"], pool["alloc"]) == (200 * GIB, 0)
    tree = cluster.call("GET", f"{DISKS}/zfs/tank")
    leaves = tree["children"][0]["children"][0]["children"]
    assert [leaf["name"] for leaf in leaves] == devices.split(",")
    cluster.add_vm("pve1", 100, {"scsi0": "tank:10"})
    assert cluster.call("GET", "/nodes/pve1/scan/zfs")[0]["free"] == 190 * GIB


@pytest.mark.requirement("nodes.scan")
def test_scanning_finds_what_servers_offer(cluster: SimulatedCluster) -> None:
    cluster.outside.files["10.0.0.9"] = FileServer(
        exports={"/srv/vm": "*"},
        shares={"vm": "machines"},
        targets={"iqn.2020-01.x:a": "10.0.0.9:3260"},
        datastores={"main": ""},
    )
    scan = "/nodes/pve1/scan"
    assert cluster.call("GET", f"{scan}/nfs", {"server": "10.0.0.9"}) == [
        {"path": "/srv/vm", "options": "*"}
    ]
    assert cluster.call("GET", f"{scan}/cifs", {"server": "10.0.0.9"})[0]["share"] == "vm"
    assert cluster.call("GET", f"{scan}/iscsi", {"portal": "10.0.0.9"})[0]["portal"]
    login = {"username": "a@pbs", "password": "x"}
    stores = cluster.call("GET", f"{scan}/pbs", {"server": "10.0.0.9", **login})
    assert stores == [{"store": "main", "comment": ""}]
    with pytest.raises(PveFault, match=r"Can.t connect to 10\.0\.0\.8:8007"):
        cluster.call("GET", f"{scan}/pbs", {"server": "10.0.0.8", **login})
    assert cluster.call("GET", f"{scan}/lvm") == [{"vg": "pve"}]
    assert cluster.call("GET", f"{scan}/lvmthin", {"vg": "pve"})[0]["lv"] == "data"
