"""Canonical JSON: one spelling per document."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pmpc_state.canonical import canonical_json, content_hash

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def _shuffled(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _shuffled(value[name]) for name in reversed(list(value))}
    return [_shuffled(entry) for entry in value] if isinstance(value, list) else value


@given(documents)
def test_key_order_does_not_matter(document: Any) -> None:
    assert canonical_json(_shuffled(document)) == canonical_json(document)


@given(documents)
def test_reading_and_writing_again_changes_nothing(document: Any) -> None:
    text = canonical_json(document)
    assert canonical_json(json.loads(text)) == text
    assert text.isascii()
    assert len(content_hash(text)) == 64


@given(st.integers(min_value=-(2**50), max_value=2**50))
def test_whole_floats_equal_integers(number: int) -> None:
    assert canonical_json({"n": float(number)}) == canonical_json({"n": number})


def test_spelling_is_fixed() -> None:
    document = {"b": [1.0, 1.5, True, None], "a": "ä", "c": {"y": 0, "x": -0.0}}
    assert canonical_json(document) == '{"a":"\\u00e4","b":[1,1.5,true,null],"c":{"x":0,"y":0}}'


def test_what_json_lacks_becomes_text() -> None:
    assert canonical_json([math.nan, math.inf, -math.inf]) == '["nan","inf","-inf"]'


def test_true_is_not_one() -> None:
    assert canonical_json(True) != canonical_json(1)
