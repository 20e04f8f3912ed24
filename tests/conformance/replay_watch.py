"""Look again and again while time passes, for answers that depend on the moment.

A real cluster did each thing at its own second. A poll is answered as recorded if the simulator
gives that answer within a tolerance of the recorded time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from tests.conformance.replay_compare import differences
from tests.conformance.replay_session import Answer, Session
from tests.conformance.replay_timeline import Moment

TOLERANCE = 2.5
STEP = 0.25


@attrs.define
class _Window:
    """When to ask something, and what was answered."""

    moment: Moment
    opens: float
    closes: float
    answers: list[Answer] = attrs.field(factory=list[Answer])


@attrs.define
class Track:
    """What the simulator answered over a stretch of time, and when.

    Attributes:
        moment: The request that is asked again and again.
        opens: When the stretch begins.
        closes: When it ends.
        answers: Time and answer, at each look.
    """

    moment: Moment
    opens: float
    closes: float
    answers: list[tuple[float, Answer]] = attrs.field(factory=list[tuple[float, Answer]])


class Watch:
    """Asks what was polled, from some time before the recorded moment until some time after."""

    def __init__(
        self, session: Session, moments: Iterable[Moment], tracks: Sequence[Track] = ()
    ) -> None:
        self._session = session
        self._tracks = tracks
        self._windows = {
            id(moment): _Window(moment, moment.at - TOLERANCE, moment.until + TOLERANCE)
            for moment in moments
            if moment.poll and moment.at is not None and _is_quick(moment.record)
        }
        waiting = sorted(self._windows.values(), key=lambda window: window.opens)
        self._waiting = [(window.opens, number, window) for number, window in enumerate(waiting)]
        self._open: list[_Window] = []

    def until(self, when: float) -> None:
        """Let time pass up to a moment, asking on the way."""
        clock = self._session.cluster.clock
        while clock.now() < when:
            self._look()
            if self._open or any(
                track.opens <= clock.now() <= track.closes for track in self._tracks
            ):
                clock.advance(min(STEP, when - clock.now()))
            else:
                coming = [track.opens for track in self._tracks if track.opens > clock.now()]
                opens = min(coming + [entry[0] for entry in self._waiting[:1]], default=when)
                clock.advance_to(max(clock.now() + 0.001, min(when, opens)))
        self._look()

    def sleep(self, seconds: float) -> None:
        """Wait as a caller does, asking on the way."""
        self.until(self._session.cluster.clock.now() + seconds)

    def finish(self) -> None:
        """Ask until the last window closes."""
        closing = [window.closes for window in self._windows.values()]
        self.until(max(closing, default=0.0))

    def closest(self, moment: Moment, found: list[str]) -> list[str]:
        """Return the differences of the answer, given around that time, that differs least."""
        window = self._windows.get(id(moment))
        for answer in window.answers if window is not None else ():
            other = differences(moment.record, answer)
            if not other:
                return []
            found = min(found, other, key=len)
        return found

    def _look(self) -> None:
        now = self._session.cluster.clock.now()
        while self._waiting and self._waiting[0][0] <= now:
            self._open.append(heapq.heappop(self._waiting)[2])
        self._open = [window for window in self._open if now <= window.closes]
        asked: dict[str, Answer | None] = {}
        for track in self._tracks:
            if track.opens <= now <= track.closes:
                answer = self._glance(track.moment, asked)
                if answer is not None:
                    track.answers.append((now, answer))
        for window in self._open:
            answer = self._glance(window.moment, asked)
            if answer is not None and (not window.answers or window.answers[-1] != answer):
                window.answers.append(answer)

    def _glance(self, moment: Moment, asked: dict[str, Answer | None]) -> Answer | None:
        if moment.key not in asked:
            asked[moment.key] = self._session.glance(moment.area, moment.record)
        return asked[moment.key]


def _is_quick(record: dict[str, Any]) -> bool:
    """Whether the recorded server answered without waiting for another node."""
    return int(record["status"]) not in (401, 595, 596)
