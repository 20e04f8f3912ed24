"""What the table predicts is what happens: every change is made on a simulated guest.

A prediction holds if the running configuration (`current=1`) shows the new value at once, or shows
the old one while the new one is pending.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from pmpc_reconcile.classify import Effect, classify, hotplug_features
from pmpc_reconcile.diff import Action, FieldChange, to_wire
from pmpc_reconcile.kinds import Kind, kind, options_of
from pmpc_reconcile.values import ABSENT, Absent, FieldValue, default_of, live_fields, same
from proxmox_client.testing import SimulatedCluster

VM, CT = kind("VirtualMachine"), kind("Container")
Value = FieldValue | None

# The options a guest begins with, path below config, the new value (None removes the field).
Row = tuple[dict[str, str], str, Value]

DISK = {"scsi0": "local-lvm:vm-{vmid}-disk-0,size=8G"}
VIRTIO = {"virtio0": "local-lvm:vm-{vmid}-disk-0,size=8G,iops_wr=50"}
SATA = {"sata0": "local-lvm:vm-{vmid}-disk-0,size=8G"}
CDROM = {"ide2": "none,media=cdrom"}
CARD = {"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,rate=5,queues=2"}

MACHINE: list[Row] = [
    # always at once
    ({}, "description", "new"),
    ({"description": "old"}, "description", "new"),
    ({"description": "old"}, "description", None),
    ({}, "onboot", True),
    ({"onboot": "1"}, "onboot", None),
    ({}, "protection", True),
    ({}, "shares", 500),
    ({"shares": "500"}, "shares", None),
    ({}, "migrate_downtime", 0.5),
    ({}, "migrate_speed", 100),
    ({}, "vmstatestorage", "local-lvm"),
    ({"vmstatestorage": "local-lvm"}, "vmstatestorage", None),
    ({"name": "a"}, "name", "b"),
    ({}, "startup.order", 3),
    ({"startup": "order=1"}, "startup.up", 30),
    ({"startup": "order=1"}, "startup.order", None),
    ({}, "tags.web", True),
    ({"tags": "db;web"}, "tags.web", None),
    ({"tags": "web"}, "tags.web", None),
    ({}, "cpulimit", 2),
    ({"cpulimit": "1"}, "cpulimit", None),
    ({}, "cpuunits", 200),
    ({"cpuunits": "200"}, "cpuunits", None),
    # cloud-init
    ({}, "ciuser", "ada"),
    ({"ciuser": "ada"}, "ciuser", None),
    ({}, "citype", "nocloud"),
    ({}, "ciupgrade", False),
    ({}, "sshkeys", "ssh-ed25519 AAAA a@b"),
    ({}, "ipconfig0.ip", "dhcp"),
    ({"ipconfig0": "ip=dhcp"}, "ipconfig0.ip6", "auto"),
    ({"ipconfig0": "ip=dhcp"}, "ipconfig0.ip", None),
    ({}, "nameserver", "10.0.0.1"),
    ({"nameserver": "10.0.0.1"}, "nameserver", None),
    ({}, "searchdomain", "example.com"),
    # after a restart
    ({}, "cores", 4), ({"cores": "2"}, "cores", None), ({}, "sockets", 2),
    ({}, "cpu.cputype", "host"), ({"cpu": "host"}, "cpu.flags", "+aes"),
    ({"cpu": "host"}, "cpu.cputype", None), ({}, "bios", "ovmf"), ({}, "machine.type", "q35"),
    ({"machine": "q35"}, "machine.type", None), ({}, "scsihw", "virtio-scsi-single"),
    ({}, "vga.type", "qxl"), ({"vga": "qxl"}, "vga.memory", 64), ({}, "args", "-no-hpet"),
    ({}, "arch", "aarch64"), ({}, "acpi", False), ({}, "kvm", False), ({}, "localtime", True),
    ({}, "freeze", True), ({}, "keyboard", "de"), ({}, "ostype", "win11"), ({}, "numa", True),
    ({}, "affinity", "0-1"), ({}, "hugepages", "2"),
    ({"hugepages": "2"}, "keephugepages", True), ({}, "reboot", False), ({}, "autostart", True),
    ({}, "tdf", True), ({}, "startdate", "now"), ({}, "smbios1.manufacturer", "QWNtZQ=="),
    ({"smbios1": "uuid=6b4b8a4e-6a2b-4a5f-a4e5-5c5c5c5c5c5c"}, "smbios1.serial", "1"),
    ({}, "vmgenid", "6b4b8a4e-6a2b-4a5f-a4e5-5c5c5c5c5c5c"),
    ({}, "rng0.source", "/dev/urandom"), ({"rng0": "/dev/urandom"}, "rng0.max_bytes", 2048),
    ({"rng0": "/dev/urandom"}, "rng0.source", None), ({}, "audio0.device", "ich9-intel-hda"),
    ({}, "watchdog.model", "i6300esb"),
    ({"watchdog": "model=i6300esb"}, "watchdog.action", "reset"),
    ({}, "spice_enhancements.videostreaming", "all"), ({}, "ivshmem.size", 8),
    ({}, "serial0", "socket"), ({"serial0": "socket"}, "serial0", None),
    ({}, "parallel0", "/dev/parport0"), ({}, "hostpci0.host", "0000:01:00.0"),
    ({"hostpci0": "0000:01:00.0"}, "hostpci0.rombar", False), ({}, "numa0.cpus", "0-1"),
    ({}, "agent.enabled", True), ({"agent": "1"}, "agent.type", "isa"),
    ({"agent": "1"}, "agent.enabled", None),
    ({**DISK, **CDROM, "boot": "order=scsi0"}, "boot.order", "ide2;scsi0"),
    # by their values
    ({}, "balloon", 256),
    ({"balloon": "256"}, "balloon", 300),
    ({"balloon": "256"}, "balloon", None),
    ({}, "balloon", 0),
    ({"balloon": "0"}, "balloon", 256),
    ({"balloon": "0"}, "balloon", None),
    ({"agent": "1"}, "agent.fstrim_cloned_disks", True),
    ({"agent": "1,fstrim_cloned_disks=1"}, "agent.fstrim_cloned_disks", None),
    # by hot-plug features
    ({}, "memory", 4096),
    ({"cores": "4"}, "vcpus", 2),
    ({"cores": "4", "vcpus": "2"}, "vcpus", None),
    ({}, "tablet", False),
    ({"tablet": "0"}, "tablet", None),
    ({}, "usb0.host", "spice"),
    ({"usb0": "spice"}, "usb0.usb3", True),
    ({"usb0": "spice"}, "usb0.host", None),
    # cards
    (CARD, "net0.bridge", "vmbr1"),
    (CARD, "net0.tag", 20),
    (CARD, "net0.trunks", "1;2"),
    (CARD, "net0.firewall", True),
    (CARD, "net0.rate", 10),
    (CARD, "net0.rate", None),
    (CARD, "net0.link_down", True),
    (CARD, "net0.model", "e1000"),
    (CARD, "net0.macaddr", "BC:24:11:00:00:02"),
    (CARD, "net0.queues", 4),
    (CARD, "net0.queues", None),
    (CARD, "net0.mtu", 1400),
    (CARD, "net0.bridge", None),
    ({"net0": "virtio=BC:24:11:00:00:01"}, "net0.bridge", "vmbr0"),
    (CARD, "net0.model", None),
    ({}, "net1.model", "virtio"),
    # disks that stay
    *[(DISK, f"scsi0.{key}", value) for key, value in (
        ("aio", "threads"), ("discard", "on"), ("iothread", True), ("cache", "writeback"),
        ("ssd", True), ("ro", True), ("queues", 2), ("product", "disk"), ("vendor", "acme"),
        ("backup", False), ("replicate", False), ("shared", True), ("snapshot", True),
        ("serial", "s1"), ("wwn", "0x500a0b8000000001"), ("rerror", "report"),
        ("werror", "report"), ("detect_zeroes", False), ("mbps_rd", 10), ("mbps_wr_max", 20),
        ("iops", 100), ("iops_rd_max_length", 5), ("bps_max_length", 5))],
    *[(VIRTIO, f"virtio0.{key}", value) for key, value in (
        ("cache", "none"), ("cache", "unsafe"), ("iops_wr", 10), ("iops_wr", None),
        ("ro", True), ("backup", False), ("volume", None))],
    *[(SATA, f"sata0.{key}", value) for key, value in (
        ("ssd", True), ("discard", "on"), ("mbps", 10), ("backup", False), ("volume", None))],
    # disks that come and go
    (DISK, "scsi0.volume", None),
    ({}, "scsi1.storage", "local-lvm"),
    ({}, "virtio1.storage", "local-lvm"),
    ({}, "sata1.storage", "local-lvm"),
    ({}, "ide1.storage", "local-lvm"),
    ({}, "efidisk0.storage", "local-lvm"),
    ({}, "tpmstate0.storage", "local-lvm"),
    # media
    (CDROM, "ide2.volume", "local:iso/debian.iso"),
    ({"ide2": "local:iso/debian.iso,media=cdrom"}, "ide2.volume", "none"),
    (CDROM, "ide2.volume", None),
]  # fmt: skip

ROOT = {
    "rootfs": "local-lvm:vm-{vmid}-disk-0,size=4G",
    "hostname": "a",
    "arch": "amd64",
    "ostype": "debian",
}
VETH = {**ROOT, "net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,type=veth,rate=5"}
MOUNT = {**ROOT, "mp0": "local-lvm:vm-{vmid}-disk-1,mp=/data,size=4G"}

CONTAINER: list[Row] = [
    (ROOT, "description", "new"),
    ({**ROOT, "description": "old"}, "description", None),
    (ROOT, "onboot", True),
    ({**ROOT, "onboot": "1"}, "onboot", None),
    (ROOT, "protection", True),
    (ROOT, "startup.order", 2),
    (ROOT, "hostname", "b"),
    (ROOT, "cores", 2),
    ({**ROOT, "cores": "2"}, "cores", None),
    (ROOT, "tags.web", True),
    ({**ROOT, "tags": "web"}, "tags.web", None),
    (ROOT, "cpulimit", 1.5),
    ({**ROOT, "cpulimit": "1"}, "cpulimit", None),
    (ROOT, "cpuunits", 500),
    ({**ROOT, "cpuunits": "500"}, "cpuunits", None),
    (ROOT, "memory", 1024),
    (ROOT, "swap", 0),
    ({**ROOT, "swap": "0"}, "swap", None),
    (ROOT, "net1.name", "eth1"),
    (VETH, "net0.bridge", "vmbr1"),
    (VETH, "net0.tag", 20),
    (VETH, "net0.rate", None),
    (VETH, "net0.firewall", True),
    (VETH, "net0.ip", "dhcp"),
    (VETH, "net0.name", None),
    (ROOT, "nameserver", "10.0.0.1"),
    ({**ROOT, "nameserver": "10.0.0.1"}, "nameserver", None),
    (ROOT, "searchdomain", "example.com"),
    (ROOT, "console", False),
    (ROOT, "tty", 1),
    (ROOT, "cmode", "shell"),
    (ROOT, "timezone", "host"),
    (ROOT, "ostype", "ubuntu"),
    (ROOT, "arch", "arm64"),
    (ROOT, "debug", True),
    (ROOT, "features.nesting", True),
    ({**ROOT, "features": "nesting=1"}, "features.keyctl", True),
    ({**ROOT, "features": "nesting=1"}, "features.nesting", None),
    (ROOT, "rootfs.quota", True),
    (ROOT, "rootfs.mountoptions", "noatime"),
    (ROOT, "dev0.path", "/dev/kvm"),
    ({**ROOT, "dev0": "/dev/kvm"}, "dev0.mode", "0660"),
    ({**ROOT, "dev0": "/dev/kvm"}, "dev0.path", None),
    (ROOT, "mp0.mp", "/data"),
    (MOUNT, "mp0.backup", True),
    (MOUNT, "mp0.ro", True),
    (MOUNT, "mp0.mp", "/srv"),
    (MOUNT, "mp0.volume", None),
]

# What a new option needs besides the field in question.
COMPANIONS: Mapping[str, dict[str, FieldValue]] = {
    "net1.model": {"net1.bridge": "vmbr0"},
    "net1.name": {"net1.bridge": "vmbr0"},
    "mp0.mp": {"mp0.storage": "local-lvm", "mp0.size": "4G"},
    "scsi1.storage": {"scsi1.size": "4G"},
    "virtio1.storage": {"virtio1.size": "4G"},
    "sata1.storage": {"sata1.size": "4G"},
    "ide1.storage": {"ide1.size": "4G"},
}
HOTPLUG: Mapping[str, str | None] = {
    "usual": None,
    "none": "0",
    "all": "network,disk,cpu,memory,usb",
}


@attrs.frozen
class Lab:
    """A cluster with room for one guest per row."""

    cluster: SimulatedCluster
    vmids: list[int]

    def guest(self, of: Kind, options: Mapping[str, str], *, running: bool) -> str:
        """Make a guest and return the path of its configuration."""
        vmid = self.vmids.pop()
        config = {name: text.format(vmid=vmid) for name, text in options.items()}
        add = self.cluster.add_vm if of is VM else self.cluster.add_container
        add("pve1", vmid, config, status="running" if running else "stopped")
        return f"/nodes/pve1/{of.guest}/{vmid}/config"

    def config(self, path: str, *, current: bool) -> dict[str, Any]:
        config: dict[str, Any] = self.cluster.call("GET", path, {"current": 1} if current else {})
        return config


@pytest.fixture(scope="module")
def lab() -> Lab:
    cluster = SimulatedCluster(nodes=("pve1",), version="9.2")
    cluster.add_volume("local", "iso/debian.iso", 1_000_000)
    return Lab(cluster, list(range(9999, 100, -1)))


def wanted(of: Kind, config: Mapping[str, Any], name: str, value: Value) -> list[FieldChange]:
    """Return the change of a row, with whatever else PVE wants for a new option."""
    live = live_fields(of, config)
    path = f"config.{name}"
    if value is None:
        return [FieldChange(path=path, action=Action.REMOVE, live=live[path])]
    slot = name.partition(".")[0]
    new = slot not in config
    fields = {name: value, **(COMPANIONS.get(name, {}) if new else {})}
    return [
        FieldChange(
            path=f"config.{key}",
            action=Action.CHANGE if f"config.{key}" in live else Action.ADD,
            live=live.get(f"config.{key}", default_of(of, f"config.{key}")),
            desired=entry,
        )
        for key, entry in fields.items()
    ]


def observed(lab: Lab, of: Kind, path: str, change: FieldChange) -> Effect:
    """Say whether the guest uses the new value, or only will."""

    def shows(current: bool) -> bool:
        found = live_fields(of, lab.config(path, current=current)).get(change.path, ABSENT)
        after: FieldValue | Absent = change.desired
        if after is ABSENT:
            return found is ABSENT
        return same(of, change.path, after, found)

    assert shows(current=False), "the change was not taken"
    return Effect.LIVE if shows(current=True) else Effect.RESTART


def check(lab: Lab, of: Kind, row: Row, *, running: bool) -> None:
    options, name, value = row
    path = lab.guest(of, options, running=running)
    config = lab.config(path, current=False)
    changes = wanted(of, config, name, value)
    wire = to_wire(of, changes, config)
    assert not wire.refused, wire.refused
    change = changes[0]
    slot = name.partition(".")[0]
    predicted = classify(
        of,
        change.path,
        change.action,
        running=running,
        hotplug=hotplug_features(lab.config(path, current=True)),
        new_slot=slot not in config or slot in wire.delete or None,
        before=change.live,
        after=change.desired,
    )
    lab.cluster.call("PUT", path, wire.parameters())
    assert observed(lab, of, path, change) is predicted, (predicted, wire)


@pytest.mark.parametrize("hotplug", HOTPLUG)
@pytest.mark.parametrize("row", MACHINE, ids=lambda row: f"{row[1]}={row[2]}")
def test_a_running_machine(lab: Lab, row: Row, hotplug: str) -> None:
    options, name, value = row
    features = HOTPLUG[hotplug]
    base = {"ostype": "l26", "memory": "2048", "numa": "1" if hotplug == "all" else "0"}
    base |= {} if features is None else {"hotplug": features}
    if name == "numa" and hotplug == "all":
        value = False
    check(lab, VM, ({**base, **options}, name, value), running=True)


@pytest.mark.parametrize("row", MACHINE, ids=lambda row: f"{row[1]}={row[2]}")
def test_a_stopped_machine(lab: Lab, row: Row) -> None:
    options, name, value = row
    check(lab, VM, ({"ostype": "l26", "memory": "2048", **options}, name, value), running=False)


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("row", CONTAINER, ids=lambda row: f"{row[1]}={row[2]}")
def test_a_container(lab: Lab, row: Row, running: bool) -> None:
    check(lab, CT, row, running=running)


@pytest.mark.parametrize(
    ("features", "after"),
    [
        ("disk", "disk,network"),
        ("disk", None),
        ("disk", "cpu,disk"),
        ("cpu", "disk"),
        ("cpu", None),
    ],
)
def test_the_features_themselves(lab: Lab, features: str, after: Value) -> None:
    check(lab, VM, ({"hotplug": features}, "hotplug", after), running=True)


@pytest.mark.parametrize("system", ["l26", "win8", "win11"])
def test_usb_devices_with_a_system_that_takes_them(lab: Lab, system: str) -> None:
    options = {"ostype": system}
    check(lab, VM, (options, "usb0.host", "spice"), running=True)
    check(lab, VM, ({**options, "usb0": "spice"}, "usb0.host", None), running=True)


def test_the_rows_cover_the_options() -> None:
    """What no row tries has a reason here."""
    elsewhere = {
        "hotplug", "hookscript", "cipassword", "cicustom",  # a snippet or a secret is needed
        "virtiofs", "amd-sev", "intel-tdx", "allow-ksm", "running-nets-host-mtu", "unprivileged",
        "entrypoint", "env", "lock", "vmstate", "runningmachine", "snapstate",
        "bootdisk",  # an old name
    }  # fmt: skip
    for of, rows in ((VM, MACHINE), (CT, CONTAINER)):
        tried = {
            option.name
            for _, name, _ in rows
            if (option := options_of(of).find(name.partition(".")[0])) is not None
        }
        known = {option.name for option in options_of(of).options.values()} - of.create_only
        assert known - tried <= elsewhere, sorted(known - tried - elsewhere)
