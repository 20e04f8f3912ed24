"""Every change by itself, with its filters; the log with what PVE tells besides."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pmpc_state import LogLine, State, TaskRecord
from pmpc_state.logtext import edit_told, guest_told
from pmpc_state.testing import Recorder
from proxmox_client.testing.clock import VirtualClock

RECORDED = Path(__file__).parents[3] / "tests/data/recordings/cluster/offline.jsonl"


def _line(at: datetime, user: str, message: str, uid: str = "1") -> LogLine:
    return LogLine("pve1", at, uid, user, "pvedaemon", 6, message)


def _task(at: datetime, kind: str, key: str, user: str) -> TaskRecord:
    upid = f"UPID:pve1:00000001:00000001:00000001:{kind}:{key}:{user}:"
    return TaskRecord("lab", upid, "pve1", kind, key, user, at, at, "OK")


@pytest.fixture
def story(state: State, recorder: Recorder, clock: VirtualClock) -> list[datetime]:
    """Six looks: created, edited twice, a second guest, one by a task, gone, back."""
    moments: list[datetime] = []

    def look(there: dict[str, dict[str, Any]], **told: Any) -> None:
        clock.advance(60)
        recorder.look("qemu", there, **told)
        moments.append(state.clock())

    web, db = {"name": "web", "memory": 1}, {"name": "db", "net0": "virtio,bridge=vmbr0"}
    look({"100": web})
    edited = _line(
        state.clock() + timedelta(seconds=30), "alice@pve!ci", "update VM 100: -memory 2"
    )
    look({"100": {**web, "memory": 2}}, lines=[edited])
    look({"100": {**web, "memory": 3}, "101": db})
    task = _task(state.clock() + timedelta(seconds=30), "qmconfig", "101", "bob@pve")
    look({"100": {**web, "memory": 3}, "101": {**db, "net0": "virtio"}}, tasks=[task])
    destroyed = _task(state.clock() + timedelta(seconds=30), "qmdestroy", "100", "eve@pve")
    look({"101": {**db, "net0": "virtio"}}, tasks=[destroyed])
    look({"100": {**web, "memory": 3}, "101": {**db, "net0": "virtio"}})
    return moments


def _told(state: State, since: datetime, until: datetime | None = None, **wanted: Any) -> list[str]:
    found = state.reader().changes("lab", since, until, **wanted)
    return [f"{one.key} {one.action} {one.user or '-'}" for one in found]


ALL = [
    "100 created -",
    "100 changed alice@pve!ci",
    "100 changed -",
    "101 created -",
    "101 changed bob@pve",
    "100 vanished eve@pve",
]


def test_every_change_is_told_in_the_order_of_time(state: State, story: list[datetime]) -> None:
    before = story[0] - timedelta(hours=1)
    assert _told(state, before)[:6] == ALL
    assert _told(state, before)[6:] == ["100 returned -"]
    assert _told(state, story[0], story[2]) == ALL[1:4]
    assert _told(state, story[5]) == []


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"kind": "lxc"}, []),
        ({"key": "101"}, [ALL[3], ALL[4]]),
        ({"path": "memory"}, [ALL[1], ALL[2]]),
        ({"path": "net*"}, [ALL[3], ALL[4]]),
        ({"actor": "alice@pve"}, [ALL[1]]),
        ({"actor": "alice@pve!ci"}, [ALL[1]]),
        ({"actor": "alice@pve!other"}, []),
        ({"actor": "*@pve"}, [ALL[1], ALL[4], ALL[5]]),
        ({"actor": "-", "key": "100"}, [ALL[2]]),
        ({"actor": "bob@pve", "path": "memory"}, []),
    ],
)
def test_changes_are_chosen_by_kind_key_field_and_actor(
    state: State, story: list[datetime], wanted: dict[str, Any], told: list[str]
) -> None:
    assert _told(state, story[0], story[4], **wanted) == told
    net = state.reader().diff("lab", story[0], story[4], **wanted)
    assert all(one.key in {line.split()[0] for line in told} for one in net if told)


def test_the_log_of_a_guest_tells_its_tasks_and_lines_too(
    state: State, story: list[datetime]
) -> None:
    uid = state.reader().resource("lab", "qemu", "101").uid
    whole = state.reader().log(uid, everything=True)
    assert [(one.action, one.user) for one in whole] == [
        ("created", None), ("task", "bob@pve"), ("changed", "bob@pve"),
    ]  # fmt: skip
    assert whole[1].text == "qmconfig: OK"
    first = state.reader().changes("lab", story[0] - timedelta(hours=1), key="100")[0].uid
    assert [one.text for one in state.reader().log(first, everything=True) if one.text] == [
        "update VM 100: -memory 2", "qmdestroy: OK",
    ]  # fmt: skip


def test_an_edit_is_only_credited_to_a_line_that_names_what_changed(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    recorder.look("lxc", {"200": {"memory": 1, "cores": 1}})
    clock.advance(60)
    now = state.clock()
    lines = [
        _line(now, "eve@pve", "update VM 200: -memory 2", "1"),  # a VM's, not this container's
        _line(now, "eve@pve", "update CT 2000: -memory 2", "2"),
        _line(now, "eve@pve", "update CT 200: -cores 1", "3"),
        _line(now - timedelta(hours=1), "eve@pve", "update CT 200: -memory 2", "4"),
    ]
    recorder.look("lxc", {"200": {"memory": 2, "cores": 1}}, lines=lines)
    [change] = state.reader().diff("lab", now - timedelta(seconds=1), kind="lxc")
    assert (change.task, change.user) == (None, None)
    clock.advance(60)
    removed = _line(state.clock(), "dan@pve", "update CT 200: --delete tags,memory", "5")
    recorder.look("lxc", {"200": {"cores": 1}}, lines=[removed])
    [change] = state.reader().diff("lab", state.clock() - timedelta(seconds=1), kind="lxc")
    assert (change.task, change.user) == (None, "dan@pve")


def test_lines_are_read_as_recorded_servers_write_them() -> None:
    recorded = (json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines())
    entries: list[dict[str, Any]] = next(
        one["body"]["data"] for one in recorded if one["path"].endswith("/cluster/log")
    )
    messages = [str(one["msg"]) for one in entries]
    edits = [told for told in map(edit_told, messages) if told is not None]
    assert edits
    assert all("description" in told.options and told.key == "100" for told in edits)
    assert ("qemu", "100") in map(guest_told, messages)
    assert not any(guest_told(one) for one in messages if "task UPID" in one)


def test_a_deletion_names_the_options_it_removes() -> None:
    told = edit_told("update VM 7: -delete tags,net1 -memory 512")
    assert told is not None
    assert told.options == {"delete", "tags", "net1", "memory"}


def test_no_secret_comes_in_with_a_line(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    token = "root@pam!ci=8f14e45f-ceea-467f-a0e6-2b5d5c2f1a77"
    message = f"update VM 100: -cipassword two words -memory 2 -description {token}"
    recorder.look("qemu", {"100": {"memory": 1}})
    clock.advance(60)
    recorder.look("qemu", {"100": {"memory": 2}}, lines=[_line(state.clock(), "a@pve", message)])
    uid = state.reader().resource("lab", "qemu", "100").uid
    log = state.reader().log(uid, everything=True)
    [text] = [one.text for one in log if one.action == "line"]
    assert text.startswith("update VM 100: -cipassword <hidden> -memory 2 -description root@pam!ci")
    assert "8f14e45f" not in text
    assert [one.user for one in log if one.action == "changed"] == ["a@pve"]
