"""Expressions that mean the same on both databases."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, Float, Text, and_, case, cast, false, func, not_
from sqlalchemy.dialects.postgresql import JSON


def certainly(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition that is false where it cannot be told."""
    return func.coalesce(condition, false())


def collated(dialect: str, text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Order a text by code point, whatever the locale of the server is."""
    return text.collate("C") if dialect == "postgresql" else text


def as_number(dialect: str, text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the number a text is, NULL if it is none."""
    if dialect == "postgresql":
        shaped = text.regexp_match(r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$")
    else:
        shaped = and_(
            text.bool_op("GLOB")("*[0-9]*"), not_(text.bool_op("GLOB")("*[^0-9.eE+-]*")),
            text.bool_op("GLOB")("[-0-9]*"),
        )  # fmt: skip
    return case((shaped, cast(text, Float(53))), else_=None)


def matches(dialect: str, text: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """Say whether a text as a whole matches a pattern with `*`, `?` and `[…]`, as is."""
    if dialect != "postgresql":
        return text.bool_op("GLOB")(pattern.replace("[!", "[^"))
    signs = {"*": ".*", "?": ".", "[": "[", "]": "]", "!": "!", "-": "-"}
    shape = "".join(signs.get(sign, re.escape(sign)) for sign in pattern)
    return text.regexp_match(f"^{shape.replace('[!', '[^')}$")


def inside(dialect: str, document: ColumnElement[Any], path: tuple[str, ...]) -> ColumnElement[Any]:
    """Return what is at a path of a document, as text."""
    if dialect == "postgresql":
        return func.json_extract_path_text(cast(document, JSON), *path, type_=Text)
    quoted = "".join(f'."{name}"' for name in path)
    found = func.json_extract(document, f"${quoted}", type_=Text)
    kind = func.json_type(document, f"${quoted}", type_=Text)
    return case((kind == "true", "true"), (kind == "false", "false"), else_=cast(found, Text))
