"""Firewall rules as values: what a rule matches is its identity, the rest are its attributes.

Two rules of one list that match the same packets the same way are one rule: the second never has
an effect. So the text of what a rule matches names it, wherever in the list it stands.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final, Self

import attrs

_MATCH: Final = (
    "macro", "iface", "source", "dest", "proto", "dport", "sport", "icmp-type",
)  # fmt: skip
_LOWER: Final = frozenset({"macro", "proto"})
_LISTS: Final = frozenset({"source", "dest", "dport", "sport"})
_STATE: Final = re.compile(r"(?P<state>enabled|disabled)(?: log=(?P<log>\S+))?(?: # (?P<note>.*))?")
DIRECTIONS: Final = ("in", "out", "forward", "group")


@attrs.frozen
class Rule:
    """One rule of a list.

    Attributes:
        match: Direction, action and what it matches, in a form of its own:
            `in ACCEPT -source 10.0.0.0/8 -proto tcp -dport 22`, `group web`.
        enabled: Whether it counts.
        log: Its log level; None for no logging.
        comment: Its comment.
    """

    match: str
    enabled: bool = True
    log: str | None = None
    comment: str = ""

    @classmethod
    def read(cls, row: Mapping[str, Any], *, enabled: bool) -> Self:
        """Read a rule of a manifest or as the server shows it.

        Args:
            row: Its properties by PVE's names.
            enabled: Whether a rule that does not say counts.
        """
        words = [str(row.get("type", "")), str(row.get("action", ""))]
        for name in _MATCH:
            value = row.get(name)
            if value not in (None, ""):
                words += [f"-{name}", _canonical(name, str(value))]
        state = row.get("enable")
        log = str(row.get("log") or "nolog")
        return cls(
            match=" ".join(words),
            enabled=enabled if state is None else str(state) not in ("0", "False", "false"),
            log=None if log == "nolog" else log,
            comment=str(row.get("comment") or "").strip(),
        )

    @classmethod
    def of_field(cls, match: str, attributes: str) -> Self:
        """Return the rule that a field stands for: its path's end and its value."""
        found = _STATE.fullmatch(attributes)
        if found is None:
            raise ValueError(f"not the attributes of a rule: {attributes!r}")
        return cls(match, found["state"] == "enabled", found["log"], found["note"] or "")

    @property
    def attributes(self) -> str:
        """Return everything but what it matches: `enabled log=info # for Ada`."""
        words = ["enabled" if self.enabled else "disabled"]
        words += [f"log={self.log}"] if self.log else []
        words += [f"# {self.comment}"] if self.comment else []
        return " ".join(words)

    @property
    def direction(self) -> str:
        """Return `in`, `out`, `forward` or `group`."""
        return self.match.partition(" ")[0]

    @property
    def action(self) -> str:
        """Return `ACCEPT`, `DROP`, `REJECT` or the name of a security group."""
        return self.match.split(" ")[1]

    @property
    def criteria(self) -> dict[str, str]:
        """Return what it matches, by PVE's names."""
        words = self.match.split(" ")[2:]
        return {
            name.removeprefix("-"): value
            for name, value in zip(words[::2], words[1::2], strict=True)
        }

    def parameters(self) -> dict[str, object]:
        """Return what creates it, by PVE's names."""
        found: dict[str, object] = {"type": self.direction, "action": self.action}
        found |= self.criteria
        found["enable"] = 1 if self.enabled else 0
        if self.log:
            found["log"] = self.log
        if self.comment:
            found["comment"] = self.comment
        return found


def is_match(text: str) -> bool:
    """Return whether a text has the form of what a rule matches."""
    direction, _, rest = text.partition(" ")
    action, *words = rest.split(" ")
    names = [word.removeprefix("-") for word in words[::2] if word.startswith("-")]
    paired = 2 * len(names) == len(words)
    return direction in DIRECTIONS and bool(action) and paired and set(names) <= set(_MATCH)


def canonical_network(text: str) -> str:
    """Write an address or network as PVE stores it: a network of one host is the host."""
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        return text
    one = found.network.prefixlen == found.network.max_prefixlen
    return str(found.ip) if one else f"{found.ip}/{found.network.prefixlen}"


def _canonical(name: str, text: str) -> str:
    if name in _LOWER:
        return text.strip().lower()
    if name not in _LISTS:
        return text.strip()
    entries = [entry.strip() for entry in text.split(",")]
    if name in ("source", "dest"):
        entries = [canonical_network(entry) for entry in entries]
    return ",".join(entry for entry in entries if entry)
