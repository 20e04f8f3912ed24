"""The recorded files of one server as one course of events.

Files of a cluster overlap in time: they are interleaved by the moments their requests were sent.
What was done to the machines meanwhile (power cut, packets dropped) stands in the rules as deeds.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from proxmox_client.values import Upid
from tests.conformance.answers import exchanges
from tests.conformance.json_values import data_of

_TOGETHER = 0.01
_OFTEN = 4


@attrs.define(eq=False)
class Moment:
    """A request, or something done to the machines.

    Attributes:
        area: File it belongs to.
        at: When it was sent, in seconds since the epoch; None in files without times.
        record: The recorded exchange; empty for a deed.
        poll: Whether it is one of many that asked the same.
        deed: What was done, and to what.
    """

    area: str
    at: float | None
    record: dict[str, Any] = attrs.field(factory=dict[str, Any])
    poll: bool = False
    deed: tuple[Any, ...] = ()

    @property
    def until(self) -> float:
        """When the same was answered last; the time it was sent if that was once."""
        assert self.at is not None
        if "until" not in self.record:
            return self.at
        return self.at + float(self.record["until"]) - float(self.record["t"])

    @property
    def key(self) -> str:
        """What was asked, and of which node."""
        return key_of(self.record)


def key_of(record: Mapping[str, Any]) -> str:
    """Name what was asked, and of which node."""
    params = json.dumps(record.get("params") or {}, sort_keys=True)
    return f"{record.get('via', '')} {record['method']} {record['path']} {params}"


def course(
    areas: Iterable[str],
    epochs: Mapping[str, float],
    deeds: Mapping[str, list[tuple[Any, ...]]],
) -> list[Moment]:
    """Return the moments of some files in the order in which they happened.

    Args:
        areas: Names of the files.
        epochs: When files began that do not tell by themselves.
        deeds: For each file what was done to the machines: seconds since its beginning, what.
    """
    moments: list[Moment] = []
    for area in areas:
        records = [exchange.fields for exchange in exchanges(area)]
        epoch = epochs.get(area) or epoch_of(records)
        asked = Counter(key_of(record) for record in records)
        known = [
            Moment(
                area,
                None if epoch is None else epoch + float(record["t"]),
                record,
                poll=epoch is not None and is_poll(record, asked),
            )
            for record in records
        ]
        if epoch is not None:
            known += [
                Moment(area, epoch + float(after), deed=tuple(what))
                for after, *what in deeds.get(area, ())
            ]
        moments += known
    if all(moment.at is not None for moment in moments):
        moments.sort(key=lambda moment: moment.at or 0.0)
    return _winners_first(moments)


def is_poll(record: Mapping[str, Any], asked: Mapping[str, int]) -> bool:
    """Whether a record is one of many that waited for something to change."""
    note = str(record.get("note", ""))
    if record["method"] != "GET" or note in ("first poll", "final poll", "task log"):
        return False
    timed = re.search(r"\bt=\d", note) is not None
    return timed or "repeats" in record or asked[key_of(record)] >= _OFTEN


def epoch_of(records: list[dict[str, Any]]) -> float | None:
    """Find when a file began, from the tasks whose start and offset are both known."""
    starts = [
        upid.starttime - float(record["t"])
        for record in records
        if "t" in record and (upid := started_task(record)) is not None
    ]
    # A start is cut to whole seconds, so the latest guess is the best.
    return max(starts, default=None)


def _winners_first(moments: list[Moment]) -> list[Moment]:
    """Put the one that got through first among calls that were sent at the same moment.

    The simulator answers one call after the other; which of two wins is chance on a real server.
    """
    ordered = list(moments)
    for index in range(len(ordered) - 1, 0, -1):
        first, second = ordered[index - 1], ordered[index]
        if first.deed or second.deed or first.at is None or second.at is None:
            continue
        if "GET" in (first.record["method"], second.record["method"]):
            continue
        if abs(first.at - second.at) < _TOGETHER and _rank(second) < _rank(first):
            ordered[index - 1], ordered[index] = second, first
    return ordered


def _rank(moment: Moment) -> tuple[bool, int, int]:
    """Order what got through before what was refused, and tasks by when they really started."""
    upid = started_task(moment.record)
    refused = int(moment.record["status"]) >= 400
    return (refused, 0, 0) if upid is None else (refused, upid.pstart, upid.pid)


def started_task(record: Mapping[str, Any]) -> Upid | None:
    """Return the task a recorded request started; None if it started none."""
    data = data_of(record.get("body"))
    if record["method"] == "GET" or not isinstance(data, str) or not data.startswith("UPID:"):
        return None
    return Upid.parse(data)
