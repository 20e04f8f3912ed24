"""Firewall rules by position, of cluster, nodes, guests, virtual networks and security groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.firewall.files import Rule, RuleGroup, part_digest, with_digest
from proxmox_client.testing.firewall.rules import checked, fields_of, moved
from proxmox_client.testing.firewall.scopes import file_of, in_scopes, scope_of, visible_files
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ALL = ("cluster", "node", "guest", "vnet")
_GROUP = "/cluster/firewall/groups/{group}"


def _group(cluster: SimulatedCluster, call: Call) -> RuleGroup:
    group = file_of(cluster, call).groups.get(call["group"])
    if group is None:
        raise PveFault(500, f"no such security group '{call['group']}'")
    return group


def _rules(cluster: SimulatedCluster, call: Call) -> list[Rule]:
    return _group(cluster, call).rules if "group" in call else file_of(cluster, call).rules


def _save(cluster: SimulatedCluster, call: Call, rules: list[Rule]) -> None:
    if "group" in call:
        _group(cluster, call).rules = rules
    else:
        file_of(cluster, call).rules = rules


def _at(rules: list[Rule], position: int) -> Rule:
    if position >= len(rules):
        raise PveFault(500, f"no rule at position {position}")
    return rules[position]


@in_scopes("GET", "/rules", *_ALL)
@handles("GET", _GROUP)
def list_rules(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the rules, first to last."""
    rows = with_digest(_rules(cluster, call))
    return [{**row, "pos": position} for position, row in enumerate(rows)]


@in_scopes("GET", "/rules/{pos}", *_ALL)
@handles("GET", _GROUP + "/{pos}")
def read_rule(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one rule; its position comes back as the text it was asked with."""
    rules = _rules(cluster, call)
    rule = _at(rules, call["pos"])
    return {**rule, "digest": part_digest(rules), "pos": call.sent["pos"]}


@in_scopes("POST", "/rules", *_ALL)
@handles("POST", _GROUP)
def create_rule(cluster: SimulatedCluster, call: Call) -> None:
    """Put a rule at the top (PVE ignores ``pos``), switched off unless enabled."""
    rules = _rules(cluster, call)
    rule = _checked(cluster, call, fields_of(call.params))
    rule.setdefault("enable", 0)
    _save(cluster, call, [rule, *rules])


@in_scopes("PUT", "/rules/{pos}", *_ALL)
@handles("PUT", _GROUP + "/{pos}")
def update_rule(cluster: SimulatedCluster, call: Call) -> None:
    """Move a rule, or change its fields."""
    rules = _rules(cluster, call)
    check_digest(call.get("digest"), part_digest(rules))
    position = call["pos"]
    rule = _at(rules, position)
    to = call.get("moveto")
    if to is not None and to != position:
        _save(cluster, call, moved(rules, position, to))
        return
    changed = {**rule, **fields_of(call.params)}
    for name in split_list(call.get("delete", "")):
        changed.pop(name, None)
    checked_rule = _checked(cluster, call, changed)
    _save(cluster, call, [*rules[:position], checked_rule, *rules[position + 1 :]])


@in_scopes("DELETE", "/rules/{pos}", *_ALL)
@handles("DELETE", _GROUP + "/{pos}")
def delete_rule(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a rule; the ones below move up."""
    rules = _rules(cluster, call)
    check_digest(call.get("digest"), part_digest(rules))
    _at(rules, call["pos"])
    _save(cluster, call, [rule for index, rule in enumerate(rules) if index != call["pos"]])


def _checked(cluster: SimulatedCluster, call: Call, rule: Rule) -> Rule:
    place = "group" if "group" in call else scope_of(call)
    return checked(rule, place, visible_files(cluster, call))
