"""Whatever returns a list asks the database as often for many rows as for few."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, event

from pmpc_state import Resource, Sample, State, StateReader
from pmpc_state.readmodels import VirtualMachine
from pmpc_state.testing import Recorder
from proxmox_client.testing.clock import VirtualClock
from tests.lab.listed import PAGES, asked, fill

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
SAMPLED = datetime(2026, 11, 22, tzinfo=UTC)
FEW, MANY = 2, 12
LISTS: dict[str, Callable[[StateReader], Any]] = {
    "resources": lambda reader: reader.resources("lab"),
    "resources of a kind": lambda reader: reader.resources("lab", "qemu"),
    "find": lambda reader: reader.find("lab", "kind=qemu and config.memory>0").items,
    "at": lambda reader: reader.at("lab", reader.whole_at("lab")),
    "diff": lambda reader: reader.diff("lab", BEGAN),
    "typed models": lambda reader: reader.of(VirtualMachine).list("lab", where="memory>0"),
    "a typed model in the past": lambda reader: reader.of(VirtualMachine).list(
        "lab", at=reader.whole_at("lab"), sort="-memory"
    ),
    "metrics": lambda reader: reader.samples.metrics(_one(reader).uid),
    "points": lambda reader: reader.samples.points(
        _one(reader).uid, "m0", BEGAN, SAMPLED + timedelta(days=1)
    ),
    **{name: partial(asked, name=name) for name in PAGES},
}
UNLIMITED: dict[str, Callable[[StateReader], Any]] = {
    "freshness": lambda reader: reader.freshness("lab")
}
"""What has a row for each kind, however many resources there are."""


def _one(reader: StateReader) -> Resource:
    return reader.resource("lab", "qemu", "100")


def _fill(state: State, recorder: Recorder, clock: VirtualClock, rows: range) -> None:
    fill(state, recorder, clock, rows)
    samples = [
        Sample("qemu", "100", f"m{metric}", SAMPLED + timedelta(minutes=number), 1.0)
        for number in rows
        for metric in (0, number)
    ]
    state.writer().samples.record("lab", samples)


def _asked(reader: StateReader, call: Callable[[StateReader], Any]) -> tuple[int, int]:
    statements: list[str] = []

    def heard(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        rows = len(call(reader))
    finally:
        event.remove(Engine, "before_cursor_execute", heard)
    return sum(one.lstrip().startswith(("SELECT", "WITH")) for one in statements), rows


def test_no_list_asks_once_for_each_of_its_rows(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    _fill(state, recorder, clock, range(FEW))
    few = {name: _asked(state.reader(), call) for name, call in LISTS.items()}
    _fill(state, recorder, clock, range(FEW, MANY))
    many = {name: _asked(state.reader(), call) for name, call in LISTS.items()}
    for name, (queries, rows) in many.items():
        assert rows >= MANY, name
        assert queries <= few[name][0], (name, few[name], many[name])
        assert queries <= 6, name


def test_neither_does_a_page_nor_what_tells_of_all_at_once(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    _fill(state, recorder, clock, range(MANY))
    for name in PAGES:
        page = partial(asked, name=name, limit=MANY - 3, where="", sort=())
        queries, rows = _asked(state.reader(), page)
        assert (rows, queries <= 6) == (MANY - 3, True), (name, queries)  # with the total
    for name, call in UNLIMITED.items():
        assert _asked(state.reader(), call)[0] <= 2, name


def _history(name: str, uid: str, reader: StateReader) -> Any:
    return reader.log(uid) if name == "log" else reader.observations(uid)


@pytest.mark.parametrize("name", ["log", "observations"])
def test_neither_does_the_history_of_one_thing(
    state: State, recorder: Recorder, clock: VirtualClock, name: str
) -> None:
    counts: list[int] = []
    for number in range(MANY):
        clock.advance(60)
        recorder.look("qemu", {"100": {"name": "web", "memory": number}})
        uid = state.reader().resource("lab", "qemu", "100").uid
        queries, rows = _asked(state.reader(), partial(_history, name, uid))
        assert rows == number + 1
        counts.append(queries)
    assert max(counts) <= 3, counts
