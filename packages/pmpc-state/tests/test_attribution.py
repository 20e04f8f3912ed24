"""Who made a change: tasks matched by guest, type and time, each credited once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pmpc_state.attribution import (
    NOBODY,
    Credit,
    credit_change,
    credit_creation,
    credit_removal,
)
from pmpc_state.values import TaskRecord

T0 = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _task(
    kind: str,
    object_id: str,
    begin: int,
    end: int | None = None,
    *,
    user: str = "bob@pve",
    status: str = "OK",
) -> TaskRecord:
    return TaskRecord(
        cluster="lab",
        upid=f"UPID:pve1:{kind}:{object_id}:{begin}",
        node="pve1",
        type=kind,
        object_id=object_id,
        user=user,
        started_at=T0 + timedelta(seconds=begin),
        ended_at=None if end is None else T0 + timedelta(seconds=end),
        status=None if end is None else status,
    )


def test_a_configuration_task_since_the_last_look_is_credited() -> None:
    task = _task("qmconfig", "100", 10, 11)
    found = credit_change("100", ["cores"], [task], seen_before=T0, credited=())
    assert found == Credit(task.upid, "bob@pve")


def test_a_task_is_credited_once() -> None:
    task = _task("qmconfig", "100", 10, 11)
    assert credit_change("100", [], [task], seen_before=T0, credited=[task.upid]) == NOBODY


def test_what_ended_before_the_last_look_is_not_credited() -> None:
    task = _task("qmconfig", "100", 10, 11)
    later = T0 + timedelta(seconds=60)
    assert credit_change("100", [], [task], seen_before=later, credited=()) == NOBODY


def test_another_guests_failed_or_harmless_task_is_not_credited() -> None:
    tasks = [
        _task("qmconfig", "101", 10, 11),
        _task("qmconfig", "100", 10, 11, status="some error"),
        _task("vzdump", "100", 10, 11),
        _task("qmstart", "100", 10, 11),
    ]
    assert credit_change("100", ["cores"], tasks, seen_before=T0, credited=()) == NOBODY


def test_a_start_is_credited_for_what_waited_for_it() -> None:
    task = _task("qmstart", "100", 10, 11)
    found = credit_change("100", ["pending.cores"], [task], seen_before=T0, credited=())
    assert found.user == "bob@pve"


def test_a_running_task_may_have_acted_already() -> None:
    task = _task("qmigrate", "100", 10)
    assert credit_change("100", [], [task], seen_before=T0, credited=()).task == task.upid


def test_the_creating_task_names_the_guest() -> None:
    old, new = _task("qmcreate", "100", 1, 2, user="old@pve"), _task("qmcreate", "100", 50, 51)
    assert credit_creation("qemu", "100", [old, new], None) == Credit(new.upid, "bob@pve")


def test_the_only_clone_since_the_last_look_is_credited() -> None:
    clone = _task("qmclone", "9000", 10, 12)
    assert credit_creation("qemu", "100", [clone], T0).task == clone.upid
    assert credit_creation("lxc", "100", [clone], T0) == NOBODY
    assert credit_creation("qemu", "100", [clone], None) == NOBODY


def test_of_several_clones_only_a_common_user_is_credited() -> None:
    clones = [_task("qmclone", "9000", 10, 12), _task("qmclone", "9000", 13, 15)]
    assert credit_creation("qemu", "100", clones, T0) == Credit(None, "bob@pve")
    mixed = [*clones, _task("qmclone", "9000", 16, 18, user="eve@pve")]
    assert credit_creation("qemu", "100", mixed, T0) == NOBODY


def test_a_removal_is_credited_to_the_task_that_destroyed() -> None:
    task = _task("vzdestroy", "200", 10, 11)
    assert credit_removal("200", [task], T0) == Credit(task.upid, "bob@pve")
    assert credit_removal("201", [task], T0) == NOBODY
