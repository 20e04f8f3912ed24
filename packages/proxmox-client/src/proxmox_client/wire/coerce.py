"""Bring a value PVE sent to the type the schema promises, or leave it as it came.

PVE sends numbers as text, booleans as numbers and now and then something else altogether. Nothing
here raises and nothing loses information: what cannot be read as the type stays what it was.
"""

from __future__ import annotations

import re
from typing import Any

# As many digits as PVE's own 64-bit integers and doubles hold; longer ones are names, not numbers.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,19})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
# What PVE itself reads as a boolean.
_BOOLEANS = {
    **dict.fromkeys(("1", "on", "yes", "true"), True),
    **dict.fromkeys(("0", "off", "no", "false"), False),
}


def to_text(value: Any) -> Any:
    """Read numbers and booleans as PVE would write them; keep the rest."""
    if value.__class__ is int or value.__class__ is float:
        return str(value)
    if value.__class__ is bool:
        return "1" if value else "0"
    return value


def to_integer(value: Any) -> Any:
    """Read digits, booleans and whole floats as an integer; keep the rest."""
    if value.__class__ is str:
        return int(value) if _INTEGER.fullmatch(value) and value != "-0" else value
    if value.__class__ is bool:
        return int(value)
    if value.__class__ is float and value.is_integer():
        return int(value)
    return value


def to_number(value: Any) -> Any:
    """Read text that is a number; whole ones stay integers; keep the rest."""
    if value.__class__ is str and _NUMBER.fullmatch(value):
        return int(value) if _INTEGER.fullmatch(value) else float(value)
    return int(value) if value.__class__ is bool else value


def to_boolean(value: Any) -> Any:
    """Read 0, 1 and the words PVE takes for them; keep the rest."""
    if value.__class__ is str:
        return _BOOLEANS.get(value.lower(), value)
    if (value.__class__ is int or value.__class__ is float) and value in (0, 1):
        return bool(value)
    return value


def keep(value: Any) -> Any:
    """Leave the value as it came."""
    return value
