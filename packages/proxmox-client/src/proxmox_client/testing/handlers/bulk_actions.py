"""One task that starts, stops, suspends or moves many guests: of the cluster, or of a node."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, cast

import attrs

from proxmox_client.testing import asking
from proxmox_client.testing.admission import make_call, route_of
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.request import Call, PveFault, SimRequest
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_CLUSTER = "/cluster/bulk-action/guest"
_POLL = 0.25


@attrs.frozen
class _Verb:
    """One kind of bulk action.

    Attributes:
        doing: How the log begins: ``Starting``.
        path: What is asked of each guest.
        failed: How the task ends if some fail.
        running: State a guest must be in to be worth asking; None if any will do.
    """

    doing: str
    path: str
    failed: str
    running: bool | None


_VERBS = {
    "start": _Verb("Starting", "status/start", "failed to start: ", False),
    "shutdown": _Verb("Shutting down", "status/shutdown", "failed to shutdown ", True),
    "suspend": _Verb("Suspending", "status/suspend", "failed to suspend ", True),
    "migrate": _Verb("Migrating", "migrate", "failed to migrate ", None),
}


def _ask(
    cluster: SimulatedCluster, call: Call, guest: Guest, path: str, params: dict[str, Any]
) -> Generator[float, None, str | None]:
    """Ask for one guest as the API would be asked, wait for its task; return what went wrong."""
    target = f"/nodes/{guest.node}/{guest.kind}/{guest.vmid}/{path}"
    try:
        route, sent = route_of(cluster, SimRequest("POST", target, params))
        if not call.identity.trusted:
            route.permission(cluster.access, call.identity, sent)
        inner = make_call(cluster, route, sent, call.identity, call.node)
        upid = yield from asking.carry_out(cluster, inner, route)
    except PveFault as fault:
        yield fault.delay
        return f"{fault.status} {fault.message}"
    task = cluster.tasks.get(upid)
    while task.running:
        yield _POLL
    status = task.exitstatus or ""
    return None if status.startswith(("OK", "WARNINGS")) else status


def _chosen(cluster: SimulatedCluster, call: Call) -> list[int]:
    if "vms" in call:
        given = call["vms"]
        if isinstance(given, list):
            return [int(number) for number in cast("list[int]", given)]
        return [int(text) for text in split_list(str(given))]
    return sorted(cluster.guests)


@handles("POST", f"{_CLUSTER}/start")
@handles("POST", f"{_CLUSTER}/shutdown")
@handles("POST", f"{_CLUSTER}/suspend")
@handles("POST", f"{_CLUSTER}/migrate")
def act_on_guests(cluster: SimulatedCluster, call: Call) -> str:
    """Do something to many guests; unknown ones are only named in the log."""
    name = call.route.path.rpartition("/")[2]
    verb = _VERBS[name]
    vmids = _chosen(cluster, call)

    def work(task: TaskRecord) -> Iterator[float]:
        task.log(f"{verb.doing} guests: {', '.join(str(vmid) for vmid in vmids)}")
        failed: list[int] = []
        for vmid in vmids:
            guest = cluster.guests.get(vmid)
            if guest is None or not _worth(cluster, call, guest, verb, task):
                continue
            text = yield from _one(cluster, call, guest, verb, task)
            if text is not None:
                task.log(f"WARN: {text}")
                failed.append(vmid)
        if failed:
            names = ", ".join(str(vmid) for vmid in failed)
            raise TaskFailed(f"Some guests {verb.failed}{names}")

    return cluster.tasks.start(call.node, f"bulk-{name}", work, user=call.identity.authid)


def _worth(
    cluster: SimulatedCluster, call: Call, guest: Guest, verb: _Verb, task: TaskRecord
) -> bool:
    lost = not cluster.nodes[guest.node].online
    if verb.running is not None and guest.running != verb.running and not lost:
        state = "running" if guest.running else "stopped"
        task.warn(f"Skipping {guest.label}, already {state}.")
        return False
    if verb.path == "migrate" and call["target"] == guest.node:
        task.warn(f"{guest.label} already on {guest.node}, skipping.")
        return False
    return True


def _one(
    cluster: SimulatedCluster, call: Call, guest: Guest, verb: _Verb, task: TaskRecord
) -> Generator[float, None, str | None]:
    params: dict[str, Any] = {}
    note = ""
    if verb.path == "status/shutdown":
        timeout = call.get("timeout", 180 if guest.kind == "qemu" else 60)
        params = {"timeout": timeout, "forceStop": call.get("force-stop", 1)}
        note = f" (Timeout = {timeout} seconds)"
    elif verb.path == "migrate":
        params = {"target": call["target"]}
        if guest.running:
            params["online" if guest.kind == "qemu" else "restart"] = 1
    elif verb.path == "status/suspend" and call.get("to-disk"):
        params = {"todisk": 1}
    task.log(f"{verb.doing} {guest.label}{note}")
    return (yield from _ask(cluster, call, guest, verb.path, params))


def _here(cluster: SimulatedCluster, call: Call) -> list[Guest]:
    wanted = set(_chosen(cluster, call))
    return [
        guest
        for vmid, guest in sorted(cluster.guests.items())
        if vmid in wanted and guest.node == call.node and not guest.template
    ]


@handles("POST", "/nodes/{node}/startall")
def start_all(cluster: SimulatedCluster, call: Call) -> str:
    """Start the guests of a node that start at boot, or all by force; failures are only logged."""

    def work(task: TaskRecord) -> Iterator[float]:
        if not cluster.quorate:
            task.log("waiting for quorum ...")
        while not cluster.quorate:
            yield 1.0
        for guest in _here(cluster, call):
            if guest.running or not (call.get("force") or guest.config.get("onboot") == "1"):
                continue
            task.log(f"Starting {guest.label}")
            if text := (yield from _ask(cluster, call, guest, "status/start", {})):
                task.log(text)

    return cluster.tasks.start(call.node, "startall", work, user=call.identity.authid)


@handles("POST", "/nodes/{node}/stopall")
def stop_all(cluster: SimulatedCluster, call: Call) -> str:
    """Shut the running guests of a node down; failures are only logged."""

    def work(task: TaskRecord) -> Iterator[float]:
        for guest in _here(cluster, call):
            if not guest.running:
                continue
            timeout = call.get("timeout", 180)
            task.log(f"Stopping {guest.label} (timeout = {timeout} seconds)")
            params = {"timeout": timeout, "forceStop": call.get("force-stop", 1)}
            if text := (yield from _ask(cluster, call, guest, "status/shutdown", params)):
                task.log(text)

    return cluster.tasks.start(call.node, "stopall", work, user=call.identity.authid)


@handles("POST", "/nodes/{node}/suspendall")
def suspend_all(cluster: SimulatedCluster, call: Call) -> str:
    """Suspend the running machines of a node to disk; containers are skipped with a warning."""

    def work(task: TaskRecord) -> Iterator[float]:
        for guest in _here(cluster, call):
            if not guest.running:
                continue
            if guest.kind == "lxc":
                task.warn(f"skipping {guest.vmid}, only VMs can be suspended")
                continue
            task.log(f"Suspending {guest.label}")
            if text := (yield from _ask(cluster, call, guest, "status/suspend", {"todisk": 1})):
                task.log(text)

    return cluster.tasks.start(call.node, "suspendall", work, user=call.identity.authid)


@handles("POST", "/nodes/{node}/migrateall")
def migrate_all(cluster: SimulatedCluster, call: Call) -> str:
    """Move the guests of a node away; one that cannot move is only a line in the log."""
    target = call["target"]
    if target == call.node:
        raise PveFault.parameters({"target": "target is local node."})
    if target not in cluster.nodes:
        raise PveFault(500, f"no such cluster node '{target}'")
    options: dict[str, Any] = cluster.files.get("datacenter", {})
    if "max-workers" not in call and "max_workers" not in options:
        raise PveFault(
            500, "either 'max-workers' parameter or max_workers in datacenter.cfg must be set!"
        )

    def work(task: TaskRecord) -> Iterator[float]:
        guests = _here(cluster, call)
        if not guests:
            task.log("no virtual guests matched, nothing to do..")
        for guest in guests:
            task.log(f"Migrating {guest.label}")
            online = {"online" if guest.kind == "qemu" else "restart": 1} if guest.running else {}
            params = {"target": target, **online}
            if text := (yield from _ask(cluster, call, guest, "migrate", params)):
                task.log(f"Check {guest.label}: {text}")

    return cluster.tasks.start(call.node, "migrateall", work, user=call.identity.authid)
