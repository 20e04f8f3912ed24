"""What changes take on a running guest."""

from __future__ import annotations

import pytest

from pmpc_reconcile.classify import Effect, classify, hotplug_features, rule_for
from pmpc_reconcile.classify.tables import TABLES
from pmpc_reconcile.diff import Action
from pmpc_reconcile.kinds import kind, options_of
from pmpc_reconcile.values import ABSENT, Absent, FieldValue

VM, CT, POOL = kind("VirtualMachine"), kind("Container"), kind("Pool")
USUAL = frozenset({"network", "disk", "usb", "usb-devices"})
ALL = USUAL | {"cpu", "memory"}
LIVE, RESTART, STOP = Effect.LIVE, Effect.RESTART, Effect.STOP

# option or field below config, effect with the usual features, with all, with none
QEMU = [
    *[(f"config.{name}", LIVE, LIVE, LIVE) for name in (
        "description", "hookscript", "migrate_downtime", "migrate_speed", "name", "onboot",
        "protection", "shares", "startup.order", "tags.web", "vmstatestorage", "ciuser",
        "cipassword", "sshkeys", "ipconfig0.ip", "nameserver", "searchdomain", "cicustom.user",
        "citype", "ciupgrade", "cpulimit", "cpuunits", "scsi0.size", "scsi0.storage",
        "ide0.size", "virtio0.size", "net0.bridge", "net0.tag", "net0.trunks", "net0.firewall",
        "net0.rate", "net0.link_down", "scsi0.mbps_rd", "virtio0.iops_wr_max", "scsi0.backup",
        "sata0.mbps", "ide0.replicate", "ide2.volume", "hotplug", "agent.fstrim_cloned_disks",
        "balloon")],
    *[(f"config.{name}", RESTART, RESTART, RESTART) for name in (
        "cores", "sockets", "cpu.cputype", "machine.type", "bios", "scsihw", "vga.type",
        "boot.order", "hostpci0.host", "serial0", "efidisk0.volume", "tpmstate0.volume", "args",
        "numa", "numa0.cpus", "smbios1.uuid", "rng0.source", "agent.enabled", "ostype", "kvm",
        "acpi", "audio0.device", "watchdog.model", "localtime", "hugepages",
        "scsi0.aio", "scsi0.discard", "scsi0.iothread", "scsi0.cache", "scsi0.ssd", "virtio0.ro",
        "ide0.discard", "sata0.ssd", "virtiofs0.dirid")],
    *[(f"config.{name}", LIVE, LIVE, RESTART) for name in (
        "net0.model", "net0.macaddr", "net0.queues", "net0.mtu", "usb0.host", "tablet",
        "scsi0.volume", "virtio0.volume")],
    *[(f"config.{name}", RESTART, LIVE, RESTART) for name in ("vcpus", "memory")],
    ("state", LIVE, LIVE, LIVE),
    ("pool", LIVE, LIVE, LIVE),
]  # fmt: skip


@pytest.mark.parametrize(("path", "usual", "everything", "nothing"), QEMU)
def test_options_of_a_running_machine(
    path: str, usual: Effect, everything: Effect, nothing: Effect
) -> None:
    def effect(features: frozenset[str], running: bool = True) -> Effect:
        return classify(VM, path, Action.CHANGE, running=running, hotplug=features)

    assert (effect(USUAL), effect(ALL), effect(frozenset())) == (usual, everything, nothing)
    assert effect(frozenset(), running=False) is LIVE


LXC = [
    *[(f"config.{name}", LIVE) for name in (
        "description", "onboot", "startup.order", "protection", "hostname", "hookscript", "cores",
        "tags.a", "cpulimit", "cpuunits", "memory", "swap", "net0.bridge", "rootfs.size",
        "mp0.size")],
    *[(f"config.{name}", RESTART) for name in (
        "features.nesting", "nameserver", "searchdomain", "console", "tty", "cmode", "timezone",
        "ostype", "arch", "debug", "mp0.backup", "rootfs.quota", "dev0.path", "entrypoint", "env")],
    ("config.rootfs.storage", STOP),
    ("config.mp0.storage", STOP),
    ("config.unprivileged", Effect.REPLACE),
    ("config.password", Effect.CREATE_ONLY),
]  # fmt: skip


