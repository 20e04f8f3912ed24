"""A level as fields and back: what a manifest declares of it, and what changes make of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from pmpc_reconcile.diff import FieldChange
from pmpc_reconcile.groups.firewall.arranging import arranged
from pmpc_reconcile.groups.firewall.state import MAIN, Alias, Group, IpSet, Level
from pmpc_reconcile.kinds.firewall import OPTION_DEFAULTS
from pmpc_reconcile.values import ABSENT, Absent, Fields, FieldValue
from pmpc_reconcile.values.firewall import order_text
from pmpc_reconcile.values.rules import Rule, canonical_network

ORDER: Final = "order"


def level_fields(level: Level, scope: str, declared: Iterable[str]) -> dict[str, FieldValue]:
    """Return a level as fields.

    Args:
        level: The level.
        scope: `cluster`, `node` or `guest`: its options' defaults depend on it.
        declared: Paths a manifest declares: unset options among them are shown by their default.
    """
    fields: dict[str, FieldValue] = {}
    defaults = OPTION_DEFAULTS[scope]
    for path in declared:
        name = path.removeprefix("options.")
        if path.startswith("options.") and name in defaults:
            fields[path] = defaults[name]
    fields |= {f"options.{name}": text for name, text in level.options.items()}
    for name, alias in level.aliases.items():
        fields[f"aliases.{name}.cidr"] = alias.cidr
        if alias.comment:
            fields[f"aliases.{name}.comment"] = alias.comment
    for name, ipset in level.ipsets.items():
        fields[f"ipsets.{name}"] = True
        if ipset.comment:
            fields[f"ipsets.{name}.comment"] = ipset.comment
        for cidr, text in ipset.entries.items():
            fields[f"ipsets.{name}.entries.{canonical_network(cidr)}"] = text
    for name, group in level.groups.items():
        fields[f"groups.{name}"] = True
        if group.comment:
            fields[f"groups.{name}.comment"] = group.comment
    for name in level.lists:
        prefix = list_prefix(name)
        for rule in reversed(level.list(name)):  # the first of two that match the same is ours
            fields[f"{prefix}rules.{rule.match}"] = rule.attributes
    return fields


def list_prefix(name: str) -> str:
    """Return what the paths of a list's rules begin with."""
    return "" if name == MAIN else f"groups.{name}."


def with_orders(
    level: Level, desired: Fields, live: Fields, owned: Fields
) -> tuple[dict[str, FieldValue], dict[str, FieldValue]]:
    """Return live and owned fields with the orders of lists, fit for comparing.

    Only rules that are declared and there can be in a wrong order. Where nobody but us changed it,
    or where it is right, it counts as ours.
    """
    seen, ours = dict(live), dict(owned)
    for name in level.lists:
        path = f"{list_prefix(name)}{ORDER}"
        if path not in desired:
            continue
        wanted = str(desired[path]).split()
        there = order_text(rule.match for rule in level.list(name)).split()
        now = [word for word in dict.fromkeys(there) if word in wanted]
        if now:
            seen[path] = " ".join(now)
        base = [word for word in str(owned.get(path, "")).split() if word in now]
        untouched = [word for word in now if word in base] == base
        in_order = now == [word for word in wanted if word in now]
        if now and path in owned and (untouched or in_order):
            ours[path] = seen[path]
    return seen, ours


def target_of(level: Level, changes: Sequence[FieldChange]) -> Level:
    """Return the level that changes lead to.

    Args:
        level: The level.
        changes: What is to be written; new rules come with the order they belong into.
    """
    wanted = {change.path: change.desired for change in changes}
    level = _options(level, wanted)
    level = _aliases(level, wanted)
    level = _ipsets(level, wanted)
    level = _groups(level, wanted)
    for name in level.lists:
        level = level.with_list(name, _rules(level, name, wanted))
    return level


_Wanted = Mapping[str, FieldValue | Absent]


def _below(wanted: _Wanted, section: str) -> dict[str, dict[str, FieldValue | Absent]]:
    """Return the wanted values of a section, by the item's name and what follows it."""
    found: dict[str, dict[str, FieldValue | Absent]] = {}
    for path, value in wanted.items():
        if path.startswith(f"{section}."):
            name, _, rest = path.removeprefix(f"{section}.").partition(".")
            found.setdefault(name, {})[rest] = value
    return found


def _options(level: Level, wanted: _Wanted) -> Level:
    options = dict(level.options)
    for name, values in _below(wanted, "options").items():
        value = values[""]
        if isinstance(value, Absent):
            options.pop(name, None)
        else:
            options[name] = _text(value)
    return attrs.evolve(level, options=options)


def _aliases(level: Level, wanted: _Wanted) -> Level:
    aliases = dict(level.aliases)
    for name, values in _below(wanted, "aliases").items():
        if values.get("cidr") is ABSENT:
            aliases.pop(name, None)
            continue
        before = aliases.get(name, Alias(""))
        cidr = values.get("cidr", before.cidr)
        aliases[name] = Alias(_text(cidr), _comment(values, before.comment))
    return attrs.evolve(level, aliases=aliases)


def _ipsets(level: Level, wanted: _Wanted) -> Level:
    ipsets = dict(level.ipsets)
    for name, values in _below(wanted, "ipsets").items():
        if values.get("") is ABSENT:
            ipsets.pop(name, None)
            continue
        before = ipsets.get(name, IpSet())
        entries = dict(before.entries)
        known = {canonical_network(cidr): cidr for cidr in entries}
        for rest, value in values.items():
            if rest.startswith("entries."):
                cidr = rest.removeprefix("entries.")
                entries.pop(known.get(cidr, cidr), None)
                if not isinstance(value, Absent):
                    entries[known.get(cidr, cidr)] = _text(value)
        ipsets[name] = IpSet(entries, _comment(values, before.comment))
    return attrs.evolve(level, ipsets=ipsets)


def _groups(level: Level, wanted: _Wanted) -> Level:
    groups = dict(level.groups)
    for name, values in _below(wanted, "groups").items():
        if values.get("") is ABSENT:
            groups.pop(name, None)
            continue
        before = groups.get(name, Group())
        groups[name] = Group(before.rules, _comment(values, before.comment))
    return attrs.evolve(level, groups=groups)


def _rules(level: Level, name: str, wanted: _Wanted) -> tuple[Rule, ...]:
    prefix = f"{list_prefix(name)}rules."
    values = {
        path.removeprefix(prefix): value
        for path, value in wanted.items()
        if path.startswith(prefix)
    }
    order = wanted.get(f"{list_prefix(name)}{ORDER}")
    words = [] if order is None or isinstance(order, Absent) else str(order).split()
    return arranged(
        level.list(name),
        {match: None if isinstance(value, Absent) else Rule.of_field(match, str(value))
         for match, value in values.items()},
        words,
        order_text,
    )  # fmt: skip


def _comment(values: Mapping[str, FieldValue | Absent], before: str) -> str:
    value = values.get("comment", before)
    return "" if isinstance(value, Absent) else str(value)


def _text(value: FieldValue | Absent) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
