"""A node's services, its system log, its subscription."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.request import Call, PveFault, Reply
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_SERVICES = {
    "chrony": "chrony, an NTP client/server", "corosync": "Corosync Cluster Engine",
    "cron": "Regular background program processing daemon",
    "ksmtuned": "Kernel Samepage Merging (KSM) Tuning Daemon", "lxcfs": "FUSE filesystem for LXC",
    "postfix": "Postfix Mail Transport Agent (main/default instance)",
    "proxmox-firewall": "Proxmox nftables firewall",
    "pve-cluster": "The Proxmox VE cluster filesystem",
    "pve-firewall": "Proxmox VE firewall", "pve-ha-crm": "PVE Cluster HA Resource Manager Daemon",
    "pve-ha-lrm": "PVE Local HA Resource Manager Daemon",
    "pve-lxc-syscalld": "Proxmox VE LXC Syscall Daemon", "pvedaemon": "PVE API Daemon",
    "pvefw-logger": "Proxmox VE firewall logger", "pveproxy": "PVE API Proxy Server",
    "pvescheduler": "Proxmox VE scheduler", "pvestatd": "PVE Status Daemon",
    "qmeventd": "PVE Qemu Event Daemon", "spiceproxy": "PVE SPICE Proxy Server",
    "sshd": "OpenBSD Secure Shell server", "syslog": "System Logging Service",
    "systemd-journald": "Journal Service", "systemd-timesyncd": "Network Time Synchronization",
}  # fmt: skip
_ABSENT = frozenset(("syslog", "systemd-timesyncd"))
_ESSENTIAL = frozenset(("pveproxy", "pvedaemon", "pve-cluster"))
_ONE = "/nodes/{node}/services/{service}"
_PRICES = "https://www.proxmox.com/en/proxmox-virtual-environment/pricing"


def _stopped(cluster: SimulatedCluster, node: str) -> list[str]:
    found: list[str] = cluster.nodes[node].files.setdefault("stopped-services", [])
    return found


def _row(cluster: SimulatedCluster, node: str, name: str) -> dict[str, str]:
    lonely = name == "corosync" and not cluster.name
    runs = name not in _ABSENT and name not in _stopped(cluster, node) and not lonely
    return {
        "service": name,
        "name": name,
        "desc": _SERVICES[name],
        "state": "running" if runs else "dead",
        "active-state": "active" if runs else "inactive",
        "unit-state": "not-found" if name in _ABSENT else "enabled",
    }


@handles("GET", "/nodes/{node}/services")
def list_services(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List the services with their states."""
    return [_row(cluster, call.node, name) for name in _SERVICES]


