"""The root of the tree of errors, and how their sentences are put together."""

from __future__ import annotations


class PveError(Exception):
    """Root of everything this package raises on purpose."""


def joined_lines(*parts: str) -> str:
    """Return the parts that say something, a line each."""
    return "\n".join(part for part in parts if part)
