"""Finding a guest, with the sentences PVE has for guests that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.options import Kind
from proxmox_client.testing.request import Call, PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


TASK_DELAY = 0.02
"""Work begins while the call is still being answered: what fails fast has failed by then."""


def called(cluster: SimulatedCluster, call: Call, kind: str) -> Guest:
    """Return the guest a call names.

    Raises:
        PveFault: Status 500: it does not live on the called node.
    """
    return cluster.guest(kind, call.node, call["vmid"])


def local_machine(cluster: SimulatedCluster, node: str, vmid: int) -> Guest:
    """Return a machine where PVE looks it up with another sentence (power, clone, feature).

    Raises:
        PveFault: Status 500: it does not live on the node.
    """
    guest = cluster.guests.get(vmid)
    if guest is None or guest.node != node or guest.kind != "qemu":
        raise PveFault(500, f"unable to find configuration file for VM {vmid} on node '{node}'")
    return guest


def taken(cluster: SimulatedCluster, vmid: int) -> str | None:
    """Return PVE's sentence for an id in use, None if it is free."""
    guest = cluster.guests.get(vmid)
    return None if guest is None else f"{guest.label} already exists on node '{guest.node}'"


def check_node(cluster: SimulatedCluster, node: str) -> None:
    """Refuse an unknown node as a target.

    Raises:
        PveFault: Status 500.
    """
    if node not in cluster.nodes:
        raise PveFault(500, f"no such cluster node '{node}'")


def check_pool(cluster: SimulatedCluster, pool: str | None) -> None:
    """Refuse an unknown pool.

    Raises:
        PveFault: Status 403, as PVE has it.
    """
    if pool is not None and pool not in cluster.pools:
        raise PveFault(403, f"Permission check failed (pool '{pool}' does not exist)")


def join_pool(cluster: SimulatedCluster, pool: str | None, vmid: int) -> None:
    """Make a guest a member of a pool, if one is given."""
    if pool is not None and pool in cluster.pools:
        cluster.pools[pool].guests.add(vmid)


def may_see(cluster: SimulatedCluster, call: Call, vmid: int) -> bool:
    """Whether the caller sees a guest in lists."""
    return cluster.access.allows(call.identity, f"/vms/{vmid}", ["VM.Audit"])


def kind_of(call: Call) -> Kind:
    """Tell from a call's path whether it is about machines or containers."""
    return "qemu" if call.route.path.startswith("/nodes/{node}/qemu") else "lxc"


def of_path(cluster: SimulatedCluster, call: Call) -> Guest:
    """Return the guest a call names, for operations both kinds have.

    Raises:
        PveFault: Status 500: it does not live on the called node.
    """
    return called(cluster, call, kind_of(call))
