"""Sizes as PVE writes them: ``1G``, ``1280M``, ``528K``."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)")

MIB = 1024**2
GIB = 1024**3


def parse_size(text: str) -> int:
    """Return the bytes of a size such as ``32G``.

    Raises:
        ValueError: The text is not a size.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a size: {text}")
    return int(Decimal(match[1]) * _UNITS[match[2]])


def format_size(size: int) -> str:
    """Write bytes with the largest unit that leaves a whole number."""
    number, unit = size, ""
    for larger in "KMGT":
        if number == 0 or number % 1024:
            break
        number, unit = number // 1024, larger
    return f"{number}{unit}"


def human_size(size: int) -> str:
    """Write bytes the way progress lines of a task log do: ``528.0 KiB``."""
    number, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if number < 1024:
            break
        number, unit = number / 1024, larger
    return f"{number:.1f} {unit}"
