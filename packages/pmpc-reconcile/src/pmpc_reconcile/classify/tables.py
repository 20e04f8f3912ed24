"""The tables: the first rule that fits counts, what fits none waits for a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pmpc_reconcile.classify.rule import Effect, Rule
from pmpc_reconcile.diff import Action

_FACTS: Final = "PVE_FACTS: Pending, hot-plug, restart"
_RECORDED: Final = "recorded on PVE 9.2"

_THROTTLES: Final = frozenset(
    f"{what}{way}{rest}"
    for what in ("bps", "iops", "mbps")
    for way in ("", "_rd", "_wr")
    for rest in ("", "_max", "_max_length")
)
_NEW: Final = frozenset({Action.ADD})


def _of(words: str) -> frozenset[str]:
    return frozenset(words.split())


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
        options=_of(
            "ciuser cipassword citype ciupgrade cicustom sshkeys ipconfig nameserver searchdomain"
        ),
        effect=Effect.LIVE,
        source=f"{_FACTS}: cloud-init values; the drive on regenerate or boot",
    ),
    Rule(
        options=_of("cpulimit cpuunits"),
        effect=Effect.LIVE,
        source="set in the control group of the running guest (qemu-server)",
    ),
    Rule(
        options=_of("balloon"),
        effect=Effect.LIVE,
        actions=frozenset({Action.CHANGE}),
        source="the balloon's target moves at once; adding or removing the device waits",
    ),
    Rule(
        options=_of("net"),
        effect=Effect.LIVE,
        feature="network",
        source=f"{_FACTS}: bridge, tag, trunks, firewall, rate, link_down live; the rest by unplug",
    ),
    Rule(
        options=_of("scsi virtio sata ide"),
        keys=_of("size storage"),
        slot=False,
        effect=Effect.LIVE,
        source="resize and move_disk work on running guests (recorded)",
    ),
    Rule(
        options=_of("scsi virtio"),
        keys=_THROTTLES | _of("backup replicate"),
        slot=False,
        effect=Effect.LIVE,
        feature="disk",
        source=f"{_FACTS}: throttles live; aio, discard, iothread, cache, ssd, ro stay pending",
    ),
    Rule(
        options=_of("scsi virtio"),
        slot=True,
        effect=Effect.LIVE,
        feature="disk",
        source=f"{_FACTS}: disks added or removed",
    ),
    Rule(
        options=_of("ide sata scsi"),
        keys=_of("volume"),
        slot=False,
        effect=Effect.LIVE,
        feature="disk",
        source=f"{_FACTS}: CD-ROM medium",
    ),
    Rule(
        options=_of("usb"),
        effect=Effect.LIVE,
        feature="usb",
        source=f"{_FACTS}: usb",
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
        options=_of("unprivileged arch"),
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
