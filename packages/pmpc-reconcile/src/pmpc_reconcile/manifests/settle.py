"""Give the plain values of a tree the types that rules ask for, where that is meant.

A text stays as written (`pool: 007`), a boolean takes `on` and `yes`, a number may be quoted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pmpc_reconcile.manifests.tree import MappingNode, Node, ScalarNode, SequenceNode
from pmpc_reconcile.manifests.walk import plain

_WORDS = {
    **dict.fromkeys(("on", "yes", "true", "1"), True),
    **dict.fromkeys(("off", "no", "false", "0"), False),
}


def settle(node: Node, rules: Mapping[str, Any]) -> Any:
    """Return a tree's values by Cerberus rules; what does not fit stays as it is."""
    if isinstance(node, MappingNode):
        inner: Mapping[str, Any] = rules.get("schema", {}) if rules.get("type") == "dict" else {}
        rest: Mapping[str, Any] = rules.get("valuesrules", {})
        return {
            name: settle(entry.node, inner.get(name, rest)) for name, entry in node.entries.items()
        }
    if isinstance(node, SequenceNode):
        rule: Mapping[str, Any] = rules.get("schema", {}) if rules.get("type") == "list" else {}
        return [settle(item, rule) for item in node.items]
    return _scalar(node, rules)


def _scalar(node: ScalarNode, rules: Mapping[str, Any]) -> Any:
    wanted = rules.get("type")
    if node.value is None or wanted is None:
        return plain(node)
    if wanted == "string":
        return node.raw
    if wanted == "boolean":
        return _WORDS.get(node.raw.lower(), node.value)
    if "integer" in wanted and re.fullmatch(r"[1-9]\d{0,18}", node.raw):
        return int(node.raw)
    if "string" in wanted and not isinstance(node.value, int):
        return node.raw
    return node.value
