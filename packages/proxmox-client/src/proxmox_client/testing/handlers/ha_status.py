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


def _active(state: HaState, node: str) -> bool:
    return any(service.node == node for service in state.services.values() if service.crm_state)


@handles("GET", "/cluster/ha/status/current")
def current(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List quorum, master, fencing, workers and services."""
    state, here = ha(cluster), call.via
    quorate = cluster.quorate
    text = "OK" if quorate else f"No quorum on node '{here}'!"
    rows: list[dict[str, Any]] = [
        {"id": "quorum", "type": "quorum", "node": here, "status": text, "quorate": int(quorate)}
    ]
    if state.master:
        at = state.round_at
        dead = cluster.clock.now() - at > DEAD_AFTER
        word = "old timestamp - dead?" if dead else f"active, {_stamp(at)}"
        rows.append(
            {"id": "master", "type": "master", "node": state.master, "timestamp": int(at),
             "status": f"{state.master} ({word})"}
        )  # fmt: skip
    armed = bool(state.master)
    rows.append(
        {
            "id": "fencing",
            "type": "fencing",
            "node": state.master or here,
            "armed-state": "armed" if armed else "standby",
            "status": "armed (CRM watchdog active)" if armed else "standby (CRM watchdog standby)",
        }
    )
    if state.master:
        rows += [_worker(cluster, state, name) for name in sorted(cluster.nodes)]
    return rows + [_service(service) for service in state.services.values()]


def _worker(cluster: SimulatedCluster, state: HaState, name: str) -> dict[str, Any]:
    at = state.worker_at.get(name, state.round_at)
    active = _active(state, name)
    mode = "active" if active and name in state.worker_at else "idle"
    watchdog = "watchdog active" if mode == "active" else "watchdog standby"
    if cluster.clock.now() - at > DEAD_AFTER:
        mode, watchdog = "old timestamp - dead?", "watchdog standby"
    if active and name not in state.worker_at:
        mode = "wait_for_agent_lock"
    text = f"{name} ({mode}, {watchdog}, {_stamp(at)})"
    return {"id": f"lrm:{name}", "type": "lrm", "node": name, "timestamp": int(at), "status": text}


def _service(service: Service) -> dict[str, Any]:
    shown = service.shown
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
    return row | {key: service.options[key] for key in ("comment",) if key in service.options}


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
                for sid, service in state.services.items()
                if service.crm_state is not None
            },
        },
        "lrm_status": {
            name: {
                "mode": "active",
                "state": "active" if _active(state, name) else "wait_for_agent_lock",
                "timestamp": int(at),
                "results": {},
            }
            for name, at in state.worker_at.items()
        },
        "quorum": quorum,
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