@pytest.mark.parametrize(("path", "expected"), LXC)
def test_options_of_a_running_container(path: str, expected: Effect) -> None:
    assert classify(CT, path, Action.CHANGE, running=True) is expected
    stopped = classify(CT, path, Action.CHANGE, running=False)
    assert stopped is (expected if expected in (Effect.REPLACE, Effect.CREATE_ONLY) else LIVE)


def test_whole_disks_and_mounts_come_and_go() -> None:
    def effect(path: str, action: Action, features: frozenset[str] = USUAL) -> Effect:
        return classify(VM, path, action, running=True, hotplug=features, new_slot=True)

    assert effect("config.scsi1.storage", Action.ADD) is LIVE
    assert effect("config.scsi1.cache", Action.ADD) is LIVE
    assert effect("config.scsi1.storage", Action.ADD, frozenset()) is RESTART
    assert effect("config.sata1.storage", Action.ADD) is RESTART
    mount = classify(CT, "config.mp1.storage", Action.ADD, running=True, new_slot=True)
    gone = classify(CT, "config.mp1.storage", Action.REMOVE, running=True, new_slot=True)
    assert (mount, gone) == (LIVE, RESTART)


@pytest.mark.parametrize(
    ("path", "before", "after", "effect"),
    [
        ("config.balloon", 1024, 2048, LIVE),
        ("config.balloon", ABSENT, 2048, LIVE),
        ("config.balloon", 1024, ABSENT, LIVE),
        ("config.balloon", ABSENT, 0, RESTART),
        ("config.balloon", 0, ABSENT, RESTART),
        ("config.balloon", 1024, 0, RESTART),
        ("config.hotplug", "disk", "disk,network", LIVE),
        ("config.hotplug", "disk", "cpu,disk", RESTART),
        ("config.hotplug", "disk,memory", "disk", RESTART),
    ],
)
def test_some_values_are_switched_by_a_restart_only(
    path: str, before: FieldValue | Absent, after: FieldValue | Absent, effect: Effect
) -> None:
    found = classify(VM, path, Action.CHANGE, running=True, before=before, after=after)
    assert found is effect


def test_a_bridge_that_comes_or_goes_takes_a_new_card() -> None:
    def effect(action: Action) -> Effect:
        return classify(VM, "config.net0.bridge", action, running=True, hotplug=frozenset())

    assert [effect(each) for each in (Action.ADD, Action.CHANGE, Action.REMOVE)] == [
        RESTART,
        LIVE,
        RESTART,
    ]


def test_keys_of_creation_say_so() -> None:
    found = classify(VM, "config.scsi0.import-from", Action.CHANGE, running=True)
    assert found is Effect.CREATE_ONLY
    assert classify(POOL, "comment", Action.CHANGE, running=True) is LIVE


@pytest.mark.parametrize(
    ("config", "features"),
    [
        ({}, {"network", "disk", "usb"}),
        ({"hotplug": "1"}, {"network", "disk", "usb"}),
        ({"hotplug": "0"}, set[str]()),
        ({"hotplug": "network,memory"}, {"network"}),
        ({"hotplug": "network,memory", "numa": 1}, {"network", "memory"}),
        ({"hotplug": "cpu , disk"}, {"cpu", "disk"}),
        ({"ostype": "l26"}, {"network", "disk", "usb", "usb-devices"}),
        ({"ostype": "win7"}, {"network", "disk", "usb"}),
        ({"ostype": "l26", "hotplug": "disk"}, {"disk"}),
    ],
)
def test_hotplug_features_are_read(config: dict[str, object], features: set[str]) -> None:
    assert hotplug_features(config) == features


def test_every_rule_has_a_source_and_names_options_that_exist() -> None:
    for of in (VM, CT):
        assert of.guest is not None
        known = {option.name for option in options_of(of).options.values()} | {"ostemplate"}
        for rule in TABLES[of.guest]:
            assert rule.source
            assert rule.options <= known, rule.options - known


def test_rules_explain_themselves() -> None:
    assert "always live" in rule_for(VM, "config.tags.web", Action.ADD).source
    assert "waits" in rule_for(VM, "config.cores", Action.CHANGE).source
