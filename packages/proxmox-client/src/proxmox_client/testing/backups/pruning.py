"""Which backups of a guest are kept: the newest, and one for each hour, day, week and so on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from proxmox_client.testing.state import Volume

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Period = Callable[[float], str]
Rules = Mapping[str, int]


def _period(form: str) -> Period:
    return lambda moment: time.strftime(form, time.gmtime(moment))


_PERIODS: dict[str, Period] = {
    "keep-last": lambda moment: str(moment),
    "keep-hourly": _period("%H/%d/%m/%Y"),
    "keep-daily": _period("%d/%m/%Y"),
    "keep-weekly": _period("%V/%G"),
    "keep-monthly": _period("%m/%Y"),
    "keep-yearly": _period("%Y"),
}


def parse(text: str) -> dict[str, int]:
    """Read ``keep-last=3,keep-daily=7``."""
    parts = (part.partition("=") for part in text.split(",") if part)
    return {name: int(value) for name, _, value in parts}


def kind_of(volume: Volume) -> str:
    """Whether a backup is a machine's or a container's."""
    return "lxc" if "-lxc-" in volume.name else "qemu"


def marked(volumes: Iterable[Volume], rules: Rules) -> list[tuple[Volume, str]]:
    """Mark every backup ``keep``, ``remove`` or ``protected``, guest by guest."""
    groups: dict[tuple[str, int | None], list[Volume]] = {}
    for volume in volumes:
        if volume.content == "backup":
            groups.setdefault((kind_of(volume), volume.vmid), []).append(volume)
    return [pair for group in groups.values() for pair in _group(group, rules)]


def _group(group: list[Volume], rules: Rules) -> list[tuple[Volume, str]]:
    newest = sorted(group, key=lambda volume: volume.ctime, reverse=True)
    marks = {volume.volid: "protected" for volume in newest if volume.protected}
    if rules.get("keep-all") or not any(rules.get(name) for name in _PERIODS):
        return [(volume, marks.get(volume.volid, "keep")) for volume in newest]
    for name, period in _PERIODS.items():
        _mark(newest, marks, rules.get(name, 0), period)
    return [(volume, marks.get(volume.volid, "remove")) for volume in newest]


def _mark(newest: list[Volume], marks: dict[str, str], count: int, period: Period) -> None:
    """Keep the newest backup of each of the latest periods that has none kept yet."""
    if not count:
        return
    done = {period(volume.ctime) for volume in newest if marks.get(volume.volid) == "keep"}
    fresh: set[str] = set()
    for volume in newest:
        ident = period(volume.ctime)
        if volume.volid in marks or ident in done:
            continue
        if ident in fresh:
            marks[volume.volid] = "remove"
            continue
        if len(fresh) >= count:
            break
        fresh.add(ident)
        marks[volume.volid] = "keep"


def prune(cluster: SimulatedCluster, volumes: Iterable[Volume], rules: Rules) -> list[str]:
    """Remove what is not kept and return the ids."""
    gone = [volume for volume, mark in marked(list(volumes), rules) if mark == "remove"]
    for volume in gone:
        cluster.volumes.remove(volume)
    return [volume.volid for volume in gone]
