"""What a firewall rule may say, and PVE's words for what it may not."""

from __future__ import annotations

import functools
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from proxmox_client.testing.firewall.files import FirewallFile, Rule
from proxmox_client.testing.request import PveFault

_DIRECTIONS = {
    "cluster": ("in", "out", "forward", "group"),
    "node": ("in", "out", "forward", "group"),
    "guest": ("in", "out", "group"),
    "group": ("in", "out", "forward"),
    "vnet": ("forward", "group"),
}
# What PVE calls the places rules stand in.
_PLACES = {"cluster": "cluster", "node": "host", "guest": "vm", "group": "group", "vnet": "vnet"}
_WITH_PORTS = frozenset(("tcp", "udp", "udplite", "sctp", "dccp", "6", "17", "33", "132", "136"))
_ICMP = frozenset(("icmp", "icmpv6", "ipv6-icmp", "1", "58"))
_FIELDS = (
    "type", "action", "macro", "iface", "source", "dest", "proto", "dport", "sport", "icmp-type",
    "log", "comment", "enable",
)  # fmt: skip


@functools.cache
def macros() -> Mapping[str, str]:
    """Names of the ready-made rules and what each is for."""
    text = resources.files("proxmox_client.testing.firewall").joinpath("macros.json").read_text()
    table: dict[str, str] = json.loads(text)
    return table


def fields_of(sent: Mapping[str, Any]) -> Rule:
    """Pick a rule's own fields from a call's parameters."""
    return {name: sent[name] for name in _FIELDS if name in sent}


def checked(rule: Rule, place: str, files: tuple[FirewallFile, ...]) -> Rule:
    """Return the rule as PVE stores it, with its IP version.

    Args:
        rule: The rule's fields.
        place: Where it stands: ``cluster``, ``node``, ``guest``, ``group`` or ``vnet``.
        files: Files whose aliases and sets it may name.

    Raises:
        PveFault: Status 400 naming the field that is wrong.
    """
    rule = {name: value for name, value in rule.items() if name != "ipversion"}
    for name, text in _complaints(rule, place, files):
        raise PveFault.parameters({name: text})
    if "macro" in rule:
        rule["macro"] = _macro(rule["macro"])
    versions = set(_versions(rule, files))
    if len(versions) > 1:
        raise PveFault(500, "detected mixed ipv4/ipv6 addresses in rule")
    if versions:
        rule["ipversion"] = versions.pop()
    return rule


def _complaints(
    rule: Rule, place: str, files: tuple[FirewallFile, ...]
) -> Iterator[tuple[str, str]]:
    kind, action = rule.get("type", ""), rule.get("action", "")
    if kind not in _DIRECTIONS[place]:
        yield "type", f"invalid rule type '{kind}' for rule_env '{_PLACES[place]}'"
    if kind == "group":
        if not any(action in file.groups for file in files):
            yield "action", f"no such security group '{action}'"
    elif kind == "forward" and action == "REJECT":
        yield "action", "cannot define REJECT rules on forward chain"
    elif action not in ("ACCEPT", "DROP", "REJECT"):
        yield "action", f"unknown action '{action}'"
    if place == "guest" and not re.fullmatch(r"net\d+", rule.get("iface", "net0")):
        yield "iface", r"value does not match the regex pattern 'net\d+'"
    if place == "vnet" and "iface" in rule:
        yield "type", "parameter -i not allowed for this rule type"
    if "macro" in rule and not _macro(rule["macro"]):
        yield "macro", f"unknown macro '{rule['macro']}'"
    yield from _port_complaints(rule)
    for name in ("source", "dest"):
        yield from _reference_complaints(name, rule.get(name, ""), files)


def _port_complaints(rule: Rule) -> Iterator[tuple[str, str]]:
    proto = rule.get("proto")
    for name in ("dport", "sport"):
        if name not in rule:
            continue
        if not proto:
            yield "proto", f"missing property - '{name}' requires this property"
        elif proto not in _WITH_PORTS and not (name == "dport" and proto in _ICMP):
            yield name, f"protocol '{proto}' does not support ports"
    if "icmp-type" in rule:
        if proto not in _ICMP:
            yield "proto", "missing property - 'icmp-type' requires this property"
        if "dport" in rule:
            yield "icmp-type", "'icmp-type' cannot be specified together with 'dport'"


def _reference_complaints(
    name: str, value: str, files: tuple[FirewallFile, ...]
) -> Iterator[tuple[str, str]]:
    if found := re.fullmatch(r"\+(?:guest/|dc/|sdn/)?([A-Za-z][\w\-]*)", value):
        if not any(found[1] in file.ipsets for file in files):
            yield name, f"no such ipset '{found[1]}'"
    elif (found := _ALIAS.fullmatch(value)) and not any(
        found[1].lower() in file.aliases for file in files
    ):
        yield name, f"no such alias '{value}'"


_ALIAS = re.compile(r"(?:guest/|dc/)?([A-Za-z][\w\-]*)")


def _macro(name: str) -> str | None:
    return next((known for known in macros() if known.lower() == name.lower()), None)


def _versions(rule: Rule, files: tuple[FirewallFile, ...]) -> Iterator[int]:
    match rule.get("proto"):
        case "icmp":
            yield 4
        case "icmpv6" | "ipv6-icmp":
            yield 6
        case _:
            pass
    for name in ("source", "dest"):
        value = rule.get(name, "")
        if found := _ALIAS.fullmatch(value):
            hits = [file.aliases.get(found[1].lower()) for file in files]
            value = next(hit.cidr for hit in hits if hit is not None)
        if value and not value.startswith("+"):
            for part in value.split(","):
                yield ip_version(part.split("-")[0])


def ip_version(address: str) -> int:
    """Tell the IP version of an address or network."""
    return ipaddress.ip_interface(address).version


def moved(rules: list[Rule], position: int, to: int) -> list[Rule]:
    """Return the rules with one moved: it lands before the one that stands at ``to`` now."""
    rule = rules[position]
    order: list[Rule] = []
    for index, other in enumerate(rules):
        if index == position:
            continue
        if index == to:
            order.append(rule)
        order.append(other)
    return [*order, rule] if to >= len(rules) else order
