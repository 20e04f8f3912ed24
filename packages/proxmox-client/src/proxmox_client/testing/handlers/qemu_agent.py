"""Questions to the agent inside a machine, keys and monitor commands."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.guests.agentcommands import COMMANDS
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.nics import parse_net
from proxmox_client.testing.guestwork import finding, power
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ROOT = "/nodes/{node}/qemu/{vmid}"
_AGENT = f"{_ROOT}/agent"
_NAMED_KEYS = (
    "alt", "alt_r", "apostrophe", "backslash", "backspace", "bracket_left", "bracket_right",
    "caps_lock", "comma", "ctrl", "ctrl_r", "delete", "dot", "down", "end", "equal", "esc",
    "grave_accent", "home", "insert", "kp_add", "kp_decimal", "kp_divide", "kp_enter",
    "kp_multiply", "kp_subtract", "left", "less", "menu", "meta_l", "meta_r", "minus", "num_lock",
    "pause", "pgdn", "pgup", "print", "ret", "right", "scroll_lock", "semicolon", "shift",
    "shift_r", "slash", "spc", "sysrq", "tab", "up",
)  # fmt: skip
_KEYS = frozenset(
    (
        *_NAMED_KEYS,
        *"abcdefghijklmnopqrstuvwxyz0123456789",
        *(f"f{number}" for number in range(1, 25)),
        *(f"kp_{number}" for number in range(10)),
    )
)
_PING_SECONDS = 3.0
_LAST_BYTE = 0xFF
_Ask = Callable[["SimulatedCluster", Call], Generator[float, None, Any]]
_GETS = (
    "file-read", "get-fsinfo", "get-host-name", "get-memory-block-info",
    "get-memory-blocks", "get-osinfo", "get-time", "get-timezone", "get-users", "get-vcpus",
    "info", "network-get-interfaces",
)  # fmt: skip
_POSTS = (
    "file-write", "fsfreeze-freeze", "fsfreeze-status", "fsfreeze-thaw", "fstrim", "ping",
    "set-user-password", "shutdown", "suspend-disk", "suspend-hybrid", "suspend-ram",
)  # fmt: skip


def _all_commands(function: _Ask) -> _Ask:
    """Mark a function as the handler of every agent command."""
    for name in _GETS:
        handles("GET", f"{_AGENT}/{name}")(function)
    for name in _POSTS:
        handles("POST", f"{_AGENT}/{name}")(function)
    return handles("POST", _AGENT)(function)


def _reach(cluster: SimulatedCluster, call: Call) -> Generator[float, None, Guest]:
    """Return the machine whose agent answers; without one the server waits three seconds."""
    guest = finding.called(cluster, call, "qemu")
    if not guest.running:
        raise PveFault(500, f"VM {guest.vmid} is not running")
    if not (guest.agent_answers and power.wants_agent(guest)):
        yield _PING_SECONDS
        raise PveFault(500, "QEMU guest agent is not running")
    return guest


@handles("POST", f"{_AGENT}/exec")
def execute(cluster: SimulatedCluster, call: Call) -> Generator[float, None, Any]:
    """Start a command inside; what it can be is in `SimulatedCluster.agent_commands`."""
    guest = yield from _reach(cluster, call)
    text = call.get("input-data", "")
    if any(ord(character) > _LAST_BYTE for character in text):
        raise PveFault(500, "Wide character in subroutine entry")
    stdin = text.encode("latin-1").decode(errors="replace")
    command = call["command"]
    now = cluster.clock.now()
    commands = {**COMMANDS, **cluster.agent_commands}
    pid = guest.processes.start(commands, command, stdin, now)
    if pid is None:
        what = f"Failed to execute child process “{command[0]}” (No such file or directory)"
        raise PveFault(500, f"Agent error: {what}")
    return {"pid": pid}


@handles("GET", f"{_AGENT}/exec-status")
def execution(cluster: SimulatedCluster, call: Call) -> Generator[float, None, Any]:
    """Say how a command stands; its end is told once."""
    guest = yield from _reach(cluster, call)
    told = guest.processes.status(call["pid"], cluster.clock.now())
    if told is None:
        raise PveFault(500, f"Agent error: PID {call['pid']} does not exist")
    return told


@_all_commands
def ask(cluster: SimulatedCluster, call: Call) -> Generator[float, None, Any]:
    """Ask the agent something else."""
    guest = yield from _reach(cluster, call)
    command = call.get("command") if call.route.path == _AGENT else call.route.path.rsplit("/")[-1]
    yield 0.02
    return {"result": _answer(cluster, guest, str(command))}


def _answer(cluster: SimulatedCluster, guest: Guest, command: str) -> Any:
    name = guest.name
    match command:
        case "get-host-name":
            return {"host-name": name}
        case "get-time":
            return int(cluster.clock.now() * 1e9)
        case "get-timezone":
            return {"zone": "UTC", "offset": 0}
        case "get-osinfo":
            return {
                "id": "debian",
                "name": "Debian GNU/Linux",
                "pretty-name": "Debian GNU/Linux 13 (trixie)",
                "version-id": "13",
                "machine": "x86_64",
            }
        case "fsfreeze-status":
            return "thawed"
        case "get-users" | "get-fsinfo" | "get-vcpus" | "get-memory-blocks":
            return []
        case "network-get-interfaces":
            return _interfaces(guest)
        case _:
            return {}


def _interfaces(guest: Guest) -> list[dict[str, Any]]:
    cards = sorted(name for name in guest.config if name[:3] == "net" and name[3:].isdigit())
    return [
        {
            "name": f"eth{name[3:]}",
            "hardware-address": parse_net(guest.config[name]).get("macaddr", "").lower(),
            "ip-addresses": [],
        }
        for name in cards
    ]


@handles("POST", f"{_ROOT}/monitor")
def monitor(cluster: SimulatedCluster, call: Call) -> str:
    """Run a command of QEMU's monitor; only the machine's state is known here."""
    guest = finding.called(cluster, call, "qemu")
    if not guest.running:
        return f"ERROR: VM {guest.vmid} not running\n"
    if call["command"].strip() == "info status":
        return f"VM status: {guest.qmpstatus}\r\n"
    return ""


@handles("PUT", f"{_ROOT}/sendkey")
def sendkey(cluster: SimulatedCluster, call: Call) -> None:
    """Press keys inside the machine."""
    guest = finding.called(cluster, call, "qemu")
    if not guest.running:
        raise PveFault(500, f"VM {guest.vmid} is not running")
    if not set(call["key"].split("-")) <= _KEYS:
        raise PveFault(400, "Bad Request", bare=True)
