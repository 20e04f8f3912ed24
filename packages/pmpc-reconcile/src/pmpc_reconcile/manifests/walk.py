"""Ways through a tree: its plain values, and the place of a path in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pmpc_reconcile.manifests.tree import (
    MappingNode,
    Node,
    Path,
    Position,
    ScalarNode,
    SequenceNode,
)


def plain(node: Node) -> Any:
    """Return the values of a tree as Python's own."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    return {name: plain(entry.node) for name, entry in node.entries.items()}


def place_of(node: Node, path: Iterable[str | int], *, key: bool = False) -> Position:
    """Return the place of a path, or of the deepest part of it that exists.

    Args:
        node: Where the path begins.
        path: Keys and indices.
        key: The place of the last key rather than of its value.
    """
    place = node.place
    for step in path:
        if isinstance(node, MappingNode) and step in node.entries:
            entry = node.entries[str(step)]
            node, place = entry.node, entry.key_place if key else entry.node.place
        elif (
            isinstance(node, SequenceNode) and str(step).isdecimal() and int(step) < len(node.items)
        ):
            node = node.items[int(step)]
            place = node.place
        else:
            break
    return place


def dotted(path: Path) -> str:
    """Write a path for people: `spec.placement.nodes[0]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
