"""The tables: the first rule that fits counts, what fits none waits for a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pmpc_reconcile.classify.rule import Effect, Rule, Value
from pmpc_reconcile.diff import Action

_FACTS: Final = "PVE_FACTS: Pending, hot-plug, restart"
_RECORDED: Final = "recorded on PVE 9.2"
_SERVER: Final = "qemu-server's handling of pending changes"

_NEW: Final = frozenset({Action.ADD})


def _of(words: str) -> frozenset[str]:
    return frozenset(words.split())


DISKS: Final = _of("scsi virtio sata ide")
CLOUD_INIT: Final = _of(
    "ciuser cipassword citype ciupgrade cicustom sshkeys ipconfig nameserver searchdomain"
)
"""Options that only the cloud-init drive is made of; names and network cards are on it, too."""


def _switches_ballooning(before: Value, after: Value) -> bool:
    """Whether the balloon device comes or goes: 0 is without, everything else with it."""
    return (before == 0) is not (after == 0)


def _involves_cpu_or_memory(before: Value, after: Value) -> bool:
    return any(word in str(value) for value in (before, after) for word in ("cpu", "memory"))


QEMU: Final = (
    Rule(
        options=_of(
            "description hookscript migrate_downtime migrate_speed name onboot protection shares"
            " startup tags vmstatestorage"
        ),
        effect=Effect.LIVE,
        source=f"{_FACTS}: always live",
    ),
    Rule(
        options=CLOUD_INIT,
        effect=Effect.LIVE,
        source=f"{_FACTS}: cloud-init values; the drive on regenerate, which a plan does, or boot",
    ),
    Rule(
        options=_of("cpulimit cpuunits"),
        effect=Effect.LIVE,
        source="set in the control group of the running guest (qemu-server)",
    ),
    Rule(
        options=_of("balloon"),
        effect=Effect.LIVE,
        unless=_switches_ballooning,
        source=f"{_SERVER}: the target moves at once; the device comes and goes with a restart",
    ),
    Rule(
        options=_of("hotplug"),
        effect=Effect.LIVE,
        unless=_involves_cpu_or_memory,
        source=f"{_SERVER}: features other than cpu and memory need nothing in the machine",
    ),
    Rule(
        options=_of("agent"),
        keys=_of("fstrim_cloned_disks"),
        slot=False,
        effect=Effect.LIVE,
        source=f"{_SERVER}: it only guides what PVE does after a clone",
    ),
    Rule(
        options=_of("net"),
        slot=True,
        effect=Effect.LIVE,
        feature="network",
        source=f"{_FACTS}: cards by plug and unplug",
    ),
    Rule(
        options=_of("net"),
        keys=_of("model macaddr queues mtu"),
        effect=Effect.LIVE,
        feature="network",
        source=f"{_FACTS}: model, macaddr, queues, mtu by unplug and plug",
    ),
    Rule(
        options=_of("net"),
        keys=_of("bridge"),
        actions=frozenset({Action.ADD, Action.REMOVE}),
        effect=Effect.LIVE,
        feature="network",
        source=f"{_SERVER}: between bridge and NAT by unplug and plug",
    ),
    Rule(
        options=_of("net"),
        effect=Effect.LIVE,
        source=f"{_FACTS}: bridge, tag, trunks, firewall, rate, link_down at the host's end",
    ),
    Rule(
        options=_of("tpmstate0"),
        keys=_of("storage"),
        slot=False,
        effect=Effect.STOP,
        source=f"{_SERVER}: clone_disk refuses the TPM state of a running machine",
    ),
    Rule(
        options=_of("efidisk0"),
        keys=_of("storage"),
        slot=False,
        effect=Effect.LIVE,
        source=f"{_SERVER}: move_disk mirrors it",
    ),
    Rule(
        options=DISKS,
        keys=_of("size storage"),
        slot=False,
        effect=Effect.LIVE,
        source="resize and move_disk work on running guests (recorded)",
    ),
    Rule(
        options=DISKS,
        keys=_of("aio cache discard iothread product queues ro ssd vendor"),
        slot=False,
        effect=Effect.RESTART,
        source=f"{_FACTS}: aio, discard, iothread, cache, ssd, ro stay pending",
    ),
    Rule(
        options=_of("scsi virtio"),
        keys=_of("volume"),
        slot=False,
        effect=Effect.LIVE,
        feature="disk",
        source=f"{_SERVER}: another volume by unplug and plug",
    ),
    Rule(
        options=DISKS,
        slot=False,
        effect=Effect.LIVE,
        source=f"{_FACTS}: throttles and CD-ROM medium live; the rest is for PVE itself",
    ),
    Rule(
        options=_of("scsi virtio"),
        slot=True,
        effect=Effect.LIVE,
        feature="disk",
        source=f"{_FACTS}: disks added or removed",
    ),
    Rule(
        options=_of("usb"),
        effect=Effect.LIVE,
        feature="usb-devices",
        source=f"{_FACTS}: usb; {_SERVER}: with Linux or Windows 8 and later",
    ),
    Rule(
        options=_of("tablet"),
        effect=Effect.LIVE,
        feature="usb",
        source=f"{_SERVER}: the tablet is plugged and unplugged",
    ),
    Rule(options=_of("vcpus"), effect=Effect.LIVE, feature="cpu", source=f"{_FACTS}: vcpus (cpu)"),
    Rule(
        options=_of("memory"),
        effect=Effect.LIVE,
        feature="memory",
        source=f"{_FACTS}: memory, needs NUMA",
    ),
)

LXC: Final = (
    Rule(
        options=_of("unprivileged"),
        effect=Effect.REPLACE,
        source=f"{_RECORDED}: unable to modify read-only option: 'unprivileged'",
    ),
    Rule(
        options=_of("password ssh-public-keys ostemplate"),
        effect=Effect.CREATE_ONLY,
        source="parameters of POST /nodes/{node}/lxc alone",
    ),
    Rule(
        options=_of(
            "description onboot startup protection hostname hookscript cores tags cpulimit"
            " cpuunits memory swap net"
        ),
        effect=Effect.LIVE,
        source=f"{_FACTS}: container, running",
    ),
    Rule(
        options=_of("rootfs mp"),
        keys=_of("size"),
        slot=False,
        effect=Effect.LIVE,
        source=f"{_RECORDED}: PUT resize of a running container",
    ),
    Rule(
        options=_of("rootfs mp"),
        keys=_of("storage"),
        slot=False,
        effect=Effect.STOP,
        source="move_volume refuses a running container",
    ),
    Rule(
        options=_of("mp dev"),
        actions=_NEW,
        slot=True,
        effect=Effect.LIVE,
        source=f"{_FACTS}: new mount points and devices",
    ),
)

WAITS: Final = Rule(
    options=frozenset(), effect=Effect.RESTART, source=f"{_FACTS}: everything else waits"
)
OUTSIDE: Final = Rule(
    options=frozenset(), effect=Effect.LIVE, source="not an option of the guest's configuration"
)

TABLES: Final[Mapping[str, tuple[Rule, ...]]] = {"qemu": QEMU, "lxc": LXC}
