"""Sizes of volumes: `32G`, `32768M`, `52429K`."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

_SIZE = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>[KMGT])?")
_UNITS: Final = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_EXTENT: Final = 4 * 1024**2


def parse_size(text: str) -> int:
    """Read a size as PVE writes it, in bytes; without a unit the number is bytes.

    Raises:
        ValueError: It is not a size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a size: {text!r}")
    return math.ceil(Decimal(match["number"]) * _UNITS.get(match["unit"] or "", 1))


def format_size(size: int) -> str:
    """Write bytes with the largest unit that leaves a whole number: 34359738368 is `32G`."""
    for unit in ("T", "G", "M", "K"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


def gibibytes(size: int) -> str:
    """Write bytes as PVE's allocation form wants them: `32`, `0.5` (`STORAGE:GIBIBYTES`)."""
    number = Decimal(size) / _UNITS["G"]
    return format(number.normalize(), "f")


def holds(actual: int, wanted: int) -> bool:
    """Whether a volume of `actual` bytes is what asking for `wanted` gives.

    Storages round up: files to a KiB (0.05 GiB is shown as 52429K), LVM to an extent of 4 MiB.
    """
    return wanted <= actual <= math.ceil(wanted / _EXTENT) * _EXTENT
