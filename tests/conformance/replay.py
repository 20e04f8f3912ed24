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
from tests.conformance.replay_compare import differences
from tests.conformance.replay_servers import lonely_servers, one_node_cluster, three_node_cluster
from tests.conformance.replay_session import Answer, Session
from tests.conformance.replay_timeline import Moment, course
from tests.conformance.replay_watch import Track, Watch
from tests.conformance.sequences import SCENES, Scene, Seen, View, changes

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
    polls: int = 0
    replayed: int = 0
    polls_excluded: int = 0
    excluded: Counter[str] = attrs.field(factory=Counter[str])
    mismatches: list[str] = attrs.field(factory=list[str])

    @property
    def share(self) -> float:
        """Share of the exchanges that are no polls which is compared."""
        asked = self.exchanges - self.polls
        compared = self.replayed - (self.polls - self.polls_excluded)
        return compared / asked if asked else 1.0

    def exclude(self, reason: str, *, poll: bool) -> None:
        """Count an exchange that is not compared."""
        self.excluded[reason] += 1
        self.polls_excluded += poll

    def to_dict(self) -> dict[str, Any]:
        """Return the form the conformance report has."""
        return {
            "exchanges": self.exchanges,
            "polls": self.polls,
            "share": round(self.share, 4),
            "replayed": self.replayed,
            "excluded": dict(self.excluded),
            "mismatches": self.mismatches,
        }


@attrs.frozen
class Report:
    """How the whole replay went.

    Attributes:
        areas: How each file went.
        stale: Exclusions that cover no difference any more.
        courses: What was recorded and what was simulated, for each scene and view.
        waits: How long each call took, recorded and simulated, by file and number.
    """

    areas: tuple[AreaResult, ...]
    stale: tuple[str, ...]
    courses: dict[tuple[str, str], tuple[list[Seen], list[Seen]]]
    waits: dict[tuple[str, int], tuple[float, float]]


@functools.cache
def rules() -> dict[str, Any]:
    """Read the rules: order of the files, hints, exclusions."""
    document: dict[str, Any] = json.loads(RULES.read_text(encoding="utf-8"))
    return document


@functools.cache
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
    report = Report((), (), {}, {})
    results = [
        result
        for cluster, areas in (
            (one_node_cluster(), rules()["order"]["one_node"]),
            (lonely_servers(), rules()["order"]["joining"]),
            (three_node_cluster(), rules()["order"]["three_nodes"]),
        )
        for result in _run_server(cluster, areas, exclusions, report)
    ]
    stale = tuple(
        f"{entry.area or 'all'} {entry.method} {entry.path} {list(entry.numbers) or ''}:"
        f" {entry.seen} exchanges, {entry.differing} differ ({entry.reason})"
        for entry in exclusions
        if not entry.differing
    )
    return attrs.evolve(report, areas=tuple(results), stale=stale)


def _run_server(
    cluster: SimulatedCluster, areas: list[str], exclusions: list[Exclusion], report: Report
) -> list[AreaResult]:
    session = Session(cluster, rules()["hints"])
    moments = course(areas, rules()["epochs"], rules()["deeds"])
    tracks = _tracks(moments)
    watch = Watch(session, moments, list(tracks.values()))
    session.sleep = watch.sleep
    results = {area: AreaResult(area) for area in areas}
    seen: list[tuple[Moment, Answer, bool]] = []
    for moment in moments:
        if moment.at is None:
            session.keep_pace(moment.record)
        else:
            watch.until(moment.at)
        if moment.deed:
            session.do(moment.deed)
        else:
            began = cluster.clock.now()
            answer = session.play(moment.area, moment.record)
            recorded = float(moment.record.get("elapsed_ms", 0)) / 1000
            wait = recorded, cluster.clock.now() - began
            report.waits[moment.area, moment.record["n"]] = wait
            seen.append((moment, answer, session.is_orphan(moment.record)))
    watch.finish()
    report.courses.update(_courses(moments, tracks))
    for moment, answer, orphan in seen:
        _judge(results[moment.area], moment, answer, watch, exclusions, orphan=orphan)
    return list(results.values())


def _looks(moments: list[Moment], scene: Scene, view: View) -> list[Moment]:
    """Return the recorded looks at something in a scene."""
    return [
        moment
        for moment in moments
        if moment.area == scene.area
        and not moment.deed
        and float(moment.record["t"]) <= scene.end
        and float(moment.record.get("until", moment.record["t"])) >= scene.begin
        and view.fits(moment.record)
    ]


def _tracks(moments: list[Moment]) -> dict[tuple[str, str], Track]:
    """Make the tracks that follow what the scenes look at."""
    tracks: dict[tuple[str, str], Track] = {}
    for scene in SCENES:
        for view in scene.views:
            looks = _looks(moments, scene, view)
            if looks:
                zero = (looks[0].at or 0.0) - float(looks[0].record["t"])
                opens = zero + max(scene.begin, float(looks[0].record["t"]))
                closes = zero + scene.end + scene.tolerance
                tracks[scene.name, view.name] = Track(looks[0], opens, closes)
    return tracks


def _courses(
    moments: list[Moment], tracks: dict[tuple[str, str], Track]
) -> Iterator[tuple[tuple[str, str], tuple[list[Seen], list[Seen]]]]:
    for scene in SCENES:
        for view in scene.views:
            track = tracks.get((scene.name, view.name))
            if track is None:
                continue
            recorded = [
                Seen(
                    view.word(moment.record["status"], moment.record["body"]),
                    max(scene.begin, float(moment.record["t"])),
                    min(scene.end, float(moment.record.get("until", moment.record["t"]))),
                )
                for moment in _looks(moments, scene, view)
            ]
            zero = (track.moment.at or 0.0) - float(track.moment.record["t"])
            simulated = [
                Seen(view.word(answer.status, answer.body), at - zero, at - zero)
                for at, answer in track.answers
            ]
            yield (scene.name, view.name), (changes(recorded), changes(simulated))


def _judge(
    result: AreaResult,
    moment: Moment,
    answer: Answer,
    watch: Watch,
    exclusions: list[Exclusion],
    *,
    orphan: bool,
) -> None:
    record = moment.record
    result.exchanges += 1
    result.polls += moment.poll
    if orphan:
        result.exclude(_ORPHAN, poll=moment.poll)
        return
    found = differences(record, answer)
    if found and moment.poll:
        found = watch.closest(moment, found)
    exclusion = next(
        (entry for entry in exclusions if entry.covers(moment.area, record, answer)), None
    )
    if exclusion is not None:
        exclusion.seen += 1
        exclusion.differing += bool(found)
        result.exclude(exclusion.reason, poll=moment.poll)
        return
    result.replayed += 1
    if found:
        label = f"{record['n']} {record['method']} {record['path']}"
        result.mismatches.append(f"{label}: {'; '.join(found)}")
