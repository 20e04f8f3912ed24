"""The networks' global lock, apply, dry-run and rollback, and what nodes say about zones."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.sdn.state import STAGED, SdnState, sdn
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

RELOAD_SECONDS = 2.0
_LOCK = "could not acquire lock for SDN config"


@handles("POST", "/cluster/sdn/lock")
def take_lock(cluster: SimulatedCluster, call: Call) -> str:
    """Take the global lock and return its token."""
    state = sdn(cluster)
    state.check_token(None, _LOCK)
    if not call.get("allow-pending") and state.has_pending():
        raise PveFault(
            500,
            f"{_LOCK}: configuration has pending changes"
            " at /usr/share/perl5/PVE/API2/Network/SDN.pm line 149.",
        )
    state.token = cluster.new_uuid()
    return state.token


@handles("DELETE", "/cluster/sdn/lock")
def release_lock(cluster: SimulatedCluster, call: Call) -> None:
    """Give the global lock back, or take it away by force."""
    state = sdn(cluster)
    if not call.get("force"):
        state.check_token(call.get("lock-token"), "could not release lock")
    state.token = None


@handles("POST", "/cluster/sdn/rollback")
def roll_back(cluster: SimulatedCluster, call: Call) -> None:
    """Drop everything that waits for an apply."""
    state = sdn(cluster)
    state.check_token(call.get("lock-token"), "could not rollback SDN configuration")
    state.roll_back()
    _release_after(state, call)


@handles("PUT", "/cluster/sdn")
def apply(cluster: SimulatedCluster, call: Call) -> str:
    """Make the staged configuration the running one and let every node reload."""
    state = sdn(cluster)
    state.check_token(call.get("lock-token"), "could not commit SDN config")
    state.commit()
    _release_after(state, call)

    def work(task: TaskRecord) -> Iterator[float]:
        yield from _reload_all(cluster, call, state.version, task)

    return cluster.tasks.start(call.node, "reloadnetworkall", work, user=call.identity.authid)


def _release_after(state: SdnState, call: Call) -> None:
    if call.get("lock-token") and call.get("release-lock", 1):
        state.token = None


def _reload_all(
    cluster: SimulatedCluster, call: Call, version: int, task: TaskRecord
) -> Iterator[float]:
    for node in cluster.nodes.values():
        task.log(f"{node.name}: reloading network config")
        if not node.online:
            yield 3.0
            task.log(
                f"proxy handler failed: ssh: connect to host {node.address} port 22:"
                " No route to host"
            )
            continue
        alone = len(cluster.nodes) == 1
        seconds = RELOAD_SECONDS / 4 if alone else RELOAD_SECONDS
        cluster.tasks.start(
            node.name,
            "srvreload",
            lambda reload: None,
            id="networking",
            user=call.identity.authid,
            duration=seconds - 0.1,
        )
        yield seconds
        node.files["sdn-version"] = version


@handles("GET", "/cluster/sdn/dry-run")
def dry_run(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Show what an apply would change, as a difference of two texts of the simulator's own."""
    state = sdn(cluster)
    old, new = _text(state.running), _text({name: state.staged[name] for name in STAGED})
    lines = difflib.unified_diff(
        old, new, "/etc/network/interfaces.d/sdn", "sdn.new", lineterm="", n=1
    )
    return {"frr-diff": "", "interfaces-diff": "\n".join(lines)}


def _text(sections: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    return [
        f"{section} {name} {json.dumps(entry, sort_keys=True)}"
        for section, objects in sections.items()
        for name, entry in sorted(objects.items())
    ]


def _status(cluster: SimulatedCluster, call: Call) -> str:
    version = sdn(cluster).version
    return (
        "available" if cluster.nodes[call.node].files.get("sdn-version") == version else "pending"
    )


@handles("GET", "/nodes/{node}/sdn/zones")
def list_zone_states(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the running zones of a node and whether the node has them."""
    status = _status(cluster, call)
    return [
        {"zone": name, "status": status}
        for name, zone in sdn(cluster).running["zones"].items()
        if call.node in zone.get("nodes", call.node).split(",")
        and cluster.access.allows(
            call.identity, f"/sdn/zones/{name}", ["SDN.Audit", "SDN.Allocate"], any_of=True
        )
    ]


@handles("GET", "/nodes/{node}/sdn/zones/{zone}/content")
def list_zone_content(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the networks of a zone on a node."""
    status = _status(cluster, call)
    note = "local sdn network configuration is not yet generated, please reload"
    return [
        {"vnet": name, "status": status} | ({} if status == "available" else {"statusmsg": note})
        for name, vnet in sdn(cluster).running["vnets"].items()
        if vnet["zone"] == call["zone"]
    ]
