"""Read the fields of an object from what the server shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from pmpc_reconcile.kinds import Kind, Shape, options_of
from pmpc_reconcile.values.fields import FieldValue, SecretMark, join_path
from pmpc_reconcile.values.reading import read_option


def live_fields(
    kind: Kind,
    config: Mapping[str, Any],
    *,
    state: str | None = None,
    pool: str | None = None,
) -> dict[str, FieldValue]:
    """Return the fields of an object as the server shows it.

    Args:
        kind: Its kind.
        config: The answer of GET config (a guest) or GET /pools/{poolid} (a pool).
        state: `running` or `stopped`, when known.
        pool: The pool a guest is in, when it is in one.
    """
    if kind.flat:
        return _pool_fields(config)
    fields: dict[str, FieldValue] = {}
    options = options_of(kind)
    for name, value in config.items():
        option = options.find(name)
        if option is None or value is None:
            continue
        if option.shape is Shape.SECRET:
            fields[join_path("config", name)] = SecretMark()
            continue
        for key, entry in read_option(option, value).items():
            fields[join_path("config", name, key)] = entry
    if state is not None:
        fields["state"] = state
    if pool:
        fields["pool"] = pool
    return fields


def _pool_fields(config: Mapping[str, Any]) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {}
    if config.get("comment"):
        fields["comment"] = str(config["comment"])
    for member in cast("Iterable[Mapping[str, Any]]", config.get("members") or ()):
        if member.get("vmid") is not None:
            fields[f"guests.{int(member['vmid'])}"] = True
        elif member.get("storage") is not None:
            fields[f"storage.{member['storage']}"] = True
    return fields
