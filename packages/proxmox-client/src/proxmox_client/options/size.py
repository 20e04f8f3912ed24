"""Sizes of volumes as PVE writes them in options: `32G`, `4M`, `528K`."""

from __future__ import annotations

import re
from typing import Self

_SIZE = re.compile(r"(?P<amount>\d+(?:\.\d+)?)(?P<unit>[KMGT]?)")
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}


class Size(str):
    """A size as PVE writes it; a text in every respect, which also knows its bytes.

    Args:
        text: A number, with K, M, G or T for units of 1024; without one it counts bytes.

    Raises:
        ValueError: The text is no size.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check and keep the text."""
        if not _SIZE.fullmatch(text):
            raise ValueError(f"not a size such as 32G: {text!r}")
        return super().__new__(cls, text)

    @classmethod
    def of(cls, count: int) -> Self:
        """Write a number of bytes in the largest unit that holds it exactly.

        Raises:
            ValueError: The number is negative.
        """
        unit = next((u for u, bits in reversed(_UNITS.items()) if count % (1 << bits) == 0), "")
        return cls(f"{count >> _UNITS[unit]}{unit}" if count else "0")

    @property
    def bytes(self) -> int:
        """The size in bytes."""
        found = _SIZE.fullmatch(self)
        assert found is not None
        return int(float(found["amount"]) * (1 << _UNITS[found["unit"]]))

    def __repr__(self) -> str:
        return f"Size({str(self)!r})"
