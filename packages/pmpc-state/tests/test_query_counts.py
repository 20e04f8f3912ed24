"""Whatever returns a list asks the database as often for many rows as for few."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, event

from pmpc_state import State, StateReader
from pmpc_state.testing import Recorder
from pmpc_state.values import TaskRecord
from proxmox_client.testing.clock import VirtualClock

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
FEW, MANY = 2, 12
LISTS: dict[str, Callable[[StateReader], Any]] = {
    "resources": lambda reader: reader.resources("lab"),
    "resources of a kind": lambda reader: reader.resources("lab", "qemu"),
    "find": lambda reader: reader.find("lab", "kind=qemu and config.memory>0").items,
    "at": lambda reader: reader.at("lab", reader.whole_at("lab")),
    "diff": lambda reader: reader.diff("lab", BEGAN),
    "changes": lambda reader: reader.changes("lab", BEGAN),
    "snapshots": lambda reader: reader.snapshots("lab"),
    "tasks": lambda reader: reader.tasks("lab"),
    "runs": lambda reader: reader.runs("lab"),
    "clusters": lambda reader: reader.clusters.list(),
    "releases": lambda reader: reader.releases.list("lab"),
    "revisions": lambda reader: reader.releases.revisions("lab", "r0"),
    "objects": lambda reader: reader.ownership.objects("lab"),
    "fields": lambda reader: reader.ownership.fields("lab", "r0"),
    "plans": lambda reader: reader.plans.list("lab"),
    "controls": lambda reader: reader.controls.list("lab"),
    "conditions": lambda reader: reader.controls.conditions("lab"),
    "journal runs": lambda reader: reader.journal.runs("lab"),
    "journal steps": lambda reader: reader.journal.steps("run0"),
    "audit": lambda reader: reader.audit.entries(),
}


def _fill(state: State, recorder: Recorder, clock: VirtualClock, rows: range) -> None:
    writer = state.writer()
    guests = {str(100 + n): {"name": f"vm{n}", "memory": n + 1} for n in range(rows.stop)}
    for number in rows:
        clock.advance(1)
        began = datetime.fromtimestamp(clock.now(), UTC)
        task = TaskRecord(
            "lab", f"UPID:{number}", "pve1", "qmconfig", str(100 + number), "alice@pam", began,
            began + timedelta(seconds=1), "OK",
        )  # fmt: skip
        recorder.look("qemu", guests, tasks=[task])
        writer.snapshot("lab", f"s{number}")
        writer.clusters.ensure(f"other{number}")
        writer.releases.add_revision("lab", f"r{number}", [], actor="alice")
        if number:
            writer.releases.add_revision("lab", "r0", [], actor="alice")
        writer.ownership.record(
            "lab", "r0", f"Pool/p{number}", kind="pool", key=f"p{number}", identity={},
            fields={"comment": "x"},
        )  # fmt: skip
        writer.plans.save(f"p-{number}", "lab", "r0", {"steps": []}, version=1, actor="alice")
        writer.controls.set("lab", f"r{number}", suspended=True, actor="alice")
        found = {f"Pool/p{number}": {"Synced": ("true", "InSync", "")}}
        writer.controls.observe("lab", "r0", found, whole=False)
        lease = writer.leases.acquire(f"apply/lab/r{number}", holder="me", seconds=600)
        writer.journal.begin(f"run{number}", "lab", f"r{number}", lease=lease, actor="alice")
        if not number:
            for step in range(MANY):
                writer.journal.intend("run0", f"s{step}", position=step, address="x", intent={})
        writer.audit.append(actor="alice", action="apply", subject="x", cluster="lab")


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
