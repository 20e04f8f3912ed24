"""How values of fields read: one line each, secrets never."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from pmpc_reconcile.values import ABSENT, Secret, SecretMark

NOTHING = "(absent)"
WIDEST = 72


def show_value(value: object) -> str:
    """Return a field's value as one short line."""
    return _shorten(_words(value))


def _words(value: object) -> str:
    if value is None or value is ABSENT:
        return NOTHING
    if isinstance(value, (Secret, SecretMark)):
        return "(secret)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if _needs_quotes(value) else value
    if isinstance(value, (list, tuple)):
        return ", ".join(_words(item) for item in cast("Sequence[object]", value))
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return ", ".join(f"{key}={_words(item)}" for key, item in items)
    return str(value)


def _needs_quotes(text: str) -> bool:
    return not text or not text.isprintable() or text != text.strip()


def _shorten(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def show_time(text: str | None) -> str:
    """Return an ISO time without fractions, as people read it."""
    if not text:
        return ""
    head, _, rest = text.partition(".")
    zone = rest.lstrip("0123456789")
    return f"{head}{zone}".replace("+00:00", "Z")
