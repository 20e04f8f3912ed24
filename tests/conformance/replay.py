"""Replay the recorded exchanges against the simulator and sum up area by area."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from proxmox_client.testing import SimulatedCluster
from proxmox_client.values import Upid
from tests.conformance.answers import exchanges
from tests.conformance.json_values import data_of
from tests.conformance.replay_compare import differences
from tests.conformance.replay_servers import (
    one_node_cluster,
    race_cluster,
    three_node_cluster,
)
from tests.conformance.replay_session import Answer, Session

_TOGETHER = 0.01
RULES = Path(__file__).with_name("replay_rules.json")
# Holds by itself: whether a task is simulated shows in the exchange that starts it.
_ORPHAN = "asks about a task whose start is not in the recording, is excluded or differs"


@attrs.define
class Exclusion:
    """Exchanges that are not compared, and why.

    Attributes:
        reason: In words.
        area: File it holds for; empty for all.
        method: HTTP method; empty for all.
        path: Regular expression for the whole path.
        numbers: Numbers of exchanges (`n`); empty for all.
        unsimulated: It holds only where the simulator says that it does not simulate the operation.
        differing: How many of its exchanges really differ.
    """

    reason: str
    area: str = ""
    method: str = ""
    path: str = ".*"
    numbers: tuple[int, ...] = ()
    unsimulated: bool = False
    differing: int = 0
    seen: int = 0

    def covers(self, area: str, record: dict[str, Any], answer: Answer) -> bool:
        """Whether an exchange is among them."""
        return (
            (not self.unsimulated or "does not simulate" in answer.reason)
            and self.area in ("", area)
            and self.method in ("", record["method"])
            and (not self.numbers or record["n"] in self.numbers)
            and re.fullmatch(self.path, str(record["path"]).partition("?")[0]) is not None
        )


@attrs.define
class AreaResult:
    """How one file went."""

    area: str
    exchanges: int = 0
    replayed: int = 0
    excluded: Counter[str] = attrs.field(factory=Counter[str])
    mismatches: list[str] = attrs.field(factory=list[str])

    def to_dict(self) -> dict[str, Any]:
        """Return the form the conformance report has."""
        return {
            "exchanges": self.exchanges,
            "replayed": self.replayed,
            "excluded": dict(self.excluded),
            "mismatches": self.mismatches,
        }


@attrs.frozen
class Report:
    """How the whole replay went."""

    areas: tuple[AreaResult, ...]
    stale: tuple[str, ...]


@functools.cache
def rules() -> dict[str, Any]:
    """Read the rules: order of the files, hints, exclusions."""
    document: dict[str, Any] = json.loads(RULES.read_text(encoding="utf-8"))
    return document


def run() -> Report:
    """Replay everything."""
    exclusions = [
        Exclusion(
            reason=entry["reason"],
            area=entry.get("area", ""),
            method=entry.get("method", ""),
            path=entry.get("path", ".*"),
            numbers=tuple(entry.get("numbers", ())),
            unsimulated=bool(entry.get("unsimulated")),
        )
        for entry in rules()["exclusions"]
    ]
    results = [
        result
        for cluster, areas in (
            (one_node_cluster(), rules()["order"]["one_node"]),
            (three_node_cluster(), rules()["order"]["three_nodes"]),
            (race_cluster(), rules()["order"]["races"]),
        )
        for result in _run_server(cluster, areas, exclusions)
    ]
    stale = tuple(
        f"{entry.area or 'all'} {entry.method} {entry.path} {list(entry.numbers) or ''}:"
        f" {entry.seen} exchanges, {entry.differing} differ ({entry.reason})"
        for entry in exclusions
        if not entry.differing
    )
    return Report(tuple(results), stale)


def _run_server(
    cluster: SimulatedCluster, areas: list[str], exclusions: list[Exclusion]
) -> Iterator[AreaResult]:
    session = Session(cluster, rules()["hints"])
    for area in areas:
        records = _winners_first([exchange.fields for exchange in exchanges(area)])
        session.begin(_epoch(records))
        result = AreaResult(area, exchanges=len(records))
        for record in records:
            answer = session.play(area, record)
            found = differences(record, answer)
            if session.is_orphan(record):
                result.excluded[_ORPHAN] += 1
                continue
            exclusion = next(
                (entry for entry in exclusions if entry.covers(area, record, answer)), None
            )
            if exclusion is not None:
                exclusion.seen += 1
                exclusion.differing += bool(found)
                result.excluded[exclusion.reason] += 1
                continue
            result.replayed += 1
            if found:
                label = f"{record['n']} {record['method']} {record['path']}"
                result.mismatches.append(f"{label}: {'; '.join(found)}")
        yield result


def _winners_first(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the one that got through first among calls that were sent at the same moment.

    The simulator answers one call after the other; which of two wins is chance on a real server.
    """
    ordered = list(records)
    for index in range(len(ordered) - 1, 0, -1):
        first, second = ordered[index - 1], ordered[index]
        if "t" not in first or first["method"] == "GET" or second["method"] == "GET":
            continue
        together = abs(first["t"] - second["t"]) < _TOGETHER
        if together and first["status"] >= 400 and second["status"] == 200:
            ordered[index - 1], ordered[index] = second, first
    return ordered


def _epoch(records: list[dict[str, Any]]) -> float | None:
    """Find when a file began, from the first task whose start and offset are both known."""
    for record in records:
        data = data_of(record.get("body"))
        if "t" in record and isinstance(data, str) and data.startswith("UPID:"):
            return Upid.parse(data).starttime - float(record["t"])
    return None
