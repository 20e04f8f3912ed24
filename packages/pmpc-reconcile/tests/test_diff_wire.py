"""From changed fields to the parameters of calls."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.diff import (
    Action,
    FieldChange,
    Move,
    Resize,
    Wire,
    create_options,
    pending_options,
    three_way,
    to_wire,
)
from pmpc_reconcile.kinds import kind
from pmpc_reconcile.manifests import Manifest, load_text
from pmpc_reconcile.values import FieldValue, Secret, SecretMark, live_fields

VM, CT = kind("VirtualMachine"), kind("Container")
CARD = "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=20,firewall=1"
DISK = "local-lvm:vm-100-disk-0,discard=on,iothread=1,size=32G"


def manifest(config: str, kind_name: str = "VirtualMachine", more: str = "") -> Manifest:
    text = (
        f"apiVersion: pmpc/v1\nkind: {kind_name}\nmetadata: {{name: web-1}}\n"
        f"spec:\n{more}  config: {{{config}}}\n"
    )
    return load_text(text, name="web.yaml")[0]


def change(path: str, value: FieldValue | None) -> FieldChange:
    if value is None:
        return FieldChange(path=path, action=Action.REMOVE)
    return FieldChange(path=path, action=Action.CHANGE, desired=value)


def wire(live: dict[str, Any], **values: FieldValue | None) -> Wire:
    changes = [change("config." + key.replace("__", "."), value) for key, value in values.items()]
    return to_wire(VM, changes, live)


def test_plain_options_are_set_and_deleted() -> None:
    found = wire({}, cores=4, onboot=True, kvm=False, cpulimit=0.5, balloon=None, description="ü")
    assert found.set == {
        "cores": "4",
        "onboot": "1",
        "kvm": "0",
        "cpulimit": "0.5",
        "description": "ü",
    }
    assert found.delete == ["balloon"]
    assert found.parameters()["delete"] == "balloon"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"net0__tag": 30}, "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=30,firewall=1"),
        ({"net0__tag": None}, "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1"),
        ({"net0__model": "e1000"}, "e1000=BC:24:11:00:00:01,bridge=vmbr0,tag=20,firewall=1"),
        ({"net0__rate": 2.5}, CARD + ",rate=2.5"),
        ({"net0__firewall": False}, "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=20,firewall=0"),
    ],
)
def test_a_card_keeps_what_nobody_changed(values: dict[str, FieldValue], text: str) -> None:
    assert wire({"net0": CARD}, **values).set == {"net0": text}


def test_a_new_card_is_complete_or_refused() -> None:
    assert wire({}, net0__model="virtio", net0__bridge="vmbr0").set == {
        "net0": "virtio,bridge=vmbr0"
    }
    found = wire({}, net0__bridge="vmbr0")
    assert not found.set
    assert [each.message for each in found.refused] == ["net0 needs 'model'"]


def test_an_option_goes_with_its_last_key() -> None:
    assert wire({"agent": "enabled=1"}, agent__enabled=None).delete == ["agent"]
    assert wire({"net0": CARD}, net0__model=None, net0__bridge=None).delete == ["net0"]
    assert wire({"tags": "a;b"}, tags__a=None).set == {"tags": "b"}
    assert wire({"tags": "a"}, tags__a=None).delete == ["tags"]
    assert wire({"tags": "b;a"}, tags__c=True).set == {"tags": "a;b;c"}


def test_growing_comes_with_the_new_size_in_the_string() -> None:
    found = wire({"scsi0": DISK}, scsi0__size="64G", scsi0__ssd=True)
    assert found.resize == [Resize("scsi0", 64 << 30, "64G")]
    assert found.set == {"scsi0": "local-lvm:vm-100-disk-0,discard=on,iothread=1,size=64G,ssd=1"}
    only = wire({"scsi0": DISK}, scsi0__size="64G")
    assert (only.set, len(only.resize)) == ({}, 1)


def test_shrinking_is_refused() -> None:
    found = wire({"scsi0": DISK}, scsi0__size="16G")
    assert not found.resize
    assert "cannot shrink from 32G to 16G" in found.refused[0].message


def test_another_storage_is_a_move() -> None:
    assert wire({"scsi0": DISK}, scsi0__storage="ceph").move == [Move("scsi0", "ceph")]
    assert not wire({"scsi0": DISK}, scsi0__storage="ceph").set


def test_options_of_a_disk_keep_its_volume() -> None:
    found = wire({"scsi0": DISK}, scsi0__discard=None, scsi0__cache="writeback")
    assert found.set == {"scsi0": "local-lvm:vm-100-disk-0,iothread=1,size=32G,cache=writeback"}
    assert not found.resize


def test_a_new_disk_is_allocated() -> None:
    assert wire({}, scsi1__storage="local", scsi1__size="32G", scsi1__ssd=True).set == {
        "scsi1": "local:32,ssd=1"
    }
    assert wire({}, scsi1__storage="local", scsi1__size="512M").set == {"scsi1": "local:0.5"}
    assert wire({}, efidisk0__storage="local", efidisk0__efitype="4m").set == {
        "efidisk0": "local:0,efitype=4m"
    }
    imported = to_wire(
        VM,
        [change("config.scsi0.storage", "local"), change("config.scsi0.import-from", "a:b.qcow2")],
        {},
    )
    assert imported.set == {"scsi0": "local:0,import-from=a:b.qcow2"}
    assert "needs a size" in wire({}, scsi1__storage="local").refused[0].message
    assert "needs a storage" in wire({}, scsi1__size="1G").refused[0].message


def test_a_disk_is_detached_not_destroyed() -> None:
    gone = wire({"scsi0": DISK}, scsi0__storage=None, scsi0__size=None)
    assert (gone.delete, gone.set) == (["scsi0"], {})
    root = to_wire(CT, [change("config.rootfs.storage", None)], {"rootfs": "local:x,size=1G"})
    assert not root.delete
    assert "cannot be removed" in root.refused[0].message


def test_a_medium_is_changed() -> None:
    drive = {"ide2": "local:iso/a.iso,media=cdrom,size=1M"}
    assert wire(drive, ide2__volume="local:iso/b.iso").set == {
        "ide2": "local:iso/b.iso,media=cdrom"
    }
    assert wire(drive, ide2__volume="none").set == {"ide2": "none,media=cdrom"}
    empty = {"ide2": "none,media=cdrom"}
    assert wire(empty, ide2__storage="local", ide2__cloudinit=True).set == {
        "ide2": "local:cloudinit"
    }


def test_ssh_keys_are_encoded() -> None:
    assert wire({}, sshkeys="ssh-rsa A+/= a@b").set == {"sshkeys": "ssh-rsa%20A%2B%2F%3D%20a%40b"}


def test_secrets_show_only_when_sent() -> None:
    found = wire({}, cipassword=Secret("geheim"))
    assert "geheim" not in repr(found)
    assert found.parameters() == {"cipassword": "geheim"}
    marked = wire({}, cipassword=SecretMark("m"))
    assert not marked.set
    assert "only the fingerprint" in marked.refused[0].message


def test_what_writes_nothing_is_passed_over() -> None:
    quiet = [
        FieldChange(path="config.cores", action=Action.CONFLICT, desired=2),
        FieldChange(path="config.memory", action=Action.UNCHANGED, desired=2),
        FieldChange(path="state", action=Action.CHANGE, desired="running"),
        FieldChange(path="pool", action=Action.ADD, desired="p"),
    ]
    assert to_wire(VM, quiet, {}).empty


def test_a_guest_is_created_from_its_manifest() -> None:
    found = create_options(
        CT,
        manifest(
            "rootfs: 'local:8', password: geheim, unprivileged: yes, "
            "net0: {name: eth0, bridge: vmbr0, ip: dhcp}",
            "Container",
            "  source: {template: 'local:vztmpl/a.tar.zst'}\n",
        ),
    )
    assert not found.refused
    assert found.parameters() == {
        "rootfs": "local:8",
        "password": "geheim",
        "unprivileged": "1",
        "net0": "name=eth0,bridge=vmbr0,ip=dhcp",
        "hostname": "web-1",
        "ostemplate": "local:vztmpl/a.tar.zst",
    }
    assert "geheim" not in repr(found)


def test_an_incomplete_guest_is_refused_with_its_place() -> None:
    found = create_options(VM, manifest("net0: {bridge: vmbr0}, scsi0: {storage: local}"))
    assert [(each.line, each.column, each.message) for each in found.refused] == [
        (5, 18, "net0 needs 'model'"),
        (5, 42, "scsi0 needs a size"),
    ]
    assert found.refused[0].address == "VirtualMachine/web-1"


def test_a_clone_gets_the_difference() -> None:
    wanted = manifest("cores: 4, scsi0: {size: 64G}, net0: {bridge: vmbr1}, onboot: no")
    clone = {"name": "copy", "cores": 2, "net0": CARD, "scsi0": DISK, "memory": "512"}
    diff = three_way(VM, wanted.fields, live_fields(VM, clone), {})
    found = to_wire(VM, diff.changes, clone)
    assert found.set == {
        "cores": "4",
        "name": "web-1",
        "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr1,tag=20,firewall=1",
    }
    assert found.resize == [Resize("scsi0", 64 << 30, "64G")]
    assert set(diff.owned_after()) == set(wanted.fields)


def test_pending_options_are_those_of_ours_that_wait() -> None:
    current = {"cores": 2, "memory": "512", "net0": CARD, "boot": "order=scsi0", "agent": "1"}
    pending = {**current, "cores": 4, "boot": "order=net0", "agent": "enabled=1"}
    paths = ["config.cores", "config.memory", "config.agent.enabled", "state"]
    assert pending_options(VM, current, pending, paths) == ("cores",)
    assert pending_options(VM, current, pending, ["config.boot.order"]) == ("boot",)
    del pending["cores"]
    assert pending_options(VM, current, pending, paths) == ("cores",)
