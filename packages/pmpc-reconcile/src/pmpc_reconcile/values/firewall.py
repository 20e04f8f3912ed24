"""Read the fields of a Firewall from its manifest.

The short forms are those of PVE's own files: `192.0.2.0/24 # office`, `!10.0.0.9 # printer`.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from pmpc_reconcile.values.fields import FieldValue
from pmpc_reconcile.values.rules import Rule, canonical_network


def firewall_fields(spec: Mapping[str, Any]) -> dict[str, FieldValue]:
    """Return the fields a Firewall declares; an order where there are two rules or more."""
    fields: dict[str, FieldValue] = {
        f"options.{name}": value for name, value in spec.get("options", {}).items()
    }
    for name, line in spec.get("aliases", {}).items():
        cidr, _, comment = str(line).partition("#")
        fields[f"aliases.{name.lower()}.cidr"] = canonical_network(cidr.strip())
        if comment.strip():
            fields[f"aliases.{name.lower()}.comment"] = comment.strip()
    for name, declared in spec.get("ipsets", {}).items():
        fields |= _container(f"ipsets.{name}", declared)
        for entry in declared.get("entries", ()):
            cidr, attributes = read_entry(entry)
            fields[f"ipsets.{name}.entries.{cidr}"] = attributes
    for name, declared in spec.get("groups", {}).items():
        fields |= _container(f"groups.{name}", declared)
        fields |= _rules(f"groups.{name}.", declared.get("rules", ()))
    return {**fields, **_rules("", spec.get("rules", ()))}


def read_entry(line: str) -> tuple[str, str]:
    """Read an entry of a set: the network or alias, and its attributes."""
    text, _, comment = line.partition("#")
    text = text.strip()
    word = "nomatch" if text.startswith("!") else "match"
    cidr = canonical_network(text.removeprefix("!").strip())
    return cidr, f"{word} # {comment.strip()}" if comment.strip() else word


def interface_of(text: str) -> object | None:
    """Return what an address or network means, None if it is neither."""
    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        return None


def order_text(matches: Iterable[str]) -> str:
    """Return an order of rules as one short text: a word for each rule."""
    return " ".join(hashlib.sha256(match.encode()).hexdigest()[:8] for match in matches)


def _container(path: str, declared: Mapping[str, Any]) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {path: True}
    if declared.get("comment"):
        fields[f"{path}.comment"] = str(declared["comment"]).strip()
    return fields


def _rules(prefix: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, FieldValue]:
    rules = [Rule.read(row, enabled=True) for row in rows]
    fields: dict[str, FieldValue] = {
        f"{prefix}rules.{rule.match}": rule.attributes for rule in rules
    }
    if len(rules) > 1:
        fields[f"{prefix}order"] = order_text(rule.match for rule in rules)
    return fields
