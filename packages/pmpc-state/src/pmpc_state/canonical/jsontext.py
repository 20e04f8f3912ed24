"""Canonical JSON: equal documents have equal bytes, whatever order or spelling they came in."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, cast


def canonical_json(document: object) -> str:
    """Return the one JSON text that stands for a document.

    Keys are sorted, there is no white space, text is ASCII with escapes (so that odd code points
    survive every database encoding), and a number without a fraction is written as an integer:
    PVE sends 1, 1.0 and "1" for the same field in different answers; the first two become equal
    here, the third is the decoder's business. NaN and infinity, which JSON lacks, become text.

    Raises:
        TypeError: The document holds something JSON has no form for.
    """
    return json.dumps(
        _stable(document), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def content_hash(text: str) -> str:
    """Return the SHA-256 of canonical text, in hex."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _stable(value: object) -> object:
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
