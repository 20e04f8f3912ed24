"""What start, stop, migrate and delete of a guest under high availability become."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.ha.rules import blockers
from proxmox_client.testing.ha.state import Command, Service, forget, ha, service_of
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_GUEST = re.compile(r"/nodes/\{node\}/(qemu|lxc)/\{vmid\}(/status/(start|stop|shutdown)|/migrate)?")
REQUEST_SECONDS = 1.2


def redirect(cluster: SimulatedCluster, call: Call) -> str | None:
    """File a request with the manager instead of doing what was asked; return the task's UPID.

    Raises:
        PveFault: The guest may not be deleted.
    """
    state = ha(cluster)
    if call.route.method not in ("POST", "DELETE") or not state.services:
        return None
    if state.disarm_mode == "ignore":
        return None
    found = _GUEST.fullmatch(call.route.path)
    service = service_of(cluster, call["vmid"]) if found is not None else None
    guest = cluster.guests.get(service.vmid) if service is not None else None
    if found is None or service is None or guest is None or guest.node != call.node:
        return None
    if call.route.method == "DELETE":
        if not found[2]:
            _check_deletion(cluster, call, service)
        return None
    if service.requested == "ignored" or found[2] is None:
        return None
    if found[2] == "/migrate":
        return _migrate(cluster, call, service)
    return _power(cluster, call, service, found[3])


def _check_deletion(cluster: SimulatedCluster, call: Call, service: Service) -> None:
    noun = "VM" if service.kind == "qemu" else "CT"
    if not call.get("purge"):
        raise PveFault(
            500,
            f"unable to remove {noun} {service.vmid}"
            " - used in HA resources and purge parameter not set.",
        )
    if cluster.guests[service.vmid].running:
        raise PveFault(500, f"{noun} {service.vmid} is running - destroy failed")
    forget(ha(cluster), service.sid)


def _power(cluster: SimulatedCluster, call: Call, service: Service, verb: str) -> str:
    noun = "VM" if service.kind == "qemu" else "CT"
    word = "start" if verb == "start" else "stop"

    def work(task: TaskRecord) -> Iterator[float]:
        task.log(f"Requesting HA {word} for {noun} {service.vmid}")
        yield REQUEST_SECONDS
        if service.crm_state == "error":
            task.log(f"service '{service.sid}' in error state, must be disabled and fixed first")
            patience = 0 if verb == "stop" else call.get("timeout", 60)
            command = (
                f"set {service.sid} --state started"
                if word == "start"
                else f"crm-command stop {service.sid} {patience}"
            )
            raise TaskFailed(f"command 'ha-manager {command}' failed: exit code 255")
        if word == "start":
            service.options["state"] = "started"
        elif service.requested == "started":
            service.command = Command("stop", timeout=0 if verb == "stop" else call.get("timeout"))

    return cluster.tasks.start(
        call.node, f"ha{word}", work, id=service.vmid, user=call.identity.authid
    )


def _migrate(cluster: SimulatedCluster, call: Call, service: Service) -> str:
    target = call["target"]
    noun = "VM" if service.kind == "qemu" else "CT"
    if target == call.node:
        raise PveFault.parameters({"target": "target is local node."})
    if target not in cluster.nodes:
        raise PveFault(500, f"no such cluster node '{target}'")

    def work(task: TaskRecord) -> Iterator[float]:
        task.log(f"Requesting HA migration for {noun} {service.vmid} to node {target}")
        yield REQUEST_SECONDS
        service.command = Command("migrate", target)
        blocking = blockers(cluster, service.vmid, target)
        if blocking:
            task.log(f"cannot migrate resource '{service.sid}' to node '{target}':")
            task.log("")
            for other in blocking:
                task.log(
                    f"- resource '{other['sid']}' on target node '{target}' in negative affinity"
                    f" with resource '{service.sid}'"
                )
            raise TaskFailed(
                f"command 'ha-manager migrate {service.sid} {target}' failed: exit code 2"
            )

    return cluster.tasks.start(
        call.node, "hamigrate", work, id=service.vmid, user=call.identity.authid
    )
