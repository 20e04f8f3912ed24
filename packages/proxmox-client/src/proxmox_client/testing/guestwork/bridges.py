"""The bridges guests plug their cards into: a missing one is noticed at the start only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from proxmox_client.testing.guests import keyed
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_TYPES = ("bridge", "OVSBridge", "vnet")
_DEFAULT = frozenset({"vmbr0"})


def bridges(cluster: SimulatedCluster, node: str) -> frozenset[str]:
    """Name the bridges of a node's network as it is in force."""
    applied = cluster.nodes[node].files.get("network")
    if applied is None:
        return _DEFAULT
    interfaces = cast("Mapping[str, Mapping[str, Any]]", applied)
    return frozenset(name for name, entry in interfaces.items() if entry.get("type") in _TYPES)


def check_bridges(cluster: SimulatedCluster, guest: Guest, task: TaskRecord) -> None:
    """Refuse to start a guest with a card on a bridge the node does not have.

    Raises:
        TaskFailed: With QEMU's or LXC's sentence, which does not name the bridge; the log does.
    """
    known = bridges(cluster, guest.node)
    for name in sorted(guest.config):
        if re.fullmatch(r"net\d+", name) is None:
            continue
        bridge = keyed.parse(guest.config[name]).get("bridge")
        if bridge is not None and bridge not in known:
            task.log(f"bridge '{bridge}' does not exist")
            raise TaskFailed(
                "start failed: QEMU exited with code 1"
                if guest.kind == "qemu"
                else f"startup for container '{guest.vmid}' failed"
            )
