"""Paths of answers about settings: which item of a kind one names, and what is wrong with it.

Names of interfaces, networks and rules have dots themselves, so each kind reads its own paths.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from pmpc_reconcile.diagnostics import did_you_mean
from pmpc_reconcile.kinds import Kind, firewall, interfaces, sdn
from pmpc_reconcile.values.rules import is_match

_CONTAINERS: Final[Mapping[str, tuple[str, ...]]] = {
    "aliases": ("cidr", "comment"),
    "ipsets": ("comment", "entries"),
    "groups": ("comment", "order", "rules"),
}


@attrs.frozen
class NamedItem:
    """What a path names.

    Attributes:
        item: The item: `zones.lab`, `rules.in ACCEPT`; empty for a whole section or an option.
        noun: What was looked for where there is no such thing: `option`, `zone`.
        word: What was found instead of it; empty if all is well.
        known: What there is.
    """

    item: str = ""
    noun: str = ""
    word: str = ""
    known: tuple[str, ...] = ()

    @property
    def hint(self) -> str | None:
        """Return what was probably meant, or what there is."""
        listed = f"there are {', '.join(self.known)}" if self.known else None
        return did_you_mean(self.word, self.known) or listed


def read_settings_path(kind: Kind, path: str) -> NamedItem:
    """Read a path of a kind that has items; its section is known to be right."""
    section, _, rest = path.partition(".")
    read = _READERS.get(kind.name)
    return NamedItem() if read is None or not rest else read(section, rest)


def _sdn(section: str, rest: str) -> NamedItem:
    def is_name(text: str) -> bool:
        if section == "subnets":
            return _is_network(text)
        rules: Mapping[str, Any] = sdn.SDN.spec[section]["keysrules"]
        return re.fullmatch(rules["regex"], text) is not None

    return _with_options(section, rest, is_name, sdn.OPTIONS[section])


def _network(section: str, rest: str) -> NamedItem:
    rules: Mapping[str, Any] = interfaces.NODE_NETWORK.spec["interfaces"]["keysrules"]

    def is_name(text: str) -> bool:
        return re.fullmatch(rules["regex"], text) is not None

    return _with_options(section, rest, is_name, interfaces.OPTIONS)


def _with_options(
    section: str, rest: str, is_name: Callable[[str], bool], options: Mapping[str, Any]
) -> NamedItem:
    if is_name(rest):
        return NamedItem(f"{section}.{rest}")
    name, _, option = rest.rpartition(".")
    if option in options and is_name(name):
        return NamedItem(f"{section}.{name}")
    if is_name(name):
        return NamedItem(noun="option", word=option, known=tuple(sorted(options)))
    return NamedItem(noun=section.removesuffix("s"), word=rest)


def _firewall(section: str, rest: str) -> NamedItem:
    if section == "options":
        known = {option for options in firewall.OPTIONS.values() for option in options}
        if rest in known:
            return NamedItem()
        return NamedItem(noun="option", word=rest, known=tuple(sorted(known)))
    if section == "rules":
        return _rule("rules", rest)
    name, _, below = rest.partition(".")
    part, _, inner = below.partition(".")
    parts = _CONTAINERS[section]
    if part and (part not in parts or (inner and part not in ("entries", "rules"))):
        return NamedItem(noun="part", word=part, known=parts)
    if part == "rules" and inner:
        return _rule(f"{section}.{name}.rules", inner)
    return NamedItem(f"{section}.{name}.{below}" if inner else f"{section}.{name}")


def _rule(prefix: str, match: str) -> NamedItem:
    if is_match(match):
        return NamedItem(f"{prefix}.{match}")
    return NamedItem(noun="rule", word=match)


def _plain(section: str, rest: str) -> NamedItem:
    return NamedItem(f"{section}.{rest}")


_READERS: Final[Mapping[str, Callable[[str, str], NamedItem]]] = {
    "Sdn": _sdn,
    "NodeNetwork": _network,
    "Firewall": _firewall,
    "Pool": _plain,
    "Image": _plain,
}


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
