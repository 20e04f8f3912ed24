"""Lists of the catalogue: filtered, sorted, paged, and mistakes told as those of the input."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from pmpc_reconcile.actions import ActionContext, invoke
from pmpc_reconcile.actions.changes import ChangesInput
from pmpc_reconcile.actions.history import HistoryInput
from pmpc_reconcile.actions.list_resources import ListInput
from pmpc_reconcile.actions.log import LogInput
from pmpc_reconcile.actions.metrics import MetricsInput
from pmpc_reconcile.actions.paging import PageInput, PartInput
from pmpc_reconcile.actions.plans import PlansInput
from pmpc_reconcile.actions.snapshots import SnapshotsInput
from pmpc_reconcile.errors import InputInvalid, ReleaseNotFound
from pmpc_state import Sample
from pmpc_state.testing import Recorder
from pmpc_state.values import TaskRecord

INPUTS: Mapping[str, type[PageInput]] = {
    "plans": PlansInput,
    "history": HistoryInput,
    "snapshots": SnapshotsInput,
}


@pytest.fixture
def context(lab: Any) -> ActionContext:
    state, clock = lab.state, lab.cluster.clock
    writer, recorder = state.writer(), Recorder(state)
    for number in range(5):
        clock.advance(60)
        began = datetime.fromtimestamp(clock.now(), UTC)
        task = TaskRecord(
            "lab", f"UPID:{number}", "pve1", ("qmstart", "vzdump")[number % 2], str(100 + number),
            "root@pam", began, None if number == 4 else began + timedelta(seconds=1),
            None if number == 4 else ("OK", "job errors")[number % 2],
        )  # fmt: skip
        recorder.look("qemu", {"100": {"cores": number}, "101": {}}, tasks=[task])
        writer.snapshot("lab", f"s{number}", pinned=number == 0)
        writer.releases.add_revision("lab", f"r{number % 2}", [], actor=("me", "you")[number % 2])
        document: dict[str, Any] = {"note": "apply", "objects": [], "steps": []}
        writer.plans.save(f"p{number}", "lab", f"r{number % 2}", document, version=1, actor="me")
    return ActionContext("lab", state, lab.client, now=clock.now, sleep=clock.asleep, actor="test")


def _names(action: str, items: Any) -> list[str]:
    field = {"plans": "id", "snapshots": "name", "history": "revision", "list": "key"}[action]
    return [str(getattr(item, field)) for item in items]


@pytest.mark.parametrize(
    ("action", "ask", "names"),
    [
        ("plans", {}, "p4 p3 p2 p1 p0"),
        ("plans", {"release": "r1"}, "p3 p1"),
        ("plans", {"filter": "status=planned and release=r0", "sort": "id"}, "p0 p2 p4"),
        ("plans", {"filter": "created_at>-150s", "sort": "id"}, "p2 p3 p4"),
        ("plans", {"limit": 2, "offset": 1}, "p3 p2"),
        ("snapshots", {}, "s0 s1 s2 s3 s4"),
        ("snapshots", {"filter": "pinned=no", "sort": "-taken_at", "limit": 2}, "s4 s3"),
        ("history", {}, "3 2"),
        ("history", {"filter": "actor=you"}, "2"),
        ("history", {"release": "r0"}, "1 2 3"),
        ("history", {"release": "r0", "sort": "-number", "limit": 1}, "3"),
    ],
)
async def test_lists_answer_what_was_asked_for(
    context: ActionContext, action: str, ask: dict[str, Any], names: str
) -> None:
    found = await invoke(action, context, INPUTS[action](**ask))
    assert _names(action, found.items) == names.split()


@pytest.mark.parametrize("action", INPUTS)
async def test_pages_follow_each_other(context: ActionContext, action: str) -> None:
    make = INPUTS[action]
    whole = await invoke(action, context, make())
    first = await invoke(action, context, make(limit=1))
    rest = await invoke(action, context, make(after=first.next))
    assert (*first.items, *rest.items) == whole.items
    assert (first.total, rest.next) == (len(whole.items), None)
    with pytest.raises(InputInvalid, match="there is no field nothing"):
        await invoke(action, context, make(filter="nothing=1"))
    with pytest.raises(InputInvalid, match="there is no field nothing"):
        await invoke(action, context, make(sort="-nothing"))
    with pytest.raises(InputInvalid, match="no marker of a page"):
        await invoke(action, context, make(after="nothing"))
    with pytest.raises(InputInvalid, match="a page cannot begin before"):
        await invoke(action, context, make(limit=-1))


@pytest.mark.parametrize(
    ("ask", "keys"),
    [
        ({}, "4 3 2 1 0"),
        ({"filter": "user=root@pam and type=qmstart", "sort": "upid"}, "0 2 4"),
        ({"filter": "started_at>-90s and node=pve1"}, "4 3"),
        ({"status": "running"}, "4"),
        ({"status": "OK"}, "2 0"),
        ({"name": "vzdump"}, "3 1"),
        ({"name": "qmstart 10?", "limit": 2}, "4 2"),
        ({"name": "102"}, "2"),
        ({"node": "pve2"}, ""),
    ],
)
async def test_tasks_are_a_list_like_others(
    context: ActionContext, ask: dict[str, Any], keys: str
) -> None:
    found = await invoke("list", context, ListInput(kind="tasks", **ask))
    assert [item.key.removeprefix("UPID:") for item in found.items] == keys.split()


async def test_objects_and_tasks_go_on_after_a_page(context: ActionContext) -> None:
    for kind in (None, "task"):
        whole = await invoke("list", context, ListInput(kind=kind))
        first = await invoke("list", context, ListInput(kind=kind, limit=1))
        rest = await invoke("list", context, ListInput(kind=kind, after=first.next))
        assert (*first.items, *rest.items) == whole.items
    with pytest.raises(InputInvalid, match="did you mean type"):
        await invoke("list", context, ListInput(kind="task", filter="typ=qmstart"))
    with pytest.raises(ReleaseNotFound):
        await invoke("history", context, HistoryInput(release="never"))


PARTS: Mapping[str, tuple[PartInput, int]] = {
    "changes": (ChangesInput(since="-2h"), 2),
    "changes each": (ChangesInput(since="-2h", each=True), 5),
    "log": (LogInput(name="qemu/100"), 6),
    "metrics": (MetricsInput(name="qemu/100", metric="cpu", since="-2h", step="1m"), 4),
}


@pytest.fixture
def measured(context: ActionContext) -> ActionContext:
    """The same with samples, and one guest more."""
    Recorder(context.state).look("qemu", {"100": {"cores": 4}, "101": {}, "102": {}})
    began = datetime.fromtimestamp(context.now(), UTC)
    samples = [
        Sample("qemu", "100", "cpu", began - timedelta(minutes=number + 1), 0.5)
        for number in range(4)
    ]
    context.state.writer().samples.record("lab", samples)
    return context


@pytest.mark.parametrize("name", PARTS)
async def test_long_answers_come_in_parts_too(measured: ActionContext, name: str) -> None:
    action, (asked, count) = name.partition(" ")[0], PARTS[name]
    whole = await invoke(action, measured, asked)
    assert (len(whole.items), whole.total, whole.next) == (count, count, None)
    seen: list[Any] = []
    after: str | None = None
    for _ in range(count):
        part = await invoke(action, measured, attrs.evolve(asked, limit=1, after=after))
        assert (len(part.items), part.total) == (1, count)
        seen += part.items
        after = part.next
    assert (tuple(seen), after) == (whole.items, None)
    with pytest.raises(InputInvalid, match="no marker of a page"):
        await invoke(action, measured, attrs.evolve(asked, after="nothing"))
    with pytest.raises(InputInvalid, match="a page cannot"):
        await invoke(action, measured, attrs.evolve(asked, limit=-1))


async def test_a_part_goes_on_where_it_ended_whatever_came_meanwhile(
    measured: ActionContext,
) -> None:
    asked = ChangesInput(since="-2h", limit=1)
    first = await invoke("changes", measured, asked)
    Recorder(measured.state).look("node", {"pve1": {"a": 1}})  # nodes stand before guests
    rest = await invoke("changes", measured, attrs.evolve(asked, after=first.next))
    assert [one.key for one in (*first.items, *rest.items)] == ["100", "102"]
    log = LogInput(name="qemu/100", limit=3)
    told = await invoke("log", measured, log)
    Recorder(measured.state).look("qemu", {"100": {"cores": 99}, "101": {}, "102": {}})
    more = await invoke("log", measured, attrs.evolve(log, limit=None, after=told.next))
    assert (len(told.items) + len(more.items), more.total) == (7, 7)
