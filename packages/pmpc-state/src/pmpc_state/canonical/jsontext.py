"""Canonical JSON: equal documents have equal bytes, whatever order or spelling they came in."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Final, cast

_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
)
_AS_IS: Final = frozenset({str, int, bool, type(None)})


def canonical_json(document: object) -> str:
    """Return the one JSON text that stands for a document.

    Keys are sorted, there is no white space, text is ASCII with escapes (so that odd code points
    survive every database encoding), and a number without a fraction is written as an integer:
    PVE sends 1, 1.0 and "1" for the same field in different answers; the first two become equal
    here, the third is the decoder's business. NaN and infinity, which JSON lacks, become text.

    Raises:
        TypeError: The document holds something JSON has no form for.
    """
    return _ENCODER.encode(_stable(document))


def content_hash(text: str) -> str:
    """Return the SHA-256 of canonical text, in hex."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _stable(value: object) -> object:
    # The common types first, by their very type: documents are many and most are flat.
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is dict:
        found = cast("dict[Any, object]", value)
        return {
            name if type(name) is str else str(name): (
                entry if type(entry) in _AS_IS else _stable(entry)
            )
            for name, entry in found.items()
        }
    if isinstance(value, float):
        return _stable_number(value)
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, object]", value)
        return {str(key): _stable(entry) for key, entry in entries.items()}
    if isinstance(value, list | tuple):
        return [_stable(entry) for entry in cast("list[object]", value)]
    return value


def _stable_number(value: float) -> int | float | str:
    if math.isnan(value) or math.isinf(value):
        return str(value)
    return int(value) if value.is_integer() else value
