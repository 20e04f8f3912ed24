"""Cloning containers and turning them into templates."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.guests import cloneplan, drives, options
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

_ROOT = "/nodes/{node}/lxc/{vmid}"


@handles("POST", f"{_ROOT}/clone")
def clone(cluster: SimulatedCluster, call: Call) -> Generator[float, None, str]:
    """Clone a container; its configuration is locked meanwhile (``disk``)."""
    finding.check_pool(cluster, call.get("pool"))
    target = _other_node(call)
    if target is not None:
        finding.check_node(cluster, target)
    if "storage" in call:
        _check_storage(cluster, call, call["storage"], target)
    guest = finding.called(cluster, call, "lxc")
    yield from cluster.locks.guest(guest)
    try:
        return _start(cluster, call, finding.called(cluster, call, "lxc"), target)
    finally:
        cluster.locks.release_guest(guest)


def _start(cluster: SimulatedCluster, call: Call, guest: Guest, target: str | None) -> str:
    check_lock(guest)
    newid: int = call["newid"]
    if (sentence := finding.taken(cluster, newid)) is not None:
        raise PveFault(500, sentence)
    plan = _checked_plan(cluster, call, guest, target)
    new = Guest(newid, "lxc", call.node, {**plan.config, **_named(call), "lock": "create"})
    new.born = cluster.clock.now()
    cluster.guests[newid] = new
    guest.config["lock"] = "disk"

    def work(task: TaskRecord) -> Iterator[float]:
        try:
            yield from _copy(cluster, call, guest, new, plan, task)
        finally:
            guest.config.pop("lock", None)
        new.node = target or call.node
        finding.join_pool(cluster, call.get("pool"), newid)

    return cluster.tasks.start(call.node, "vzclone", work, id=guest.vmid, user=call.identity.authid)


def _other_node(call: Call) -> str | None:
    target: str | None = call.get("target")
    return None if target in (None, call.node, "localhost") else target


def _is_full(guest: Guest, call: Call) -> bool:
    return bool(call.get("full", not guest.template))


def _check_storage(cluster: SimulatedCluster, call: Call, storage: str, target: str | None) -> None:
    found = cluster.volumes.usable(storage, call.node)
    if target is not None:
        cluster.volumes.usable(storage, target)
        if not found.shared:
            raise PveFault(500, f"can't clone to non-shared storage '{storage}'")


def _checked_plan(
    cluster: SimulatedCluster, call: Call, guest: Guest, target: str | None
) -> ClonePlan:
    full, snapname, storage = _is_full(guest, call), call.get("snapname"), call.get("storage")
    if storage is not None and not full:
        raise PveFault(500, "parameter 'storage' not allowed for linked clones")
    if snapname is not None and snapname not in guest.snapshots:
        raise PveFault(500, f"snapshot '{snapname}' does not exist")
    source = guest.config if snapname is None else guest.snapshots[snapname].config
    plan = cloneplan.plan("lxc", source, cluster.random)
    for drive in plan.drives:
        if drive.storage is None:
            raise PveFault(500, f"unable to clone mountpoint '{drive.slot}' (type bind)")
        privileges.require_space(cluster, call.identity, storage or drive.storage)
        if full and guest.running and snapname is None:
            raise PveFault(
                500, "Full clone of a running container is only possible from a snapshot"
            )
        if not full and not copying.check_linkable(
            cluster, guest, drive, snapshot=snapname is not None
        ):
            raise PveFault(500, f"Linked clone feature for '{drive.volid}' is not available")
    if target is not None and copying.uses_local(cluster, plan.drives, storage):
        raise PveFault(500, f"can't clone CT to node '{target}' (CT uses local storage)")
    return plan


def _named(call: Call) -> dict[str, str]:
    named: dict[str, str] = {}
    if call.get("hostname"):
        named["hostname"] = call["hostname"]
    if call.get("description"):
        named["description"] = options.normalise_description("lxc", call["description"])
    return named


def _copy(
    cluster: SimulatedCluster,
    call: Call,
    guest: Guest,
    new: Guest,
    plan: ClonePlan,
    task: TaskRecord,
) -> Iterator[float]:
    task.log(f"creating a clone of container {guest.vmid} with ID {new.vmid}")
    target = Target(new.vmid, call.get("storage"), full=_is_full(guest, call))
    made: list[str] = []
    try:
        for drive in plan.drives:
            copy = yield from copying.container_volume(cluster, guest, drive, target, task)
            made.append(copy.volid)
            new.config[drive.slot] = copy.text()
        yield 0.3
    except (PveFault, TaskInterrupted) as error:
        for volid in made:
            disks.free(cluster, call.node, volid)
        cluster.guests.pop(new.vmid, None)
        sentence = error.message if isinstance(error, PveFault) else "interrupted by signal"
        raise TaskFailed(f"clone failed: {sentence}") from None
    del new.config["lock"]
    new.formatted = drives.boot_size("lxc", new.config) if target.full else guest.formatted


@handles("POST", f"{_ROOT}/template")
def template(cluster: SimulatedCluster, call: Call) -> None:
    """Turn a container into a template; the answer does not name the task that does it."""
    guest = finding.called(cluster, call, "lxc")
    templates.check_container(guest)
    check_lock(guest)

    def work(task: TaskRecord) -> Iterator[float]:
        yield from cluster.locks.guest(guest, task=task)
        try:
            yield 0.1
            templates.make_base(cluster, guest)
        finally:
            cluster.locks.release_guest(guest)

    user = call.identity.authid
    cluster.tasks.start(call.node, "vztemplate", work, id=guest.vmid, user=user, delay=0.0)
