"""A level of the firewall as a value: the whole cluster, a node or a guest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from pmpc_reconcile.values.rules import Rule

Rules = tuple[Rule, ...]
MAIN: Final = ""
"""Name of a level's own list of rules; the other lists are security groups."""


@attrs.frozen
class Alias:
    """A name for an address or network."""

    cidr: str
    comment: str = ""


@attrs.frozen
class IpSet:
    """A named set.

    Attributes:
        entries: Network or alias to its attributes: ``match`` or ``nomatch``, and a comment.
        comment: Its comment.
    """

    entries: Mapping[str, str] = attrs.field(factory=dict[str, str])
    comment: str = ""


@attrs.frozen
class Group:
    """A security group."""

    rules: Rules = ()
    comment: str = ""


@attrs.frozen
class Level:
    """The firewall configuration of one level.

    Attributes:
        options: Options that are set, as texts.
        rules: Rules from the first to the last.
        aliases: Aliases by name in small letters.
        ipsets: Sets by name.
        groups: Security groups by name; only the cluster has some.
    """

    options: Mapping[str, str] = attrs.field(factory=dict[str, str])
    rules: Rules = ()
    aliases: Mapping[str, Alias] = attrs.field(factory=dict[str, Alias])
    ipsets: Mapping[str, IpSet] = attrs.field(factory=dict[str, IpSet])
    groups: Mapping[str, Group] = attrs.field(factory=dict[str, Group])

    def list(self, name: str) -> Rules:
        """Return the rules of the level or of one of its security groups."""
        return self.rules if name == MAIN else self.groups[name].rules

    def with_list(self, name: str, rules: Rules) -> Level:
        """Return the level with other rules in one of its lists."""
        if name == MAIN:
            return attrs.evolve(self, rules=rules)
        group = attrs.evolve(self.groups[name], rules=rules)
        return attrs.evolve(self, groups={**self.groups, name: group})

    @property
    def lists(self) -> tuple[str, ...]:
        """Return the names of the lists: the security groups, then the level's own."""
        return (*sorted(self.groups), MAIN)


def entry_text(row: Mapping[str, Any]) -> str:
    """Return the attributes of a set's entry: `nomatch # printer`."""
    word = "nomatch" if str(row.get("nomatch", 0)) in ("1", "True", "true") else "match"
    comment = str(row.get("comment") or "").strip()
    return f"{word} # {comment}" if comment else word


def entry_parameters(text: str) -> dict[str, object]:
    """Return an entry's attributes as parameters."""
    word, _, comment = text.partition(" # ")
    found: dict[str, object] = {"nomatch": 1} if word == "nomatch" else {}
    return {**found, "comment": comment} if comment else found
