"""Rules of high availability: which nodes a service likes, which services go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.ha.rules import complaint, members, priorities
from proxmox_client.testing.ha.state import HaState, ha
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_NOT_FIELDS = frozenset(("rule", "digest", "delete"))


def _row(state: HaState, name: str) -> dict[str, Any]:
    order = list(state.rules).index(name) + 1
    return {**state.rules[name], "rule": name, "order": order, "digest": state.rules_digest()}


@handles("GET", "/cluster/ha/rules")
def list_rules(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the rules."""
    state = ha(cluster)
    return [
        _row(state, name)
        for name, rule in state.rules.items()
        if call.get("type") in (None, rule["type"])
        and ("resource" not in call or call["resource"] in members(rule))
    ]


@handles("GET", "/cluster/ha/rules/{rule}")
def read_rule(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one rule."""
    state = ha(cluster)
    if call["rule"] not in state.rules:
        raise PveFault(500, f"no such ha rule '{call['rule']}'")
    return _row(state, call["rule"])


@handles("POST", "/cluster/ha/rules")
def create_rule(cluster: SimulatedCluster, call: Call) -> None:
    """Make a rule."""
    state, name = ha(cluster), call["rule"]
    prefix = "create ha rule failed: "
    if name in state.rules:
        raise PveFault(500, f"{prefix}HA rule '{name}' already defined")
    rule = {key: value for key, value in call.params.items() if key not in _NOT_FIELDS}
    _check(cluster, state, name, rule, prefix)
    state.rules[name] = rule


@handles("PUT", "/cluster/ha/rules/{rule}")
def update_rule(cluster: SimulatedCluster, call: Call) -> None:
    """Change a rule; its type has to be sent and cannot be changed."""
    state, name = ha(cluster), call["rule"]
    prefix = "update HA rules failed: "
    if name not in state.rules:
        raise PveFault(500, f"{prefix}HA rule '{name}' does not exist")
    check_digest(call.get("digest"), state.rules_digest(), prefix=prefix)
    if call["type"] != state.rules[name]["type"]:
        raise PveFault(500, f"{prefix}unexpected property 'type'")
    changes = {key: value for key, value in call.params.items() if key not in _NOT_FIELDS}
    rule = {**state.rules[name], **changes}
    for key in split_list(call.get("delete", "")):
        rule.pop(key, None)
    _check(cluster, state, name, rule, prefix)
    state.rules[name] = rule


@handles("DELETE", "/cluster/ha/rules/{rule}")
def delete_rule(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a rule; one that is not there is no error."""
    ha(cluster).rules.pop(call["rule"], None)


def _check(
    cluster: SimulatedCluster, state: HaState, name: str, rule: dict[str, Any], prefix: str
) -> None:
    unmanaged = [sid for sid in members(rule) if sid not in state.services]
    if unmanaged:
        raise PveFault(500, f"{prefix}cannot use unmanaged resource(s) {', '.join(unmanaged)}.")
    unknown = [node for node in priorities(rule) if node not in cluster.nodes]
    if unknown:
        raise PveFault(500, f"{prefix}cannot use non-existent node(s) {', '.join(unknown)}.")
    if text := complaint(state, name, rule):
        raise PveFault(500, f"{prefix}400 Rule '{name}' is invalid.\nresources: {text}")
