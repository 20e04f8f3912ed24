"""Cloning machines and turning them into templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.guests import cloneplan, options
from proxmox_client.testing.guests.cloneplan import ClonePlan
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import copying, disks, finding, privileges, templates
from proxmox_client.testing.guestwork.copying import Target
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskInterrupted, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ROOT = "/nodes/{node}/qemu/{vmid}"
_LOCK_SECONDS = 1.0


@handles("POST", f"{_ROOT}/clone")
def clone(cluster: SimulatedCluster, call: Call) -> str:
    """Clone a machine; an id in use on another node shows up only in the task."""
    _check(cluster, call)

    def work(task: TaskRecord) -> Iterator[float]:
        guest = finding.local_machine(cluster, call.node, call["vmid"])
        shared = not guest.running
        yield from cluster.locks.guest(guest, task=task, timeout=_LOCK_SECONDS, shared=shared)
        try:
            yield from _with_new_id(cluster, call, task)
        finally:
            cluster.locks.release_guest(guest)

    return cluster.tasks.start(
        call.node, "qmclone", work, id=call["vmid"], user=call.identity.authid
    )


def _check(cluster: SimulatedCluster, call: Call) -> tuple[Guest, ClonePlan]:
    """Do PVE's early checks, which the task repeats under its locks.

    Raises:
        PveFault: The clone is not possible.
    """
    guest = finding.local_machine(cluster, call.node, call["vmid"])
    finding.check_pool(cluster, call.get("pool"))
    target = _other_node(call)
    if target is not None:
        finding.check_node(cluster, target)
    storage: str | None = call.get("storage")
    if storage is not None:
        _check_storage(cluster, call, storage, target)
    check_lock(guest)
    source = _source_config(guest, call.get("snapname"))
    full = _is_full(guest, call)
    for name in ("storage", "format"):
        if name in call and not full:
            raise PveFault(500, f"parameter '{name}' not allowed for linked clones")
    plan = cloneplan.plan("qemu", source, cluster.random)
    for drive in plan.drives:
        if drive.storage is not None:
            privileges.require_space(cluster, call.identity, storage or drive.storage)
    if target is not None and copying.uses_local(cluster, plan.drives):
        raise PveFault(500, f"can't clone VM to node '{target}' (VM uses local storage)")
    _check_id(cluster, call)
    _check_linkable(cluster, call, guest, plan, full)
    return guest, plan


def _other_node(call: Call) -> str | None:
    target: str | None = call.get("target")
    return None if target in (None, call.node, "localhost") else target


def _is_full(guest: Guest, call: Call) -> bool:
    return bool(call.get("full", not guest.template))


def _check_storage(cluster: SimulatedCluster, call: Call, storage: str, target: str | None) -> None:
    found = cluster.volumes.usable(storage, call.node)
    if "images" not in found.content:
        raise PveFault.parameters({"storage": f"storage '{storage}' does not support vm images"})
    if target is not None:
        cluster.volumes.usable(storage, target)
        if not found.shared:
            raise PveFault(500, f"can't clone to non-shared storage '{storage}'")


def _source_config(guest: Guest, snapname: str | None) -> dict[str, str]:
    if snapname is None:
        return guest.config
    if snapname not in guest.snapshots:
        raise PveFault(500, f"snapshot '{snapname}' does not exist")
    return guest.snapshots[snapname].config


def _check_id(cluster: SimulatedCluster, call: Call) -> None:
    newid: int = call["newid"]
    other = cluster.guests.get(newid)
    if other is not None and other.node == call.node and other.kind == "qemu":
        raise PveFault(500, f"unable to create VM {newid}: config file already exists")


def _check_linkable(
    cluster: SimulatedCluster, call: Call, guest: Guest, plan: ClonePlan, full: bool
) -> None:
    if full:
        return
    snapshot = "snapname" in call
    for drive in plan.drives:
        if not copying.check_linkable(cluster, guest, drive, snapshot=snapshot):
            of = " a snapshot of" if snapshot else ""
            raise PveFault(
                500,
                f"Linked clone feature is not supported for{of} '{drive.volid}' ({drive.slot})",
            )


def _with_new_id(cluster: SimulatedCluster, call: Call, task: TaskRecord) -> Iterator[float]:
    path = f"/var/lock/qemu-server/lock-{call['newid']}.conf"
    waiting = cluster.locks.held(path)
    if waiting:
        task.log("trying to acquire lock...")
    message = f"can't lock file '{path}' - got timeout"
    yield from cluster.locks.wait(path, timeout=_LOCK_SECONDS, message=message)
    try:
        if waiting:
            task.log(" OK")
        yield from _clone(cluster, call, task)
    finally:
        cluster.locks.release(path)


def _clone(cluster: SimulatedCluster, call: Call, task: TaskRecord) -> Iterator[float]:
    guest, plan = _check(cluster, call)
    newid: int = call["newid"]
    task.log(f"creating a clone of VM {guest.vmid} with ID {newid}")
    if newid in cluster.guests:
        file = f"/etc/pve/nodes/{call.node}/qemu-server/{newid}.conf"
        raise TaskFailed(f"close (rename) atomic file '{file}' failed: File exists")
    new = Guest(newid, "qemu", call.node, {"lock": "clone"}, responsive=guest.responsive)
    new.agent_answers = guest.agent_answers
    new.born = cluster.clock.now()
    cluster.guests[newid] = new
    finished = {**plan.config, **_named(call, guest)}
    made: list[str] = []
    target = Target(newid, call.get("storage"), call.get("format"), _is_full(guest, call))
    try:
        for drive in plan.drives:
            copy = yield from copying.machine_disk(cluster, guest, drive, target, task)
            made.append(copy.volid)
            finished[drive.slot] = copy.text()
            new.config = {**finished, "lock": "clone"}
        yield 0.2
    except (PveFault, TaskInterrupted) as error:
        for volid in made:
            disks.free(cluster, call.node, volid)
        del cluster.guests[newid]
        sentence = error.message if isinstance(error, PveFault) else "interrupted by signal"
        raise TaskFailed(f"clone failed: {sentence}") from None
    new.config = finished
    new.node = _other_node(call) or call.node
    finding.join_pool(cluster, call.get("pool"), newid)


def _named(call: Call, guest: Guest) -> dict[str, str]:
    named = {"name": call.get("name") or f"Copy-of-VM-{guest.config.get('name', guest.vmid)}"}
    if call.get("description"):
        named["description"] = options.normalise_description("qemu", call["description"])
    return named


@handles("POST", f"{_ROOT}/template")
def template(cluster: SimulatedCluster, call: Call) -> str:
    """Turn a machine into a template."""
    guest = finding.called(cluster, call, "qemu")
    templates.check_machine(guest, call.get("disk"))

    def work(task: TaskRecord) -> Iterator[float]:
        yield from cluster.locks.guest(guest, task=task)
        try:
            check_lock(guest)
            templates.check_machine(guest, call.get("disk"))
            yield 0.3
            templates.make_base(cluster, guest, call.get("disk"))
        finally:
            cluster.locks.release_guest(guest)

    return cluster.tasks.start(
        call.node, "qmtemplate", work, id=guest.vmid, user=call.identity.authid
    )
