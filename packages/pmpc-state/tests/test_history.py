"""The cluster as of a moment, what changed between two, and the log of one thing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pmpc_state import (
    AlreadyRecorded,
    ChangeKind,
    FieldChange,
    NotRecorded,
    State,
    TaskRecord,
)
from pmpc_state.testing import Recorder
from proxmox_client.testing.clock import VirtualClock

U1, U2 = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def _vm(name: str, uuid: str = U1, **options: object) -> dict[str, object]:
    return {"name": name, "smbios1": f"uuid={uuid}", **options}


def test_a_second_look_at_the_same_writes_no_history(recorder: Recorder) -> None:
    first = recorder.look("qemu", {"100": _vm("web"), "101": _vm("db", U2)})
    again = recorder.look("qemu", {"100": _vm("web"), "101": _vm("db", U2)})
    assert (first.created, first.history_rows) == (2, 2)
    assert (again.unchanged, again.history_rows) == (2, 0)


def test_the_past_is_as_it_was(state: State, recorder: Recorder, clock: VirtualClock) -> None:
    recorder.look("qemu", {"100": _vm("web", memory=1024)})
    then = state.clock()
    clock.advance(60)
    recorder.look("qemu", {"100": _vm("web", memory=2048), "101": _vm("db", U2)})
    reader = state.reader()
    assert [one.config["memory"] for one in reader.at("lab", then)] == [1024]
    assert [one.key for one in reader.resources("lab")] == ["100", "101"]
    assert reader.at("lab", then - timedelta(seconds=1)) == ()


def test_fields_that_changed_are_named_with_old_and_new(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    recorder.look("qemu", {"100": _vm("web", memory=1024), "102": _vm("old", U2)})
    then = state.clock()
    clock.advance(60)
    recorder.look("qemu", {"100": _vm("web", memory=2048, onboot=True), "9": _vm("new", "x")})
    changes = {change.key: change for change in state.reader().diff("lab", then)}
    assert list(changes) == ["9", "100", "102"]
    assert changes["9"].kind is ChangeKind.CREATED
    assert changes["102"].kind is ChangeKind.REMOVED
    assert changes["100"].kind is ChangeKind.CHANGED
    assert changes["100"].fields == (
        FieldChange("memory", 1024, 2048),
        FieldChange("onboot", None, True),
    )
    assert changes["100"].at == state.clock()
    assert (changes["100"].task, changes["100"].user) == (None, None)
    assert changes["100"].address == "qemu/100"
    assert state.reader().diff("lab", then, kind="lxc") == ()


def test_what_came_and_went_or_changed_and_changed_back_is_no_difference(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    looks: list[dict[str, dict[str, object]]] = [
        {"100": _vm("web")},
        {"100": _vm("web", memory=1), "101": _vm("brief", U2)},
        {"100": _vm("web")},
    ]
    recorder.look("qemu", looks[0])
    then = state.clock()
    for look in looks[1:]:
        clock.advance(60)
        recorder.look("qemu", look)
    assert state.reader().diff("lab", then) == ()


def test_times_in_the_wrong_order_are_refused(state: State, recorder: Recorder) -> None:
    recorder.look("qemu", {})
    now = state.clock()
    with pytest.raises(ValueError, match="is later than"):
        state.reader().diff("lab", now, now - timedelta(seconds=1))


def test_a_reused_vmid_is_another_resource(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    recorder.look("qemu", {"100": _vm("web", U1)})
    old = state.reader().resource("lab", "qemu", "100")
    then = state.clock()
    clock.advance(60)
    report = recorder.look("qemu", {"100": _vm("db", U2)})
    new = state.reader().resource("lab", "qemu", "100")
    assert (report.created, report.vanished) == (1, 1)
    assert new.uid != old.uid
    kinds = [change.kind for change in state.reader().diff("lab", then)]
    assert sorted(kind.value for kind in kinds) == ["created", "removed"]
    gone = state.reader().by_uid(old.uid)
    assert gone is not None
    assert gone.name == "web"
    assert gone.valid_to == new.valid_from


def test_a_renamed_guest_is_the_same(state: State, recorder: Recorder) -> None:
    recorder.look("qemu", {"100": _vm("web")})
    uid = state.reader().resource("lab", "qemu", "100").uid
    recorder.look("qemu", {"100": _vm("shop")})
    found = state.reader().resource("lab", "qemu", "100")
    assert (found.uid, found.name) == (uid, "shop")


def test_what_vanished_and_returns_is_the_same(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    there: dict[str, dict[str, object]] = {"100": _vm("web")}
    for look in (there, {}, there):
        recorder.look("qemu", look)
        clock.advance(60)
    uid = state.reader().resource("lab", "qemu", "100").uid
    assert [entry.action for entry in state.reader().log(uid)] == [
        "created",
        "vanished",
        "returned",
    ]
    assert len(state.reader().observations(uid)) == 2


def test_what_cannot_be_seen_is_unknown_and_stays(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    recorder.look("qemu", {"100": _vm("web")})
    before = state.clock()
    clock.advance(60)
    report = recorder.look("qemu", {}, unseen=["100"])
    found = state.reader().resource("lab", "qemu", "100")
    assert (report.unknown, report.vanished, report.history_rows) == (1, 0, 0)
    assert (found.known, found.reason) == (False, "its node is down")
    assert (found.config["name"], found.valid_to) == ("web", None)
    assert state.reader().diff("lab", before) == ()
    recorder.look("qemu", {"100": _vm("web")})
    assert state.reader().resource("lab", "qemu", "100").known


def test_a_change_names_its_task_and_user(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    recorder.look("qemu", {"100": _vm("web", memory=1)})
    then = state.clock()
    clock.advance(60)
    upid = "UPID:pve1:00001B93:0006883B:6B02FF46:qmconfig:100:bob@pve:"
    task = TaskRecord(
        "lab", upid, "pve1", "qmconfig", "100", "bob@pve", then + timedelta(seconds=5),
        then + timedelta(seconds=6), "OK",
    )  # fmt: skip
    recorder.look("qemu", {"100": _vm("web", memory=2)}, tasks=[task])
    clock.advance(60)
    middle = state.clock() - timedelta(seconds=1)
    recorder.look("qemu", {"100": _vm("web", memory=3)}, tasks=[task])
    reader = state.reader()
    [first] = reader.diff("lab", then, middle)
    [second] = reader.diff("lab", middle)
    assert (first.task, first.user) == (upid, "bob@pve")
    assert (second.task, second.user) == (None, None)
    assert [one.upid for one in reader.tasks("lab", object_id="100")] == [upid]
    assert reader.tasks("lab", since=then + timedelta(seconds=6)) == ()


def test_things_are_found_by_address_key_and_name(state: State, recorder: Recorder) -> None:
    recorder.look("qemu", {"100": _vm("web"), "20": _vm("100", U2)})
    recorder.look("pool", {"web": {"members": ["qemu/100"]}})
    reader = state.reader()
    assert [one.address for one in reader.find("lab", "web").items] == ["qemu/100", "pool/web"]
    assert [one.address for one in reader.find("lab", "100").items] == ["qemu/20", "qemu/100"]
    assert [one.address for one in reader.find("lab", "qemu/100").items] == ["qemu/100"]
    assert reader.find("lab", "web and kind=lxc").items == ()
    with pytest.raises(NotRecorded, match="qemu/7"):
        reader.resource("lab", "qemu", "7")
    with pytest.raises(NotRecorded, match="recorded: lab"):
        reader.resources("other")


def test_several_clusters_live_side_by_side(state: State, recorder: Recorder) -> None:
    recorder.look("qemu", {"100": _vm("a")}, cluster="one")
    recorder.look("qemu", {"100": _vm("b")}, cluster="two")
    recorder.look("qemu", {}, cluster="one")
    assert state.reader().resources("one") == ()
    assert [one.name for one in state.reader().resources("two")] == ["b"]


def test_snapshots_name_moments(state: State, recorder: Recorder, clock: VirtualClock) -> None:
    recorder.look("qemu", {"100": _vm("web", memory=1)})
    writer = state.writer()
    first = writer.snapshot("lab", "before", pinned=True)
    recorder.look("qemu", {"100": _vm("web", memory=2)})
    second = writer.snapshot("lab", "after")
    recorder.look("qemu", {"100": _vm("web", memory=1)})
    third = writer.snapshot("lab", "again")
    assert first.root_hash == third.root_hash != second.root_hash
    assert first.resources == 1
    [change] = state.reader().diff("lab", first.taken_at, second.taken_at)
    assert change.fields == (FieldChange("memory", 1, 2),)
    assert state.reader().diff("lab", first.taken_at, third.taken_at) == ()
    assert state.reader().snapshots("lab") == (first, second, third)
    assert state.reader().find_snapshot("lab", "before").pinned
    assert not writer.pin("lab", "before", pinned=False).pinned
    with pytest.raises(AlreadyRecorded, match="before"):
        writer.snapshot("lab", "before")
    with pytest.raises(NotRecorded, match="nothing"):
        writer.pin("lab", "nothing")


def test_a_clock_that_was_set_back_does_not_bend_history(
    url: str, recorder: Recorder, state: State
) -> None:
    recorder.look("qemu", {"100": _vm("web", memory=1)})
    early = state.clock().timestamp() - 3600
    with State.open(url, now=lambda: early) as behind:
        Recorder(behind).look("qemu", {"100": _vm("web", memory=2)})
        uid = behind.reader().resource("lab", "qemu", "100").uid
        first, second = behind.reader().observations(uid)
    assert first.valid_to == second.valid_from
    assert first.valid_to is not None
    assert first.valid_to > first.valid_from


def test_moments_need_a_time_zone(state: State, recorder: Recorder) -> None:
    recorder.look("qemu", {})
    naive = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(Exception, match="needs a time zone"):
        state.reader().at("lab", naive)


def test_a_block_of_reads_sees_one_moment(state: State, recorder: Recorder) -> None:
    recorder.look("qemu", {"100": _vm("web")})
    with state.reading() as reader:
        before = reader.resources("lab")
        recorder.look("qemu", {"100": _vm("shop")})
        assert reader.resources("lab") == before
    assert state.reader().resource("lab", "qemu", "100").name == "shop"


def test_what_was_created_and_then_edited_carries_the_moment_it_appeared(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    recorder.look("qemu", {})
    before = state.writer().snapshot("lab", "before").taken_at
    looks: tuple[dict[str, dict[str, int]], ...] = (
        {"103": {"cores": 1}},
        {"103": {"cores": 2}},
        {},
        {"103": {"cores": 2}},
    )
    moments: list[datetime] = []
    for look in looks:
        clock.advance(10)
        recorder.look("qemu", look)
        moments.append(state.writer().snapshot("lab", f"after-{len(moments)}").taken_at)
    [edited] = state.reader().diff("lab", before, moments[1])
    assert (edited.kind, edited.at < moments[0]) == (ChangeKind.CREATED, True)
    assert [str(one.new) for one in edited.fields] == ["2"]
    [back] = state.reader().diff("lab", before, moments[3])
    assert moments[2] < back.at < moments[3]
