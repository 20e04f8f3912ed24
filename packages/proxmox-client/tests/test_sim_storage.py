"""Storages of the simulator: each type with its options, and space that shrinks."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimRequest, SimulatedCluster
from proxmox_client.testing.outside import FileServer
from proxmox_client.testing.request import Upload

GIB = 1024**3
SERVER = "10.0.0.9"
NEEDED: dict[str, dict[str, str]] = {
    "dir": {"path": "/mnt/x"},
    "btrfs": {"path": "/mnt/x"},
    "nfs": {"server": SERVER, "export": "/srv/vm"},
    "cifs": {"server": SERVER, "share": "vm"},
    "pbs": {"server": SERVER, "datastore": "main"},
    "lvm": {"vgname": "pve"},
    "lvmthin": {"vgname": "pve", "thinpool": "data"},
    "zfspool": {"pool": "tank"},
    "zfs": {"portal": SERVER, "target": "iqn.2020-01.x:a", "pool": "tank", "blocksize": "4k",
            "iscsiprovider": "LIO"},
    "rbd": {},
    "cephfs": {},
    "iscsi": {"portal": SERVER, "target": "iqn.2020-01.x:a"},
    "iscsidirect": {"portal": SERVER, "target": "iqn.2020-01.x:a"},
    "esxi": {"server": SERVER, "username": "root"},
}  # fmt: skip


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster(nodes=("pve1",))
    made.outside.files[SERVER] = FileServer(
        exports={"/srv/vm": "*"}, shares={"vm": ""}, datastores={"main": ""}
    )
    return made


def create(cluster: SimulatedCluster, kind: str, **changes: str) -> None:
    params = {"storage": "new", "type": kind, **NEEDED[kind], **changes}
    cluster.call("POST", "/storage", params)


@pytest.mark.parametrize("kind", NEEDED)
@pytest.mark.requirement("storage.types")
def test_every_type_is_made_with_what_it_needs(cluster: SimulatedCluster, kind: str) -> None:
    create(cluster, kind)
    row = cluster.call("GET", "/storage/new")
    assert row["type"] == kind
    assert row["content"]
    cluster.call("PUT", "/storage/new", {"disable": 1, "digest": row["digest"]})
    assert cluster.call("GET", "/nodes/pve1/storage/new/status")["active"] == 0
    cluster.call("DELETE", "/storage/new")


@pytest.mark.parametrize(
    ("kind", "option"), [(kind, option) for kind, options in NEEDED.items() for option in options]
)
@pytest.mark.requirement("storage.types")
def test_every_type_misses_what_it_needs(
    cluster: SimulatedCluster, kind: str, option: str
) -> None:  # fmt: skip
    params = {key: text for key, text in NEEDED[kind].items() if key != option}
    with pytest.raises(PveFault, match=f"missing value for required option '{option}'"):
        cluster.call("POST", "/storage", {"storage": "new", "type": kind, **params})


@pytest.mark.parametrize(
    ("kind", "option", "value"),
    [
        ("dir", "vgname", "pve"),
        ("lvmthin", "shared", "1"),
        ("zfspool", "prune-backups", "keep-last=1"),
        ("pbs", "preallocation", "off"),
        ("nfs", "krbd", "1"),
    ],
)
@pytest.mark.requirement("storage.types")
def test_options_of_other_types_are_refused(
    cluster: SimulatedCluster, kind: str, option: str, value: str
) -> None:
    with pytest.raises(PveFault, match=f"unexpected property '{option}'"):
        create(cluster, kind, **{option: value})


@pytest.mark.parametrize(
    ("kind", "content"), [("pbs", "images"), ("lvmthin", "iso"), ("esxi", "images")]
)
@pytest.mark.requirement("storage.types")
def test_content_a_type_cannot_hold_is_refused(
    cluster: SimulatedCluster, kind: str, content: str
) -> None:
    with pytest.raises(PveFault, match=f"does not support content type '{content}'"):
        create(cluster, kind, content=content)


@pytest.mark.parametrize(
    ("kind", "changes", "text"),
    [
        ("nfs", {"server": "10.0.0.8"}, "storage 'new' is not online"),
        ("nfs", {"export": "/other"}, "access denied by server"),
        ("cifs", {"share": "other"}, "No such file or directory"),
        ("pbs", {"server": "10.0.0.8"}, "error fetching datastores"),
        ("pbs", {"datastore": "other"}, "Cannot find datastore 'other'"),
    ],
)
@pytest.mark.requirement("storage.types")
def test_a_server_has_to_be_there_and_offer_it(
    cluster: SimulatedCluster, kind: str, changes: dict[str, str], text: str
) -> None:
    with pytest.raises(PveFault, match=text):
        create(cluster, kind, **changes)


def used(cluster: SimulatedCluster, storage: str) -> int:
    return int(cluster.call("GET", f"/nodes/pve1/storage/{storage}/status")["used"])


def upload(cluster: SimulatedCluster) -> None:
    secret = cluster.create_token("root@pam", "up")
    headers = {"authorization": f"PVEAPIToken={secret}"}
    path = "/nodes/pve1/storage/local/upload"
    file = Upload("a.iso", b"x" * 100_000)
    answer = cluster.handle(SimRequest("POST", path, {"content": "iso"}, headers, upload=file))
    assert answer.status == 200


def download(cluster: SimulatedCluster) -> None:
    cluster.downloads["https://example.com/b.iso"] = b"x" * 100_000
    params: dict[str, Any] = {"url": "https://example.com/b.iso", "filename": "b.iso"}
    cluster.call("POST", "/nodes/pve1/storage/local/download-url", {**params, "content": "iso"})


def back_up(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 100, {"scsi0": "local:1,format=qcow2"})
    cluster.call("POST", "/nodes/pve1/vzdump", {"vmid": "100", "storage": "local"})


def allocate(cluster: SimulatedCluster) -> None:
    params = {"vmid": 100, "filename": "vm-100-disk-7.qcow2", "size": "4G", "format": "qcow2"}
    cluster.call("POST", "/nodes/pve1/storage/local/content", params)


def make_machine(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/nodes/pve1/qemu", {"vmid": 101, "scsi0": "local:4,format=qcow2"})


def make_container(cluster: SimulatedCluster) -> None:
    template = "local:vztmpl/t.tar.zst"
    cluster.add_volume("local", template, 0)
    params = {"vmid": 102, "ostemplate": template, "rootfs": "local:1"}
    cluster.call("POST", "/nodes/pve1/lxc", params)


def clone(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 103, {"scsi0": "local-lvm:1"})
    params = {"newid": 104, "full": 1, "storage": "local", "format": "qcow2"}
    cluster.call("POST", "/nodes/pve1/qemu/103/clone", params)


def move_disk(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 105, {"scsi0": "local-lvm:1"})
    params = {"disk": "scsi0", "storage": "local", "format": "qcow2"}
    cluster.call("POST", "/nodes/pve1/qemu/105/move_disk", params)


def write_template(cluster: SimulatedCluster) -> None:
    template = cluster.call("GET", "/nodes/pve1/aplinfo")[0]["template"]
    params = {"storage": "local", "template": template}
    cluster.call("POST", "/nodes/pve1/aplinfo", params)


WRITERS = (upload, download, back_up, allocate, make_machine, make_container, clone, move_disk,
           write_template)  # fmt: skip


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
@pytest.mark.requirement("storage.space")
def test_space_shrinks_for_every_writer(cluster: SimulatedCluster, write: Any) -> None:
    before = used(cluster, "local")
    write(cluster)
    cluster.clock.advance(120)
    assert used(cluster, "local") > before


@pytest.mark.requirement("storage.space")
def test_what_does_not_fit_is_refused(cluster: SimulatedCluster) -> None:
    cluster.storages["local"].total = cluster.storages["local"].base_used + 50_000
    for write in (upload, download, write_template):
        write(cluster)
        cluster.clock.advance(120)
    assert used(cluster, "local") == cluster.storages["local"].base_used
    ended = [str(task.exitstatus) for task in cluster.nodes["pve1"].tasks]
    assert all("No space left on device" in text for text in ended)
    assert len(ended) == 3
    with pytest.raises(PveFault, match="No space left on device"):
        allocate(cluster)
