"""How much a sync reads and how hard it asks: what can be left out, and what makes no sense."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from pmpc_state.discovery.collections.table import COLLECTIONS, Collection

VOLUMES: Final = "content"


def left_out(collections: Iterable[Collection], patterns: Iterable[str]) -> frozenset[str]:
    """Return the sections that some names or shell patterns mean.

    Nodes, guests, storages and pools are what everything else refers to; they are always read.
    """
    possible = _possible(collections)
    return frozenset(
        name for name in possible for pattern in patterns if fnmatchcase(name, pattern)
    )


def sync_problem(
    without: Iterable[str],
    concurrency: int,
    rate: float | None,
    *,
    collections: Iterable[Collection] = COLLECTIONS,
) -> str | None:
    """Say what is wrong with the options of a sync, None if nothing is.

    Args:
        without: Names and shell patterns of sections to leave out.
        concurrency: How many requests may be on their way at once.
        rate: How many may be made in a second.
        collections: What there is to leave out.
    """
    if concurrency < 1:
        return f"cannot read with {concurrency} requests at once; allow at least 1"
    if rate is not None and not rate > 0:
        return f"cannot read with {rate:g} requests in a second; allow more than 0"
    possible = _possible(collections)
    for pattern in without:
        if not any(fnmatchcase(name, pattern) for name in possible):
            return (
                f"cannot leave out {pattern!r}: no section that could be left out is called so; "
                f"they are {', '.join(sorted(possible))}"
            )
    return None


def _possible(collections: Iterable[Collection]) -> tuple[str, ...]:
    return VOLUMES, *(one.kind for one in collections)
