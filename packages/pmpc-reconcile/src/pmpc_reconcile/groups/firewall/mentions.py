"""What rules and sets name: a set, alias or group that goes may leave others' rules without it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pmpc_reconcile.groups.firewall.fields import list_prefix
from pmpc_reconcile.groups.firewall.state import Level


def left_without(now: Level, target: Level, going: Collection[str]) -> tuple[str, ...]:
    """Return what will name something that is gone, in words; PVE skips such rules silently.

    Args:
        now: The level.
        target: The level afterwards.
        going: Paths of rules that go as well, by another manifest.
    """
    gone = {f"+{name}" for name in now.ipsets.keys() - target.ipsets.keys()}
    gone |= now.aliases.keys() - target.aliases.keys()
    gone |= {f"group {name}" for name in now.groups.keys() - target.groups.keys()}
    found = ((place, gone & set(names)) for place, names in _mentions(target, going))
    return tuple(f"{place} names {', '.join(sorted(lost))}" for place, lost in found if lost)


def _mentions(level: Level, going: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    for name in level.lists:
        for rule in level.list(name):
            if f"{list_prefix(name)}rules.{rule.match}" not in going:
                yield f"rule {rule.match!r}", [*_names(rule.direction, rule.action, rule.criteria)]
    for name, ipset in level.ipsets.items():
        yield f"set {name}", [entry.removeprefix("dc/").lower() for entry in ipset.entries]


def _names(direction: str, action: str, criteria: dict[str, str]) -> Iterator[str]:
    if direction == "group":
        yield f"group {action}"
    for end in ("source", "dest"):
        for word in criteria.get(end, "").split(","):
            sign = "+" if word.startswith("+") else ""
            name = word.removeprefix("+").removeprefix("dc/")
            yield f"+{name}" if sign else name.lower()
