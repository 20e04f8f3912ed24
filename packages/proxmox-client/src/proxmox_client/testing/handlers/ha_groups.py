"""Groups of nodes that services like: PVE 8 has them, later versions refuse them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.ha.state import NO_GROUPS, HaState, ha
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ONE = "/cluster/ha/groups/{group}"
_FIELDS = ("nodes", "comment", "nofailback", "restricted")


def _state(cluster: SimulatedCluster, verb: str) -> HaState:
    if not cluster.version.startswith("8"):
        raise PveFault(500, f"cannot {verb}: {NO_GROUPS}")
    return ha(cluster)


def _row(state: HaState, name: str) -> dict[str, Any]:
    if name not in state.groups:
        raise PveFault(500, f"no such ha group '{name}'")
    fields = {**state.groups[name], "group": name, "type": "group"}
    return fields | {"digest": state.groups_digest()}


@handles("GET", "/cluster/ha/groups")
def list_groups(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the groups."""
    state = _state(cluster, "index groups")
    return [_row(state, name) for name in state.groups]


@handles("GET", _ONE)
def read_group(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one group."""
    return _row(_state(cluster, "read group"), call["group"])


@handles("POST", "/cluster/ha/groups")
def create_group(cluster: SimulatedCluster, call: Call) -> None:
    """Make a group."""
    state, name = _state(cluster, "create group"), call["group"]
    if name in state.groups:
        raise PveFault(500, f"create ha group failed: ha group ID '{name}' already defined")
    state.groups[name] = _fields(call)


@handles("PUT", _ONE)
def update_group(cluster: SimulatedCluster, call: Call) -> None:
    """Change a group; its services move accordingly in the manager's next round."""
    state, name = _state(cluster, "update group"), call["group"]
    prefix = "update ha group failed: "
    check_digest(call.get("digest"), state.groups_digest(), prefix=prefix)
    if name not in state.groups:
        raise PveFault(500, f"{prefix}no such ha group '{name}'")
    state.groups[name].update(_fields(call))
    for option in split_list(call.get("delete", "")):
        if option not in _FIELDS:
            raise PveFault(500, f"{prefix}no such option '{option}'")
        if option == "nodes":
            raise PveFault(500, f"{prefix}unable to delete required option 'nodes'")
        state.groups[name].pop(option, None)


@handles("DELETE", _ONE)
def delete_group(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a group that no service is in; one that is not there is no error."""
    state, name = _state(cluster, "delete group"), call["group"]
    for sid, service in state.services.items():
        if service.options.get("group") == name:
            text = f"delete ha group failed: ha group is used by service '{sid}'"
            raise PveFault(500, text)
    state.groups.pop(name, None)


def _fields(call: Call) -> dict[str, Any]:
    return {name: call[name] for name in _FIELDS if name in call}
