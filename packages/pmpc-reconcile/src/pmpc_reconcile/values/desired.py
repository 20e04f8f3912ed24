"""Read the fields of an object from the spec of its manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from pmpc_reconcile.kinds import Kind, Option, Shape, options_of
from pmpc_reconcile.values.disks import read_volume
from pmpc_reconcile.values.fields import FieldValue, join_path
from pmpc_reconcile.values.firewall import firewall_fields
from pmpc_reconcile.values.images import image_fields
from pmpc_reconcile.values.items import network_fields, sdn_fields
from pmpc_reconcile.values.reading import read_option, read_single


def desired_fields(kind: Kind, spec: Mapping[str, Any]) -> dict[str, FieldValue]:
    """Return the fields a validated spec declares.

    Create-only options and what only guides the engine (source, placement, restart) are not fields.
    """
    if kind.flat:
        return _FLAT[kind.name](spec)
    fields: dict[str, FieldValue] = {}
    options = options_of(kind)
    for name, value in spec.get("config", {}).items():
        option = options.find(name)
        if option is None or name in kind.create_only:
            continue
        for key, entry in _entries(option, value).items():
            fields[join_path("config", name, key)] = entry
    for name in ("state", "pool"):
        if name in spec:
            fields[name] = spec[name]
    return fields


def _entries(option: Option, value: Any) -> Mapping[str | None, FieldValue]:
    if option.shape in (Shape.DISK, Shape.PROPERTIES):
        return _keyed(option, value)
    if option.shape is Shape.SET:
        return dict.fromkeys(cast("list[str | None]", value), True)
    if option.shape is Shape.SECRET:
        return {None: value}
    return {None: read_single(option, value)}


def _keyed(option: Option, value: Any) -> Mapping[str | None, FieldValue]:
    if not isinstance(value, Mapping):
        # Older versions know a property string only as a text (`machine` before 8.2).
        return read_option(option, value)
    parts = cast("Mapping[str, Any]", value)
    if option.shape is Shape.DISK:
        parts = read_volume(parts, option.name, live=False)
    return cast("Mapping[str | None, FieldValue]", parts)


def _pool_fields(spec: Mapping[str, Any]) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {}
    if "comment" in spec:
        fields["comment"] = spec["comment"]
    for section in ("storage", "guests"):
        fields.update({f"{section}.{entry}": True for entry in spec.get(section, ())})
    return fields


_FLAT: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, FieldValue]]]] = {
    "Pool": _pool_fields,
    "Firewall": firewall_fields,
    "Sdn": sdn_fields,
    "NodeNetwork": network_fields,
    "Image": image_fields,
    "Release": lambda _spec: {},
}
