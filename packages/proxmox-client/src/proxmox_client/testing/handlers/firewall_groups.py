"""Security groups: named lists of firewall rules of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.firewall.files import (
    FirewallFile,
    RuleGroup,
    firewall_file,
    part_digest,
    with_digest,
)
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


def _rows(file: FirewallFile) -> list[dict[str, Any]]:
    return [
        {"group": group.name} | ({"comment": group.comment} if group.comment else {})
        for group in sorted(file.groups.values(), key=lambda group: group.name)
    ]


@handles("GET", "/cluster/firewall/groups")
def list_groups(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the groups."""
    return with_digest(_rows(firewall_file(cluster, "cluster")))


@handles("POST", "/cluster/firewall/groups")
def create_group(cluster: SimulatedCluster, call: Call) -> None:
    """Make a group, or rename one (``rename`` is the group's present name)."""
    file = firewall_file(cluster, "cluster")
    name, old = call["group"], call.get("rename")
    if old is None:
        if name in file.groups:
            raise PveFault.parameters({"group": f"Security group '{name}' already exists"})
        file.groups[name] = RuleGroup(name, call.get("comment"))
        return
    check_digest(call.get("digest"), part_digest(_rows(file)))
    if old not in file.groups:
        raise PveFault.parameters({"group": f"Security group '{old}' does not exist"})
    if name != old and name in file.groups:
        raise PveFault.parameters({"group": f"Security group '{name}' already exists"})
    group = file.groups.pop(old)
    group.name = name
    group.comment = call.get("comment", group.comment)
    file.groups[name] = group
    _rename_uses(cluster, old, name)


def _rename_uses(cluster: SimulatedCluster, old: str, new: str) -> None:
    files: dict[str, FirewallFile] = cluster.files["firewall"]
    for file in files.values():
        for rule in file.rules:
            if rule["type"] == "group" and rule["action"] == old:
                rule["action"] = new


@handles("DELETE", "/cluster/firewall/groups/{group}")
def delete_group(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a group without rules."""
    groups = firewall_file(cluster, "cluster").groups
    group = groups.get(call["group"])
    if group is None:
        return
    if group.rules:
        raise PveFault(500, f"Security group '{group.name}' is not empty")
    del groups[group.name]
