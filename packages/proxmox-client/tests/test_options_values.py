"""Structured options as values: made, read, written, refused; asked for and given to operations."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from urllib.parse import parse_qs

import httpx
import pytest

from proxmox_client import Client, options
from proxmox_client.api.models.nodes_qemu import NodesQemuConfig
from proxmox_client.options import (
    AgentQemu,
    BootQemu,
    CpuQemu,
    FeaturesLxc,
    IpconfigQemu,
    MpLxc,
    NetQemu,
    NumaQemu,
    OptionInvalid,
    PruneBackups,
    ScsiQemu,
    Size,
    Startup,
    VgaQemu,
)

TOKEN = "root@pam!test=00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (NetQemu("virtio", bridge="vmbr0", tag=20), "virtio,bridge=vmbr0,tag=20"),
        (
            NetQemu("virtio", macaddr="BC:24:11:00:00:01", firewall=True),
            "virtio=BC:24:11:00:00:01,firewall=1",
        ),
        (ScsiQemu("local:100/vm-100-disk-0.raw", size="8G"), "local:100/vm-100-disk-0.raw,size=8G"),
        (ScsiQemu("local:8", size=8 << 30, ssd=False), "local:8,size=8G,ssd=0"),
        (BootQemu(order=["scsi0", "net0"]), "order=scsi0;net0"),
        (BootQemu("cdn"), "cdn"),
        (CpuQemu("host", flags=("+aes", "-pcid")), "host,flags=+aes;-pcid"),
        (AgentQemu(True, fstrim_cloned_disks=True), "1,fstrim_cloned_disks=1"),
        (FeaturesLxc(nesting=True, mount=("nfs", "cifs")), "mount=nfs;cifs,nesting=1"),
        (MpLxc("local-lvm:4", mp="/data", backup=True), "local-lvm:4,mp=/data,backup=1"),
        (Startup(1, up=10), "order=1,up=10"),
        (PruneBackups(keep_last=3, keep_daily=7), "keep-daily=7,keep-last=3"),
        (NumaQemu(cpus="0-1", hostnodes=("0",), memory=1.5), "cpus=0-1,hostnodes=0,memory=1.5"),
        (NetQemu("virtio", rate=2.0), "virtio,rate=2"),
        (NetQemu("virtio", extra={"new-key": True}), "virtio,new-key=1"),
    ],
)
def test_a_value_is_written_as_pve_wants_it(value: options.OptionValue, text: str) -> None:
    assert str(value) == text
    assert type(value).parse(text) == value


def test_aliases_and_the_default_key_are_read() -> None:
    assert ScsiQemu.parse("volume=local:8").file == "local:8"
    assert NetQemu.parse("model=virtio") == NetQemu.parse("virtio")
    assert ScsiQemu.parse("local:8,iops_rd_length=3").iops_rd_max_length == 3
    assert str(ScsiQemu("/dev/disk/by-id/a=b")) == "file=/dev/disk/by-id/a=b"


def test_a_size_is_a_text_that_knows_its_bytes() -> None:
    size = ScsiQemu.parse("local:8,size=1.5G").size
    assert size is not None
    assert size.bytes == 3 << 29
    assert Size.of(4 << 20) == "4M"
    assert [Size.of(0), Size.of(1000)] == ["0", "1000"]
    with pytest.raises(ValueError, match="not a size such as 32G: '8 GB'"):
        Size("8 GB")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("virtio,tag=5000", r"net\[n\]: tag cannot be '5000': a whole number from 1 to 4094"),
        ("virtio,tag=x", r"net\[n\]: tag cannot be 'x': a whole number from 1 to 4094"),
        ("virtio,firewall=2", r"net\[n\]: firewall cannot be '2': true or false"),
        ("virtio=BC:24", r"net\[n\]: macaddr cannot be 'BC:24': a unicast MAC address such as "),
        ("e2000", r"net\[n\]: model cannot be 'e2000': one of e1000, "),
        ("bridge=vmbr0", r"net\[n\]: model must be given: one of e1000, "),
        ("virtio=BC:24:11:00:00:01,model=e1000", r"net\[n\]: model is given twice: once is enough"),
    ],
)
def test_what_pve_would_refuse_names_option_key_and_what_is_allowed(
    text: str, message: str
) -> None:
    with pytest.raises(OptionInvalid, match=f"^{message}"):
        NetQemu.parse(text)


def test_errors_hold_their_parts() -> None:
    with pytest.raises(OptionInvalid) as caught:
        NetQemu("virtio", tag=0)
    assert caught.value.option == "net[n]"
    assert caught.value.key == "tag"
    assert caught.value.allowed == "a whole number from 1 to 4094"


@pytest.mark.parametrize(
    ("key", "text", "allowed"),
    [
        ("ip", "10.0.0.1", "dhcp, manual or an IPv4 address with prefix length"),
        ("ip", "fd00::1/64", "dhcp, manual or an IPv4 address with prefix length"),
        ("ip6", "10.0.0.1/8", "auto, dhcp, manual or an IPv6 address with prefix length"),
        ("gw", "gateway", "an IPv4 address"),
    ],
)
def test_addresses_are_judged(key: str, text: str, allowed: str) -> None:
    given = f"ip=dhcp,{key}={text}" if key == "gw" else f"{key}={text}"
    with pytest.raises(OptionInvalid) as caught:
        IpconfigQemu.parse(given)
    assert (caught.value.key, caught.value.allowed) == (key, allowed)
    assert IpconfigQemu.read(given).extra == {key: text}


def test_a_key_that_needs_another_says_so() -> None:
    with pytest.raises(OptionInvalid, match=r"ipconfig.*gw cannot stand alone: give ip with it"):
        IpconfigQemu(gw="10.0.0.1")
    with pytest.raises(OptionInvalid, match=r"holds 'dhcp' without a key: write key=value"):
        IpconfigQemu.parse("dhcp")


@pytest.mark.parametrize("value", ["a,b", " a", "a\n"])
def test_what_the_grammar_cannot_carry_is_refused(value: str) -> None:
    with pytest.raises(OptionInvalid):
        ScsiQemu(value)
    with pytest.raises(OptionInvalid, match="no commas, no blanks around"):
        ScsiQemu("local:8", extra={"k": value})
    with pytest.raises(OptionInvalid):
        ScsiQemu("local:8", extra={"": "1"})


def test_reading_an_answer_never_raises_and_loses_nothing() -> None:
    odd = NetQemu.read("newmodel=AA,bridge=vmbr0,tag=99999,tag2")
    assert odd.extra == {"": "newmodel=AA,bridge=vmbr0,tag=99999,tag2"} or odd.model is None
    newer = NetQemu.read("newmodel=AA,bridge=vmbr0,tag=99999")
    assert newer.bridge == "vmbr0"
    assert newer.tag is None
    assert newer.extra == {"newmodel": "AA", "tag": "99999"}
    assert str(newer) == "bridge=vmbr0,newmodel=AA,tag=99999"
    twice = NetQemu.read("virtio,virtio")
    assert str(twice) == "virtio,virtio"
    assert NetQemu.read(str(twice)) == twice
    assert AgentQemu.read(1) == AgentQemu(True)
    assert PruneBackups.read({"keep-last": "3"}) == PruneBackups(keep_last=3)


def test_a_newer_word_can_be_given_in_extra() -> None:
    vga = VgaQemu(extra={"type": "holographic"}, memory=16)
    assert str(vga) == "memory=16,type=holographic"
    assert VgaQemu.read(str(vga)) == vga
    with pytest.raises(OptionInvalid, match="type stands in extra: give it as keyword"):
        VgaQemu("std", extra={"type": "std"})


def test_values_are_frozen_and_changed_by_copy() -> None:
    net = NetQemu("virtio", bridge="vmbr0", extra={"x": "1"})
    with pytest.raises(AttributeError, match="frozen"):
        net.bridge = "vmbr1"
    with pytest.raises(AttributeError, match="frozen"):
        del net.bridge
    changed = net.updated(bridge=None, tag=5)
    assert str(changed) == "virtio,tag=5,x=1"
    assert net == NetQemu.parse("virtio,bridge=vmbr0,x=1")
    assert net != changed
    assert net != "virtio,bridge=vmbr0,x=1"
    assert {net, copy.deepcopy(net), pickle.loads(pickle.dumps(net))} == {net}
    assert repr(net) == "NetQemu(model='virtio', bridge='vmbr0', extra={'x': '1'})"
    assert net.to_dict() == {"model": "virtio", "bridge": "vmbr0", "x": "1"}
    with pytest.raises(TypeError):
        net.updated(colour="red")


def test_an_option_is_found_by_its_name() -> None:
    assert options.find("qemu", "net31") is NetQemu
    assert options.find("qemu", "boot") is BootQemu
    assert options.find("", "prune-backups") is PruneBackups
    assert options.find("qemu", "name") is None
    assert options.find("lxc", "net0") is options.NetLxc
    assert "NetQemu" in dir(options)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        options.Nothing  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType]


def test_results_offer_their_options_as_values() -> None:
    config = NodesQemuConfig.from_wire(
        {
            "digest": "d",
            "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
            "scsi1": "local:8,size=8G",
            "boot": "order=scsi1",
            "memory": "512",
            "agent": 1,
        }
    )
    typed = config.typed
    assert typed.net[0].bridge == "vmbr0"
    assert typed.scsi == {1: ScsiQemu("local:8", size="8G")}
    assert typed.boot == BootQemu(order=("scsi1",))
    assert typed.memory is not None
    assert typed.memory.current == 512
    assert typed.agent == AgentQemu(True)
    assert typed.vga is None
    assert typed.ide == {}
    assert set(typed.to_dict()) == {"net", "scsi", "boot", "memory", "agent"}
    assert "net={0: NetQemu(" in repr(typed)
    assert "net" in dir(typed)
    assert config.net == {0: "virtio=BC:24:11:00:00:01,bridge=vmbr0"}
    with pytest.raises(AttributeError, match="no option 'name'"):
        typed.name  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType]


def test_operations_take_options() -> None:
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"data": None})

    with Client("pve1", token=TOKEN, transport=httpx.MockTransport(handle)) as client:
        client.nodes("pve1").qemu(100).config.put(
            net={0: NetQemu("virtio", bridge="vmbr0")},
            boot=BootQemu(order=("scsi0",)),
            scsi={1: "local:8", 2: {"file": "local:9"}},
        )
    assert parse_qs(sent[0].content.decode()) == {
        "net0": ["virtio,bridge=vmbr0"],
        "boot": ["order=scsi0"],
        "scsi1": ["local:8"],
        "scsi2": ["file=local:9"],
    }


def test_importing_options_loads_no_class() -> None:
    code = (
        "import sys, proxmox_client.options as o;"
        "assert not [m for m in sys.modules if m.startswith('proxmox_client.api')];"
        "o.NetLxc; assert 'proxmox_client.api.options.qemu' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
