"""What lists and status answers say about a guest: sizes, processors, and figures of a running one.

The figures are made up from the guest's number and the time, so that they move, stay plausible and
are the same for the same simulation.
"""

from __future__ import annotations

import math
from typing import Any

from proxmox_client.testing.guests import keyed, options
from proxmox_client.testing.guests.drives import boot_size
from proxmox_client.testing.guests.filesystem import usable_size
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.sizes import MIB

_PRESSURES = (
    "pressurecpufull", "pressurecpusome", "pressureiofull", "pressureiosome",
    "pressurememoryfull", "pressurememorysome",
)  # fmt: skip


def summary(guest: Guest, *, now: float, host_cpus: int) -> dict[str, Any]:
    """Return the guest's row in ``/nodes/{node}/qemu`` or ``/nodes/{node}/lxc``."""
    row: dict[str, Any] = {
        "vmid": guest.vmid,
        "name": guest.name,
        "status": guest.status,
        "cpus": options.cpu_count(guest.kind, guest.config, host_cpus),
        "maxmem": options.memory_mib(guest.kind, guest.config) * MIB,
        "maxdisk": boot_size(guest.kind, guest.config),
        **dict.fromkeys(("uptime", "cpu", "mem", "disk", "netin", "netout"), 0),
    }
    for name in ("tags", "lock"):
        if name in guest.config:
            row[name] = guest.config[name]
    if guest.template:
        row["template"] = 1
    row.update(_qemu_extra(guest) if guest.kind == "qemu" else _lxc_extra(guest))
    if guest.running:
        row.update(_figures(guest, now, row))
    return row


def current(guest: Guest, *, now: float, host_cpus: int) -> dict[str, Any]:
    """Return what ``status/current`` answers, HA state aside."""
    row = summary(guest, now=now, host_cpus=host_cpus)
    if guest.kind == "lxc":
        return row
    row["qmpstatus"] = qmpstatus(guest)
    if keyed.parse(guest.config.get("agent", ""), "enabled").get("enabled") in ("1", "on", "yes"):
        row["agent"] = 1
    if "vga" in guest.config:
        row["clipboard"] = keyed.parse(guest.config["vga"], "type").get("clipboard")
    if guest.running and (seen := cards(guest, now)):
        row["nics"] = seen
    return row


def full(guest: Guest, *, now: float, host_cpus: int) -> dict[str, Any]:
    """Return the guest's row in ``/nodes/{node}/qemu?full=1``."""
    row = summary(guest, now=now, host_cpus=host_cpus)
    row["qmpstatus"] = qmpstatus(guest)
    if guest.running and (seen := cards(guest, now)):
        row["nics"] = seen
    return row


def qmpstatus(guest: Guest) -> str:
    """Return QEMU's own word for what the machine does."""
    return guest.qmpstatus if guest.running else "stopped"


def statistics(guest: Guest, *, at: float, host_cpus: int) -> dict[str, Any]:
    """Return one row of the guest's statistics; before it was made there is only the time."""
    row: dict[str, Any] = {"time": int(at)}
    if at <= guest.born:
        return row
    seen = summary(guest, now=at, host_cpus=host_cpus)
    row |= {"maxcpu": seen["cpus"], **{key: seen[key] for key in ("maxmem", "maxdisk", "disk")}}
    if guest.running and at > guest.started:
        seconds = at - guest.started
        row |= {key: seen[key] for key in (*_PRESSURES, "cpu", "mem")}
        row |= {key: seen[key] / seconds for key in ("netin", "netout")}
        if guest.kind == "qemu":
            row["memhost"] = seen["memhost"]
    return row


def _qemu_extra(guest: Guest) -> dict[str, Any]:
    extra: dict[str, Any] = {"memhost": 0}
    if any(f"serial{number}" in guest.config for number in range(4)):
        extra["serial"] = 1
    balloon = int(guest.config.get("balloon", "0"))
    if balloon:
        extra["balloon_min"] = balloon * MIB
        extra["shares"] = int(guest.config.get("shares", "1000"))
    return extra


def _lxc_extra(guest: Guest) -> dict[str, Any]:
    swap = int(guest.config.get("swap", "0"))
    return {"type": "lxc", "maxswap": swap * MIB, "swap": 0, "diskread": 0, "diskwrite": 0}


def _figures(guest: Guest, now: float, row: dict[str, Any]) -> dict[str, Any]:
    uptime = max(0, int(now - guest.started))
    busy = (1 + math.sin(now / 97 + guest.vmid)) / 2 if uptime > 30 else 0.0
    memory = int(row["maxmem"] * (0.08 + 0.35 * min(1.0, uptime / 300) * (0.8 + 0.2 * busy)))
    net = cards(guest, now).values()
    figures: dict[str, Any] = {
        "pid": guest.pid,
        "uptime": uptime,
        "cpu": round(0.35 * busy, 12) if busy else 0,
        "mem": memory,
        "netin": sum(entry["netin"] for entry in net),
        "netout": sum(entry["netout"] for entry in net),
        **dict.fromkeys(_PRESSURES, 0),
    }
    if guest.kind == "qemu":
        figures["memhost"] = memory
    else:
        figures["maxdisk"] = usable_size(row["maxdisk"], guest.formatted or row["maxdisk"])
        figures["disk"] = int(figures["maxdisk"] * 0.12)
    return figures


def cards(guest: Guest, now: float) -> dict[str, dict[str, int]]:
    """Return what has gone through each network card of a running guest, by the host's name."""
    uptime = max(0, int(now - guest.started))
    prefix = "tap" if guest.kind == "qemu" else "veth"
    names = sorted(name for name in guest.config if name[:3] == "net" and name[3:].isdigit())
    return {
        f"{prefix}{guest.vmid}i{name[3:]}": {
            "netin": uptime * (310 + guest.vmid % 50),
            "netout": uptime * (120 + guest.vmid % 30),
        }
        for name in names
    }
