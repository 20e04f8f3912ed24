"""The interfaces of a node as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from pmpc_reconcile.diff import FieldChange
from pmpc_reconcile.kinds.interfaces import DEFAULTS
from pmpc_reconcile.values import Absent, FieldValue
from pmpc_reconcile.values.items import split_item
from pmpc_reconcile.values.writing import write_value

Options = Mapping[str, FieldValue]
Interfaces = Mapping[str, Options]
PORTS: Final = ("bridge_ports", "slaves", "ovs_ports", "ovs_bonds")
"""Options that name other interfaces as ports."""


@attrs.frozen
class NetworkState:
    """What is configured on a node.

    Attributes:
        interfaces: As staged, or as they are if nothing is.
        pending: The difference that waits for a reload, as PVE shows it; empty for none.
    """

    interfaces: Interfaces
    pending: str = ""


def network_live(interfaces: Interfaces, declared: Iterable[str]) -> dict[str, FieldValue]:
    """Return interfaces as fields; declared options that are unset by their default."""
    fields: dict[str, FieldValue] = {}
    for path in declared:
        _, name, option = split_item(path)
        if name in interfaces and option in DEFAULTS:
            fields[path] = DEFAULTS[option]
    for name, options in interfaces.items():
        for option, value in options.items():
            fields[f"interfaces.{name}.{option}"] = value
    return fields


def network_target(interfaces: Interfaces, changes: Sequence[FieldChange]) -> Interfaces:
    """Return the interfaces that changes lead to; one without a type goes."""
    found = {name: dict(options) for name, options in interfaces.items()}
    for change in changes:
        _, name, option = split_item(change.path)
        if isinstance(change.desired, Absent):
            found.get(name, {}).pop(option, None)
        else:
            found.setdefault(name, {})[option] = change.desired
    return {name: options for name, options in found.items() if "type" in options}


def touched(one: Interfaces, other: Interfaces) -> tuple[str, ...]:
    """Return the interfaces that two configurations do not have in common."""
    return tuple(
        name
        for name in sorted({*one, *other})
        if plain_options(one.get(name)) != plain_options(other.get(name))
    )


def with_generated(
    target: Interfaces, staged: Interfaces, before: Interfaces, names: Iterable[str]
) -> Interfaces:
    """Return a target that keeps what PVE filled in by itself in interfaces it was asked to stage.

    Args:
        target: What is wanted.
        staged: What is staged by now.
        before: What was there before anything was staged.
        names: The interfaces that change.
    """
    found = dict(target)
    for name in names:
        if name in target and name in staged:
            known = {*target[name], *before.get(name, {})}
            new = {key: value for key, value in staged[name].items() if key not in known}
            found[name] = {**target[name], **new}
    return found


def plain_options(options: Options | None) -> dict[str, str] | None:
    """Return options as texts, those left out that say what PVE takes anyway."""
    if options is None:
        return None
    texts = {name: write_value(value) for name, value in options.items()}
    return {
        name: text
        for name, text in texts.items()
        if name not in DEFAULTS or text != write_value(DEFAULTS[name])
    }


def ports_of(options: Options) -> tuple[str, ...]:
    """Return the interfaces that are ports of one."""
    return tuple(
        port for option in PORTS if option in options for port in str(options[option]).split()
    )
