"""Which options of ours a running guest does not use yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pmpc_reconcile.kinds import Kind
from pmpc_reconcile.values import ABSENT, SecretMark, default_of, live_fields, same, split_path


def pending_options(
    kind: Kind, current: Mapping[str, Any], pending: Mapping[str, Any], fields: Iterable[str]
) -> tuple[str, ...]:
    """Return the options of which a running guest still uses another value.

    Args:
        kind: The kind of guest.
        current: What it runs with: GET config with `current=1`.
        pending: What it will have after a restart: GET config.
        fields: Paths of the fields that are ours.
    """
    running, coming = live_fields(kind, current), live_fields(kind, pending)
    found: set[str] = set()
    for path in fields:
        section, option, _ = split_path(path)
        if section != "config" or option is None:
            continue
        before = running.get(path, default_of(kind, path))
        after = coming.get(path, default_of(kind, path))
        if isinstance(before, SecretMark) and isinstance(after, SecretMark):
            continue
        if (before is ABSENT) != (after is ABSENT) or not same(kind, path, after, before):
            found.add(option)
    return tuple(sorted(found))
