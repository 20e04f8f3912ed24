"""What the manager of high availability says about itself, its workers and its services."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.ha.state import HaState, Service, ha
from proxmox_client.testing.request import Call
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

DEAD_AFTER = 30.0


def _stamp(at: float) -> str:
    return time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime(at))


@handles("GET", "/cluster/ha/status/current")
def current(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List quorum, master, fencing, workers and services."""
    state, here = ha(cluster), call.via
    quorate = cluster.quorate
    text = "OK" if quorate else f"No quorum on node '{here}'!"
    rows: list[dict[str, Any]] = [
        {"id": "quorum", "type": "quorum", "node": here, "status": text, "quorate": int(quorate)}
    ]
    armed = False
    if state.master:
        at = state.round_at
        dead = cluster.clock.now() - at > DEAD_AFTER
        armed = bool(state.services) and not dead
        word = "old timestamp - dead?" if dead and state.services else "active"
        word = word if state.services else "idle"
        rows.append(
            {"id": "master", "type": "master", "node": state.master, "timestamp": int(at),
             "status": f"{state.master} ({word}, {_stamp(at)})"}
        )  # fmt: skip
    fencing: dict[str, Any] = {
        "armed-state": "armed" if armed else "standby",
        "status": "armed (CRM watchdog active)" if armed else "standby (CRM watchdog standby)",
    }
    if state.disarm_mode:
        fencing = _disarmed(state)
    rows.append(
        {
            "id": "fencing",
            "type": "fencing",
            "node": state.master or here,
            **fencing,
        }
    )
    if state.master:
        rows += [_worker(cluster, state, name) for name in sorted(cluster.nodes)]
    rows += [_service(state, service) for service in state.services.values()]
    return rows + [_deleted(service) for service in state.leaving.values()]


def _worker(cluster: SimulatedCluster, state: HaState, name: str) -> dict[str, Any]:
    at = state.worker_at.get(name, state.round_at)
    known = (*state.services.values(), *state.leaving.values())
    wanted = any(name in (service.node, service.target) for service in known if service.crm_state)
    mode, watchdog = "wait_for_agent_lock" if wanted else "idle", "watchdog standby"
    if name in state.active_since:
        mode, watchdog = "active", "watchdog active"
    if name in state.disarmed_workers:
        mode, watchdog = "disarm mode", "watchdog released"
    if cluster.clock.now() - at > DEAD_AFTER:
        mode, watchdog = "old timestamp - dead?", "watchdog standby"
    text = f"{name} ({mode}, {watchdog}, {_stamp(at)})"
    return {"id": f"lrm:{name}", "type": "lrm", "node": name, "timestamp": int(at), "status": text}


def _deleted(service: Service) -> dict[str, Any]:
    """Return the entry of a service that the manager has not forgotten yet."""
    return {
        "id": f"service:{service.sid}",
        "type": "service",
        "sid": service.sid,
        "node": service.node,
        "state": "deleting",
        "status": f"{service.sid} ({service.node}, deleting)",
        "crm_state": service.crm_state,
    }


def _disarmed(state: HaState) -> dict[str, Any]:
    watchdog = "released" if state.disarm_state == "disarmed" else "active"
    return {
        "armed-state": state.disarm_state,
        "resource_mode": state.disarm_mode,
        "status": f"{state.disarm_state}, resource mode: {state.disarm_mode}"
        f" (CRM watchdog {watchdog})",
    }


def _service(state: HaState, service: Service) -> dict[str, Any]:
    shown = "ignore" if state.disarm_mode == "ignore" else service.shown
    row: dict[str, Any] = {
        "id": f"service:{service.sid}",
        "type": "service",
        "sid": service.sid,
        "node": service.node,
        "state": shown,
        "status": f"{service.sid} ({service.node}, {shown})",
        "request_state": service.requested,
        "max_restart": service.options.get("max_restart", 1),
        "max_relocate": service.options.get("max_relocate", 1),
        "failback": service.options.get("failback", 1),
    }
    if service.crm_state is not None:
        row["crm_state"] = service.crm_state
    return row | {
        key: service.options[key] for key in ("comment", "group") if key in service.options
    }


@handles("GET", "/cluster/ha/status/manager_status")
def manager_status(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the manager's own notes."""
    state = ha(cluster)
    quorum = {"node": call.via, "quorate": "1" if cluster.quorate else ""}
    if not state.master:
        return {"manager_status": {"node_status": {}}, "quorum": quorum}
    return {
        "manager_status": {
            "master_node": state.master,
            "timestamp": int(state.round_at),
            "node_status": dict(state.node_status),
            "service_status": {
                sid: _notes(service)
                for sid, service in (state.services | state.leaving).items()
                if service.crm_state is not None
            },
        },
        "lrm_status": {
            name: {
                "mode": "active",
                "state": "active" if name in state.active_since else "wait_for_agent_lock",
                "timestamp": int(at),
                "results": _results(state, name),
            }
            for name, at in state.worker_at.items()
        },
        "quorum": quorum,
    }


def _results(state: HaState, name: str) -> dict[str, Any]:
    """Return what a worker says of its finished work."""
    return {
        service.uid: {"sid": sid, "exit_code": 0, "state": service.crm_state}
        for sid, service in state.services.items()
        if service.node == name and service.confirmed
    }


def _notes(service: Service) -> dict[str, Any]:
    notes: dict[str, Any] = {
        "node": service.node,
        "state": service.crm_state,
        "uid": service.uid,
    }
    if service.confirmed:
        notes["running"] = 1
    if service.crm_state in ("migrate", "relocate"):
        notes["target"] = service.target
    return notes


@handles("POST", "/cluster/ha/status/disarm-ha")
def disarm(cluster: SimulatedCluster, call: Call) -> None:
    """Ask the manager to let go of all watchdogs; it does so in its next rounds."""
    ha(cluster).orders.append(call["resource-mode"])


@handles("POST", "/cluster/ha/status/arm-ha")
def arm(cluster: SimulatedCluster, call: Call) -> None:
    """Ask the manager to arm again."""
    ha(cluster).orders.append("arm")
