"""Fields of settings that are items with options: zones and networks, interfaces.

A path is section, name of the item, option: `zones.lab.bridge`, `subnets.10.0.0.0/24.gateway`.
Names may have dots, options have none.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from pmpc_reconcile.kinds import interfaces, sdn
from pmpc_reconcile.values.fields import FieldValue

Items = dict[str, dict[str, FieldValue]]


def sdn_fields(spec: Mapping[str, Any]) -> dict[str, FieldValue]:
    """Return the fields a manifest of kind Sdn declares."""
    fields: dict[str, FieldValue] = {}
    for section in sdn.OPTIONS:
        for name, options in spec.get(section, {}).items():
            item = network_text(name) if section == "subnets" else name
            for option, value in read_options(options, sdn.LISTS).items():
                fields[f"{section}.{item}.{option}"] = value
    return fields


def network_fields(spec: Mapping[str, Any]) -> dict[str, FieldValue]:
    """Return the fields a manifest of kind NodeNetwork declares."""
    return {
        f"interfaces.{name}.{option}": value
        for name, options in spec.get("interfaces", {}).items()
        for option, value in read_options(options, interfaces.LISTS).items()
    }


def read_options(options: Mapping[str, Any], lists: Collection[str]) -> dict[str, FieldValue]:
    """Return options in canonical form, of a manifest or as the server shows them."""
    return {
        name: _entries(value) if name in lists else _single(value)
        for name, value in options.items()
        if value is not None and value != ""
    }


def split_item(path: str) -> tuple[str, str, str]:
    """Return section, item and option of a path."""
    section, _, rest = path.partition(".")
    name, _, option = rest.rpartition(".")
    return section, name, option


def network_text(text: str) -> str:
    """Write a network without host bits."""
    return str(ipaddress.ip_network(text, strict=False))


def _single(value: Any) -> FieldValue:
    if isinstance(value, str):
        return value.rstrip("\n")
    return cast("FieldValue", value)


def _entries(value: Any) -> str:
    """Return several entries as one text, sorted: their order says nothing."""
    if isinstance(value, str):
        rows: Iterable[object] = value.replace(",", " ").replace(";", " ").split()
        if "start-address=" in value:
            rows = value.split()
    else:
        rows = cast("Iterable[object]", value)
    return " ".join(sorted(_entry(row) for row in rows))


def _entry(row: object) -> str:
    if isinstance(row, Mapping):
        ends = cast("Mapping[str, object]", row)
        return f"{ends.get('start-address')}-{ends.get('end-address')}"
    text = str(row)
    if text.startswith("start-address="):
        pairs = dict(part.split("=", 1) for part in text.split(","))
        return f"{pairs['start-address']}-{pairs['end-address']}"
    return text
