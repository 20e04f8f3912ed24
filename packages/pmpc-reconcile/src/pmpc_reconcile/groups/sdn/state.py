"""The cluster's networks as values, staged and running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from pmpc_reconcile.diff import FieldChange
from pmpc_reconcile.kinds.sdn import DEFAULTS
from pmpc_reconcile.values import Absent, FieldValue
from pmpc_reconcile.values.items import split_item
from pmpc_reconcile.values.writing import write_value

Options = Mapping[str, FieldValue]
Objects = Mapping[str, Mapping[str, Options]]
"""By section and name: the options of each object."""

SECTIONS: Final = ("controllers", "zones", "vnets", "subnets")
"""In the order in which objects are made; they are removed the other way round."""


@attrs.frozen
class SdnState:
    """Both configurations.

    Attributes:
        staged: As edited.
        running: As applied last.
        ids: How PVE calls a subnet, by its network: `lab-10.0.0.0-24`.
        digests: Digest of each section's file as staged.
    """

    staged: Objects
    running: Objects
    ids: Mapping[str, str] = attrs.field(factory=dict[str, str])
    digests: Mapping[str, str] = attrs.field(factory=dict[str, str])

    @property
    def pending(self) -> tuple[str, ...]:
        """Return what waits for an apply, as `zones.lab`."""
        return different(self.running, self.staged)


def different(one: Objects, other: Objects) -> tuple[str, ...]:
    """Return the objects two configurations do not have in common, as `zones.lab`."""
    return tuple(
        f"{section}.{name}"
        for section in SECTIONS
        for name in sorted({*one[section], *other[section]})
        if _plain(one[section].get(name)) != _plain(other[section].get(name))
    )


def sdn_live(objects: Objects, declared: Sequence[str]) -> dict[str, FieldValue]:
    """Return a configuration as fields; declared options that are unset by their default."""
    fields: dict[str, FieldValue] = {}
    for path in declared:
        section, name, option = split_item(path)
        if name in objects[section] and option in DEFAULTS:
            fields[path] = DEFAULTS[option]
    for section in SECTIONS:
        for name, options in objects[section].items():
            for option, value in options.items():
                fields[f"{section}.{name}.{option}"] = value
    return fields


def sdn_target(objects: Objects, changes: Sequence[FieldChange]) -> Objects:
    """Return the configuration that changes lead to; what loses its first option goes."""
    from pmpc_reconcile.kinds.sdn import MADE_BY

    found = {
        section: {name: dict(options) for name, options in objects[section].items()}
        for section in SECTIONS
    }
    for change in changes:
        section, name, option = split_item(change.path)
        if isinstance(change.desired, Absent):
            found[section].get(name, {}).pop(option, None)
        else:
            found[section].setdefault(name, {})[option] = change.desired
    return {
        section: {
            name: options for name, options in found[section].items() if MADE_BY[section] in options
        }
        for section in SECTIONS
    }


def _plain(options: Options | None) -> dict[str, str] | None:
    return None if options is None else {name: write_value(v) for name, v in options.items()}
