"""Samples from `rrddata`: what PVE keeps itself, in steps that grow with the time frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from pmpc_state.values.samples import Sample, Tier

_SAME: Final = {"memused": "mem", "rootused": "disk", "used": "disk"}
"""Names under which nodes and storages have what the lists call otherwise."""
_SIZES: Final = frozenset(
    {"time", "maxcpu", "maxmem", "maxdisk", "memtotal", "roottotal", "swaptotal", "total"}
)
"""What is a size and no use, and the moment itself."""


def statistics_samples(
    kind: str, key: str, rows: Iterable[Mapping[str, Any]], until: datetime
) -> Iterator[Sample]:
    """Return the samples of one resource; holes and the span that goes on are left out."""
    entries = [row for row in rows if _number(row.get("time")) is not None]
    step = int(tier_of(entries))
    for row in entries:
        at = datetime.fromtimestamp(int(row["time"]), UTC)
        if (until - at).total_seconds() < step:
            continue
        for name, value in row.items():
            number = _number(value)
            if name not in _SIZES and number is not None:
                yield Sample(kind, key, _SAME.get(name, name), at, number)


def tier_of(rows: Iterable[Mapping[str, Any]]) -> Tier:
    """Return the coarsest tier whose spans are no longer than the step between rows."""
    times = sorted({int(row["time"]) for row in rows})
    step = min((after - before for before, after in pairwise(times)), default=int(Tier.MINUTE))
    return max((tier for tier in Tier if tier <= step), default=Tier.MINUTE)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number == number and abs(number) != float("inf") else None
