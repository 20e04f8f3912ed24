"""Firewall options, macros, references and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.firewall.files import FirewallFile, firewall_file, part_digest
from proxmox_client.testing.firewall.rules import macros
from proxmox_client.testing.firewall.scopes import file_of, in_scopes
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.request import Call, Reply
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_NOT_OPTIONS = frozenset(("node", "vmid", "vnet", "delete", "digest"))


@in_scopes("GET", "/options", "cluster", "node", "guest", "vnet")
def read_options(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the options that are set."""
    options = file_of(cluster, call).options
    return {**options, "digest": part_digest(options)}


@in_scopes("PUT", "/options", "cluster", "node", "guest", "vnet")
def update_options(cluster: SimulatedCluster, call: Call) -> None:
    """Change options; enabling the cluster's firewall notes the time."""
    options = file_of(cluster, call).options
    check_digest(call.get("digest"), part_digest(options))
    for name in split_list(call.get("delete", "")):
        options.pop(name, None)
    changes = {name: value for name, value in call.params.items() if name not in _NOT_OPTIONS}
    if changes.get("enable", 0) > 1:
        # The cluster's firewall may be enabled with any number; PVE writes the time then.
        changes["enable"] = int(cluster.clock.now())
    options.update(changes)


@handles("GET", "/cluster/firewall/macros")
def list_macros(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List the ready-made rules."""
    return [{"macro": name, "descr": text} for name, text in macros().items()]


@in_scopes("GET", "/refs", "cluster", "guest")
def list_references(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the aliases and sets a rule may name, the guest's own first."""
    own, whole = file_of(cluster, call), firewall_file(cluster, "cluster")
    rows = [] if own is whole else _references(own, "guest")
    rows += _references(whole, "dc")
    return [row for row in rows if call.get("type") in (None, row["type"])]


def _references(file: FirewallFile, scope: str) -> list[dict[str, Any]]:
    entries = [
        *(("ipset", f"+{scope}/{found.name}", found.name, found.comment) for found in
          file.ipsets.values()),
        *(("alias", f"{scope}/{found.name}", found.name, found.comment) for found in
          file.aliases.values()),
    ]  # fmt: skip
    return [
        {"type": kind, "name": name, "ref": ref, "scope": scope}
        | ({"comment": comment} if comment else {})
        for kind, ref, name, comment in entries
    ]


@in_scopes("GET", "/log", "node", "guest")
def read_log(cluster: SimulatedCluster, call: Call) -> Reply:
    """Say that there is no log: no packet is ever logged here."""
    line = {"n": 1, "t": "unable to open file - No such file or directory"}
    return Reply([line], {"total": 1})