@handles("GET", _ONE)
def service_index(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what can be done with a service."""
    return [{"subdir": name} for name in ("state", "start", "stop", "restart", "reload")]


@handles("GET", f"{_ONE}/state")
def service_state(cluster: SimulatedCluster, call: Call) -> dict[str, str]:
    """Return one service's state."""
    return _row(cluster, call.node, call["service"])


@handles("POST", f"{_ONE}/start")
@handles("POST", f"{_ONE}/stop")
@handles("POST", f"{_ONE}/restart")
@handles("POST", f"{_ONE}/reload")
def act(cluster: SimulatedCluster, call: Call) -> str:
    """Start, stop, restart or reload a service; essential ones are not stopped."""
    name, verb = call["service"], call.route.path.rpartition("/")[2]

    def work(task: TaskRecord) -> Iterator[float]:
        yield 0.3
        if verb == "stop" and name in _ESSENTIAL:
            text = f"invalid service cmd '{name} stop': refusing to stop essential service!"
            raise TaskFailed(text)
        if name in _ABSENT:
            raise TaskFailed(f"command 'systemctl {verb} {name}' failed: exit code 5")
        stopped = _stopped(cluster, call.node)
        if verb == "stop" and name not in stopped:
            stopped.append(name)
        elif verb in ("start", "restart") and name in stopped:
            stopped.remove(name)
        elif verb == "reload" and name in stopped:
            stopped.remove(name)  # PVE sends try-reload-or-restart

    user = call.identity.authid
    return cluster.tasks.start(call.node, f"srv{verb}", work, id=name, user=user)


# --- logs -----------------------------------------------------------------------------------


def _entries(cluster: SimulatedCluster, name: str) -> list[tuple[float, str, str, int]]:
    """Return a node's log: start of the system, tasks that began and ended."""
    node = cluster.nodes[name]
    found = [(node.booted, "systemd", "Startup finished.", 1)]
    for task in node.tasks:
        user, pid = task.upid.user, task.upid.pid
        found.append((task.started, "pvedaemon", f"<{user}> starting task {task.upid}", pid))
        if task.ended is not None:
            text = f"<{user}> end task {task.upid} {task.exitstatus}"
            found.append((task.ended, "pvedaemon", text, pid))
    return sorted(found)


def _moment(text: str) -> float:
    day = time.strptime(f"{text} 00:00:00"[:19], "%Y-%m-%d %H:%M:%S")
    return float(time.mktime(day) - time.timezone)


def _line(node: str, entry: tuple[float, str, str, int]) -> str:
    when, program, text, pid = entry
    return f"{time.strftime('%b %d %H:%M:%S', time.gmtime(when))} {node} {program}[{pid}]: {text}"


@handles("GET", "/nodes/{node}/syslog")
def system_log(cluster: SimulatedCluster, call: Call) -> Reply:
    """Return lines of the system log, oldest first."""
    found = [
        entry
        for entry in _entries(cluster, call.node)
        if ("since" not in call or entry[0] >= _moment(call["since"]))
        and ("until" not in call or entry[0] <= _moment(call["until"]))
        and call.get("service", entry[1]) == entry[1]
    ]
    start, limit = call.get("start", 0), call.get("limit", 50)
    page = found[start : start + limit]
    rows = [
        {"n": number, "t": _line(call.node, entry)} for number, entry in enumerate(page, start + 1)
    ]
    return Reply(rows or [{"n": 1, "t": "no content"}], {"total": len(found)})


@handles("GET", "/nodes/{node}/journal")
def journal(cluster: SimulatedCluster, call: Call) -> list[str]:
    """Return journal lines between two cursors, which are the first and the last line."""
    found = [
        entry
        for entry in _entries(cluster, call.node)
        if call.get("since", 0) <= entry[0] <= call.get("until", float("inf"))
    ]
    if "lastentries" in call:
        found = found[-call["lastentries"] :]
    marks = [f"s=pmpc;i={int(entry[0]):x}" for entry in found] or ["s=pmpc;i=0"]
    return [marks[0], *(_line(call.node, entry) for entry in found), marks[-1]]


# --- subscription ---------------------------------------------------------------------------

_SUBSCRIPTION = "/nodes/{node}/subscription"


@handles("GET", _SUBSCRIPTION)
def subscription(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the subscription's state; the server's id only with Sys.Audit."""
    node = cluster.nodes[call.node]
    stored: dict[str, Any] | None = node.files.get("subscription")
    may_see = cluster.access.allows(call.identity, f"/nodes/{call.node}", ["Sys.Audit"])
    server = node.fingerprint.replace(":", "")[:32]
    if stored is None:
        row = {"status": "notfound", "message": "There is no subscription key", "url": _PRICES}
        return row | ({"serverid": server} if may_see else {})
    if not may_see:
        return {"status": stored["status"], "message": stored["message"], "url": _PRICES}
    return {**stored, "serverid": server, "sockets": 1, "url": _PRICES}


@handles("POST", _SUBSCRIPTION)
def refresh(cluster: SimulatedCluster, call: Call) -> None:
    """Ask the vendor about the key again."""
    stored = cluster.nodes[call.node].files.get("subscription")
    if stored is not None:
        stored["checktime"] = int(cluster.clock.now())


@handles("PUT", _SUBSCRIPTION)
def set_key(cluster: SimulatedCluster, call: Call) -> None:
    """Enter a key; every well-formed one is good, for one socket at least."""
    key = call["key"].strip()
    level = key[4] if len(key) > 4 else ""
    names = {"c": "Community", "b": "Basic", "s": "Standard", "p": "Premium"}
    if level not in names:
        raise PveFault(500, f"Unknown subscription level '{level}'")
    now = int(cluster.clock.now())
    cluster.nodes[call.node].files["subscription"] = {
        "key": key,
        "status": "active",
        "message": "active",
        "level": level,
        "productname": f"Proxmox VE {names[level]} Subscription 1 CPU/year",
        "checktime": now,
        "regdate": time.strftime("%Y-%m-%d 00:00:00", time.gmtime(now)),
        "nextduedate": time.strftime("%Y-%m-%d", time.gmtime(now + 365 * 86400)),
    }


@handles("DELETE", _SUBSCRIPTION)
def delete_key(cluster: SimulatedCluster, call: Call) -> None:
    """Remove the key; none is no error."""
    cluster.nodes[call.node].files.pop("subscription", None)
