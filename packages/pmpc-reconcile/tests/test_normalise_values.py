"""What is written and what is shown read the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmpc_reconcile.kinds import kind, options_of
from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.values import (
    ABSENT,
    FieldValue,
    Secret,
    SecretMark,
    default_of,
    format_size,
    from_record,
    join_path,
    live_fields,
    parse_size,
    read_option,
    same,
    split_path,
    to_record,
    write_option,
)

VM, CT, POOL = kind("VirtualMachine"), kind("Container"), kind("Pool")


def declared(config: dict[str, Any], kind_name: str = "VirtualMachine") -> dict[str, FieldValue]:
    document = {
        "apiVersion": "pmpc/v1",
        "kind": kind_name,
        "metadata": {"name": "a"},
        "spec": {"config": config},
    }
    fields = dict(load_text(json.dumps(document))[0].fields)
    own = {"config.name", "config.hostname"}
    return {path: value for path, value in fields.items() if path not in own}


# Different spellings of the same wish, and what a server shows after it was applied.
SAME: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    (
        "VirtualMachine",
        [{"memory": 256}, {"memory": "256"}, {"memory": 256.0}, {"memory": {"current": 256}}],
        {"memory": "256"},
    ),
    (
        "VirtualMachine",
        [{"onboot": v} for v in (True, "on", "yes", 1, "1", "TRUE")],
        {"onboot": 1},
    ),
    (
        "VirtualMachine",
        [
            {"net0": "virtio,bridge=vmbr0,firewall=1"},
            {"net0": "firewall=yes,model=virtio,bridge=vmbr0"},
            {"net0": {"bridge": "vmbr0", "firewall": True, "model": "virtio"}},
        ],
        {"net0": "virtio=BC:24:11:E7:F1:51,bridge=vmbr0,firewall=1"},
    ),
    (
        "VirtualMachine",
        [
            {"net0": "virtio=bc:24:11:e7:f1:51,bridge=vmbr0"},
            {"net0": {"model": "virtio", "macaddr": "BC-24-11-E7-F1-51", "bridge": "vmbr0"}},
            {"net0": {"virtio": "bc:24:11:e7:f1:51", "bridge": "vmbr0", "firewall": "off"}},
            {"net0": "model=virtio,macaddr=BC:24:11:E7:F1:51,bridge=vmbr0,link_down=0"},
        ],
        {"net0": "virtio=BC:24:11:E7:F1:51,bridge=vmbr0"},
    ),
    (
        "VirtualMachine",
        [
            {"scsi0": {"storage": "local-lvm", "size": "32G", "discard": "on"}},
            {"scsi0": {"storage": "local-lvm", "size": "32768M", "discard": True}},
            {"scsi0": "local-lvm:32,discard=on"},
            {"scsi0": "discard=on,file=local-lvm:32,iothread=0,backup=1"},
            {"scsi0": {"storage": "local-lvm", "size": "0.03125T", "discard": "on"}},
        ],
        {"scsi0": "local-lvm:vm-100-disk-0,discard=on,size=32G"},
    ),
    # 0.05 GiB is shown rounded up to a KiB, or to an extent by LVM
    ("VirtualMachine", [{"scsi0": "local:0.05"}], {"scsi0": "local:1/vm-1.qcow2,size=52429K"}),
    ("VirtualMachine", [{"scsi0": "lvm:0.05"}], {"scsi0": "lvm:vm-1-disk-0,size=52M"}),
    ("Container", [{"rootfs": "local:1.25"}], {"rootfs": "local:210/vm-210-disk-0.raw,size=1280M"}),
    (
        "VirtualMachine",
        [
            {"ide2": "local:cloudinit"},
            {"ide2": {"storage": "local", "cloudinit": "on"}},
            {"ide2": "local:cloudinit,media=cdrom"},
        ],
        {"ide2": "local:101/vm-101-cloudinit.qcow2,media=cdrom,size=4M"},
    ),
    (
        "VirtualMachine",
        [
            {"ide2": "local:iso/debian.iso,media=cdrom"},
            {"ide2": {"volume": "local:iso/debian.iso", "media": "cdrom"}},
            {"ide2": {"file": "local:iso/debian.iso", "media": "cdrom"}},
        ],
        {"ide2": "local:iso/debian.iso,media=cdrom,size=1M"},
    ),
    ("VirtualMachine", [{"ide2": "none,media=cdrom"}], {"ide2": "none,media=cdrom"}),
    (
        "VirtualMachine",
        [{"tags": "web,db"}, {"tags": "db;web"}, {"tags": ["Web", "DB"]}, {"tags": "web db web"}],
        {"tags": "db;web"},
    ),
    (
        "VirtualMachine",
        [{"description": "line1\nline2 ü"}, {"description": "line1\nline2 ü\n"}],
        {"description": "line1\nline2 ü\n"},
    ),
    (
        "VirtualMachine",
        [
            {"agent": 1},
            {"agent": "on"},
            {"agent": {"enabled": True}},
            {"agent": "enabled=1,type=virtio"},
            {"agent": "1,guest-fsfreeze=1"},
        ],
        {"agent": "enabled=1"},
    ),
    ("VirtualMachine", [{"agent": 0}, {"agent": {"enabled": "off"}}], {}),
    (
        "VirtualMachine",
        [
            {"cpu": "host,flags=+aes;-pcid"},
            {"cpu": {"cputype": "host", "flags": ["-pcid", "+aes"]}},
        ],
        {"cpu": "host,flags=-pcid;+aes"},
    ),
    (
        "VirtualMachine",
        [
            {"boot": "order=scsi0;net0"},
            {"boot": {"order": ["scsi0", "net0"]}},
            {"boot": ["scsi0", "net0"]},
        ],
        {"boot": "order=scsi0;net0"},
    ),
    (
        "VirtualMachine",
        [{"startup": "order=1,up=10"}, {"startup": {"up": 10, "order": "1"}}],
        {"startup": "order=1,up=10"},
    ),
    (
        "VirtualMachine",
        [
            {"sshkeys": "ssh-ed25519 AAAA a@b\nssh-rsa BBBB c@d\n"},
            {"sshkeys": ["ssh-ed25519 AAAA a@b", "ssh-rsa BBBB c@d"]},
            {"sshkeys": "ssh-ed25519%20AAAA%20a%40b%0Assh-rsa%20BBBB%20c%40d"},
        ],
        {"sshkeys": "ssh-ed25519%20AAAA%20a%40b%0Assh-rsa%20BBBB%20c%40d"},
    ),
    (
        "VirtualMachine",
        [{"nameserver": "1.1.1.1, 8.8.8.8"}, {"nameserver": ["1.1.1.1", "8.8.8.8"]}],
        {"nameserver": "1.1.1.1 8.8.8.8"},
    ),
    ("VirtualMachine", [{"cpulimit": 0.5}, {"cpulimit": "0.50"}], {"cpulimit": "0.5"}),
    ("VirtualMachine", [{"cpulimit": 2}, {"cpulimit": "2.0"}], {"cpulimit": "2"}),
    ("VirtualMachine", [{"hotplug": "disk,network"}], {"hotplug": "network,disk"}),
    (
        "Container",
        [
            {"net0": "name=eth0,bridge=vmbr0,ip=dhcp"},
            {"net0": {"name": "eth0", "bridge": "vmbr0", "ip": "dhcp", "type": "veth"}},
        ],
        {"net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:BB:93:4A,ip=dhcp,type=veth"},
    ),
    (
        "Container",
        [
            {"mp0": "local:1,mp=/data,mountoptions=noatime;discard"},
            {"mp0": {"storage": "local", "size": "1G", "mp": "/data",
                     "mountoptions": ["discard", "noatime"], "backup": "no"}},
        ],
        {"mp0": "local:200/vm-200-disk-1.raw,mp=/data,mountoptions=discard;noatime,size=1G"},
    ),
    ("Container", [{"mp0": "/srv,mp=/data"}], {"mp0": "/srv,mp=/data"}),
    ("Container", [{"features": "nesting=1"}, {"features": {"nesting": "yes", "fuse": 0}}],
     {"features": "nesting=1"}),
    ("Container", [{"unprivileged": "yes", "onboot": "no"}], {"unprivileged": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spellings", "shown"), SAME)
def test_every_spelling_is_what_the_server_shows(
    name: str, spellings: list[dict[str, Any]], shown: dict[str, Any]
) -> None:
    of = kind(name)
    live = live_fields(of, shown)
    for spelling in spellings:
        for path, value in declared(spelling, name).items():
            actual = live.get(path, default_of(of, path))
            assert same(of, path, value, actual), (spelling, path, value, actual)


DIFFERENT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"memory": 512}, {"memory": "256"}),
    ({"boot": "order=net0;scsi0"}, {"boot": "order=scsi0;net0"}),
    ({"nameserver": "8.8.8.8 1.1.1.1"}, {"nameserver": "1.1.1.1 8.8.8.8"}),
    ({"tags": "web"}, {"tags": "db"}),
    ({"scsi0": "local:2"}, {"scsi0": "local:x,size=1G"}),
    ({"scsi0": "local:1"}, {"scsi0": "local:x,size=2G"}),
    ({"scsi0": "lvm:1"}, {"scsi0": "local:x,size=1G"}),
    ({"net0": "virtio,bridge=vmbr0"}, {"net0": "e1000=BC:24:11:E7:F1:51,bridge=vmbr0"}),
    ({"ide2": "none,media=cdrom"}, {"ide2": "local:iso/a.iso,media=cdrom"}),
    ({"onboot": "yes"}, {}),
    ({"kvm": "no"}, {}),
]


@pytest.mark.parametrize(("wanted", "shown"), DIFFERENT)
def test_what_differs_is_seen(wanted: dict[str, Any], shown: dict[str, Any]) -> None:
    live = live_fields(VM, shown)
    assert any(
        not same(VM, path, value, live.get(path, default_of(VM, path)))
        for path, value in declared(wanted).items()
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [("32G", 32 << 30), ("528K", 528 << 10), ("1T", 1 << 40), ("0.5G", 512 << 20), ("1024", 1024)],
)
def test_sizes_are_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert parse_size(format_size(size)) == size


def test_paths_split_and_join() -> None:
    assert split_path("config.net0.bridge") == ("config", "net0", "bridge")
    assert split_path("config.tags.v1.2") == ("config", "tags", "v1.2")
    assert split_path("state") == ("state", None, None)
    assert join_path("config", "tags", "v1.2") == "config.tags.v1.2"


def test_a_servers_value_is_never_an_error() -> None:
    odd = {
        "net0": "nonsense=,,,",
        "scsi0": "a,b",
        "cores": "many",
        "unknown": {"x": 1},
        "numa": None,
    }
    fields = live_fields(VM, odd)
    assert fields["config.cores"] == "many"
    assert fields["config.scsi0"] == "a,b"


def test_an_unknown_key_is_kept_when_written_again() -> None:
    option = options_of(VM).find("net0")
    assert option is not None
    text = "virtio=BC:24:11:E7:F1:51,bridge=vmbr0,newkey=5"
    assert write_option(option, read_option(option, text)) == text


def test_secrets_stay_secret() -> None:
    fields: dict[str, FieldValue] = {"config.cipassword": Secret("hunter2"), "config.cores": 2}
    record = to_record(fields, lambda text: f"mark{len(text)}")
    assert json.loads(json.dumps(record)) == {
        "config.cipassword": {"fingerprint": "mark7"},
        "config.cores": 2,
    }
    again = from_record(record)
    assert same(
        VM, "config.cipassword", Secret("hunter2"), again["config.cipassword"],
        fingerprint=lambda text: f"mark{len(text)}",
    )  # fmt: skip
    assert not same(VM, "config.cipassword", Secret("hunter2"), SecretMark())
    assert "hunter2" not in f"{fields!r} {Secret('hunter2')}"


def test_pool_members_read_as_sets() -> None:
    shown = {
        "poolid": "p",
        "comment": "pool one",
        "members": [{"type": "qemu", "vmid": "105"}, {"type": "storage", "storage": "local"}],
    }
    assert live_fields(POOL, shown) == {
        "comment": "pool one",
        "guests.105": True,
        "storage.local": True,
    }


def test_defaults_are_known_where_pve_has_them() -> None:
    assert default_of(VM, "config.cores") == 1
    assert default_of(VM, "config.scsi3.backup") is True
    assert default_of(VM, "config.tags.web") is ABSENT
    assert default_of(VM, "config.description") == ""
    assert default_of(VM, "pool") is ABSENT
