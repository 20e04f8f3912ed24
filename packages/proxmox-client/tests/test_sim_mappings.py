"""Mappings of devices and directories, checked against what a node has."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster

PCI = "/cluster/mapping/pci"
GOOD = "node=pve1,path=0000:00:03.0,id=1af4:1041,subsystem-id=1af4:1041,iommugroup=-1"


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster()


def problems(cluster: SimulatedCluster, kind: str, node: str = "pve1") -> list[str]:
    path = f"/cluster/mapping/{kind}"
    (row,) = cluster.call("GET", path, {"check-node": node})
    rows: list[dict[str, Any]] = row["errors" if kind == "usb" else "checks"]
    return [f"{entry['severity']}: {entry['message'].strip()}" for entry in rows]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (GOOD, None),
        (GOOD.replace("03.0", "1f.0"), "pci device '0000:00:1f.0' not found"),
        (GOOD.replace("id=1af4:1041,sub", "id=8086:0001,sub"),
         "'id' does not match for 'nic' (1af4:1041 != 8086:0001)"),
        (GOOD.replace(",subsystem-id=1af4:1041", ""),
         "missing expected property 'subsystem-id' for device '0000:00:03.0'"),
        (GOOD.replace("iommugroup=-1", "iommugroup=3"),
         "'iommugroup' does not match for 'nic' (-1 != 3)"),
    ],
)  # fmt: skip
@pytest.mark.requirement("nodes.mappings")
def test_a_pci_mapping_has_to_fit_the_device(
    cluster: SimulatedCluster, entry: str, problem: str | None
) -> None:
    cluster.call("POST", PCI, {"id": "nic", "map": [entry]})
    expected = [f"error: Invalid configuration: {problem}"] if problem else []
    assert problems(cluster, "pci") == expected
    assert problems(cluster, "pci", "pve2") == ["warning: No mapping for node pve2."]


@pytest.mark.requirement("nodes.mappings")
def test_a_usb_mapping_is_found_by_id_or_by_port(cluster: SimulatedCluster) -> None:
    stick = {"busnum": 1, "usbpath": "2.1", "vendid": "1234", "prodid": "5678"}
    cluster.nodes["pve1"].files["usb"] = [stick]
    cluster.call("POST", "/cluster/mapping/usb", {"id": "s1", "map": ["node=pve1,id=1234:5678"]})
    assert problems(cluster, "usb") == []
    cluster.call(
        "PUT", "/cluster/mapping/usb/s1", {"map": ["node=pve1,id=9999:0001,path=1-2.1"]}
    )  # fmt: skip
    wrong = "'id' does not match for 's1' (1234:5678 != 9999:0001)"
    assert problems(cluster, "usb") == [f"error: Invalid configuration: {wrong}"]


@pytest.mark.requirement("nodes.mappings")
def test_a_directory_mapping_names_a_node_once(cluster: SimulatedCluster) -> None:
    twice = {"id": "share", "map": ["node=pve1,path=/srv/a", "node=pve1,path=/srv/b"]}
    with pytest.raises(PveFault, match="Node 'pve1' is specified 2 times"):
        cluster.call("POST", "/cluster/mapping/dir", twice)
    cluster.call("POST", "/cluster/mapping/dir", {"id": "share", "map": ["node=pve1,path=/srv"]})
    assert problems(cluster, "dir") == []
    assert problems(cluster, "dir", "pve3") == ["warning: No mapping for node pve3."]
