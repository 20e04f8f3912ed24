"""Resources under high availability: which guests, wanted in which state, and moving them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.ha import rounds
from proxmox_client.testing.ha.rules import blockers, companions, members
from proxmox_client.testing.ha.state import NO_GROUPS, Command, HaState, Service, forget, ha
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ONE = "/cluster/ha/resources/{sid}"
_NOT_OPTIONS = frozenset(("sid", "type", "digest", "delete"))


def _sid(cluster: SimulatedCluster, call: Call) -> str:
    """Complete a bare id by the kind its guest has."""
    text: str = call["sid"]
    if ":" in text:
        return text
    guest = cluster.guests.get(int(text))
    return f"{'ct' if guest is not None and guest.kind == 'lxc' else 'vm'}:{text}"


def _row(state: HaState, service: Service) -> dict[str, Any]:
    kind = service.sid.partition(":")[0]
    return {"sid": service.sid, "type": kind, **service.options, "digest": state.resources_digest()}


def _options(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    if "group" in call:
        if not cluster.version.startswith("8"):
            raise PveFault(500, f"invalid parameter 'group': {NO_GROUPS}")
        if call["group"] not in ha(cluster).groups:
            raise PveFault(500, f"HA group '{call['group']}' does not exist")
    return {name: value for name, value in call.params.items() if name not in _NOT_OPTIONS}


@handles("GET", "/cluster/ha/resources")
def list_resources(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the resources as their file has them."""
    state = ha(cluster)
    rows = [_row(state, service) for service in state.services.values()]
    return [row for row in rows if call.get("type") in (None, row["type"])]


@handles("GET", _ONE)
def read_resource(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one resource."""
    state, sid = ha(cluster), _sid(cluster, call)
    if sid not in state.services:
        raise PveFault(500, f"no such resource '{sid}'")
    return _row(state, state.services[sid])


@handles("POST", "/cluster/ha/resources")
def create_resource(cluster: SimulatedCluster, call: Call) -> None:
    """Put a guest under high availability."""
    state, sid = ha(cluster), _sid(cluster, call)
    kind, _, vmid = sid.partition(":")
    if kind not in ("vm", "ct"):
        raise PveFault(500, f"unknown section type '{kind}'")
    options = {"state": "started"} | _options(cluster, call)
    guest = cluster.guests.get(int(vmid))
    if guest is None:
        raise PveFault(500, f"resource '{sid}' does not exist in cluster")
    if (guest.kind == "lxc") != (kind == "ct"):
        noun = "container" if kind == "ct" else "VM"
        raise PveFault(500, f"resource '{sid}' - guest with ID {vmid} is not a {noun}")
    if sid in state.services:
        raise PveFault(500, f"create resource failed: resource ID '{sid}' already defined")
    state.leaving.pop(sid, None)
    state.services[sid] = Service(sid, options, node=guest.node)
    rounds.wake(cluster)


@handles("PUT", _ONE)
def update_resource(cluster: SimulatedCluster, call: Call) -> None:
    """Change a resource; a service in error must be disabled first."""
    state, sid = ha(cluster), _sid(cluster, call)
    options = _options(cluster, call)
    service = state.services.get(sid)
    if service is None:
        raise PveFault(500, f"update resources config failed: no such resource '{sid}'")
    prefix = "update resources config failed: "
    check_digest(call.get("digest"), state.resources_digest(), prefix=prefix)
    if service.crm_state == "error" and options.get("state") not in (None, "disabled", "ignored"):
        raise PveFault(500, f"service '{sid}' in error state, must be disabled and fixed first")
    for name in split_list(call.get("delete", "")):
        service.options.pop(name, None)
    service.options.update(options)


@handles("DELETE", _ONE)
def delete_resource(cluster: SimulatedCluster, call: Call) -> None:
    """Take a guest out of high availability; the guest stays as it is."""
    state, sid = ha(cluster), _sid(cluster, call)
    if sid not in state.services:
        raise PveFault(500, f"cannot delete service '{sid}', not HA managed!")
    forget(state, sid)
    for name, rule in list(state.rules.items()):
        if sid in members(rule) and call.get("purge", 1):
            rule["resources"] = ",".join(other for other in members(rule) if other != sid)
            if not rule["resources"]:
                del state.rules[name]


@handles("POST", f"{_ONE}/migrate")
@handles("POST", f"{_ONE}/relocate")
def move_resource(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """File a request to move; what cannot be done is dropped by the manager without a word."""
    state, sid = ha(cluster), _sid(cluster, call)
    service = state.services.get(sid)
    if service is None:
        raise PveFault(500, f"resource '{sid}' is not HA managed")
    if service.crm_state not in ("migrate", "relocate"):
        service.command = Command(call.route.path.rpartition("/")[2], call["node"])
    answer: dict[str, Any] = {"sid": sid, "requested-node": call["node"]}
    blocking = blockers(cluster, service.vmid, call["node"])
    together = [other.sid for other in companions(state, sid, "positive")]
    if blocking:
        answer["blocking-resources"] = blocking
    return answer | ({"comigrated-resources": together} if together else {})
