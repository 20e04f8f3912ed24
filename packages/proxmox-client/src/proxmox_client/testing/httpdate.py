"""Moments as HTTP spells them."""

from __future__ import annotations

import functools
from email.utils import formatdate


@functools.lru_cache(maxsize=2)
def http_date(second: int) -> str:
    """Return seconds since the epoch as a `Date` header says them."""
    return formatdate(second, usegmt=True)
