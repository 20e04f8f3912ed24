"""Lists of the catalogue: filtered, sorted, paged, and mistakes told as those of the input."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pmpc_reconcile.actions import ActionContext, invoke
from pmpc_reconcile.actions.history import HistoryInput
from pmpc_reconcile.actions.list_resources import ListInput
from pmpc_reconcile.actions.paging import PageInput
from pmpc_reconcile.actions.plans import PlansInput
from pmpc_reconcile.actions.snapshots import SnapshotsInput
from pmpc_reconcile.errors import InputInvalid, ReleaseNotFound
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
