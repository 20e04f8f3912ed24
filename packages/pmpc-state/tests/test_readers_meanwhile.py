"""Readers while somebody writes: every answer is of one moment, and of one look at the cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Thread, get_ident
from typing import Any

import pytest
from sqlalchemy import Engine, event

from pmpc_state import SectionWritten, State, StateReader, SyncEvent, check, sync
from pmpc_state.testing import Recorder
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster


@contextmanager
def _after_the_first_query(work: Callable[[], object]) -> Generator[list[str]]:
    """Do some work in another thread, to its end, after this one's first query."""
    told: list[str] = []
    reader = get_ident()

    def after(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        if get_ident() == reader and statement.startswith("SELECT"):
            told.append(statement)
            if len(told) == 1:
                other = Thread(target=work)
                other.start()
                other.join()

    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield told
    finally:
        event.remove(Engine, "after_cursor_execute", after)


def _page(reader: StateReader, _since: datetime) -> Any:
    page = reader.find("lab", "kind=qemu", limit=1)
    return page.total, [one.config for one in page]


def _resources(reader: StateReader, _since: datetime) -> Any:
    return [one.config for one in reader.resources("lab")]


def _changes(reader: StateReader, since: datetime) -> Any:
    return [(one.action, one.key) for one in reader.changes("lab", since)]


def _runs(reader: StateReader, _since: datetime) -> Any:
    return [(one.status, one.sections) for one in reader.runs("lab")]


@pytest.mark.parametrize("question", [_page, _resources, _changes, _runs])
def test_an_answer_of_several_queries_is_of_one_moment(
    state: State, recorder: Recorder, question: Callable[[StateReader, datetime], Any]
) -> None:
    recorder.look("qemu", {"100": {"memory": 1}})
    since = state.writer().snapshot("lab", "first").taken_at
    recorder.look("qemu", {"100": {"memory": 2}})
    before = question(state.reader(), since)

    def write() -> None:
        Recorder(state).look("qemu", {"100": {"memory": 3}, "101": {"memory": 3}})

    with _after_the_first_query(write) as queries:
        assert question(state.reader(), since) == before
    assert len(queries) > 1, "one query cannot show it"
    assert question(state.reader(), since) != before


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster(nodes=("pve1", "pve2"), seed=1)
    for vmid in range(100, 106):
        config = {"name": "old", "memory": 512, "scsi0": "local-lvm:1"}
        made.add_vm(f"pve{1 + vmid % 2}", vmid, config)
    return made


def _shown(state: State) -> dict[str, Any]:
    with state.reading() as reader:
        moment = reader.whole_at("lab")
        return {one.address: one.config for one in reader.at("lab", moment)}


async def test_a_snapshot_in_the_middle_of_a_sync_names_the_last_whole_moment(
    url: str, cluster: SimulatedCluster, pve: AsyncClient
) -> None:
    with State.open(url, now=cluster.clock.now) as state:
        await sync(state, pve, "lab")
        before = {one.address: one.config for one in state.reader().resources("lab")}
        cluster.clock.advance(60)
        await (await pve.nodes("pve2").qemu(103).delete()).wait()
        cluster.clock.advance(60)

        def heard(told: SyncEvent) -> None:
            if isinstance(told, SectionWritten):
                state.writer().snapshot("lab", f"after-{told.report.name}")

        assert (await sync(state, pve, "lab", on_event=heard, collections=())).complete
        taken = state.reader().snapshots("lab")
        assert len(taken) >= 5
        for one in taken:
            shown = {two.address: two.config for two in state.reader().at("lab", one.taken_at)}
            assert shown == before, one.name
        last = state.writer().snapshot("lab", "last").taken_at
        assert "qemu/103" not in {one.address for one in state.reader().at("lab", last)}
        assert check(state) == ()


async def test_a_thread_that_reads_all_through_a_sync_sees_the_old_cluster_or_the_new(
    url: str, cluster: SimulatedCluster, pve: AsyncClient
) -> None:
    with (
        State.open(url, now=cluster.clock.now) as state,
        State.open(url, now=cluster.clock.now) as others,
    ):
        await sync(state, pve, "lab")
        cluster.clock.advance(60)
        before = _shown(others)
        for vmid in range(100, 103):
            cluster.edit(vmid, name="new", memory=1024)
        for vmid in range(103, 106):
            await (await pve.nodes(f"pve{1 + vmid % 2}").qemu(vmid).delete()).wait()
        cluster.add_vm("pve1", 300, {"name": "new", "scsi0": "local-lvm:1"})
        cluster.clock.advance(60)
        seen: list[dict[str, Any]] = []
        over, looked = Event(), Event()

        def look_on() -> None:
            while not over.is_set():
                seen.append(_shown(others))
                looked.set()

        def heard(told: SyncEvent) -> None:
            if isinstance(told, SectionWritten):
                looked.clear()  # at least one look between any two sections, and any in them
                assert looked.wait(30)

        reader = Thread(target=look_on)
        reader.start()
        try:
            with others.reading() as long:
                kept = long.resources("lab")
                report = await sync(state, pve, "lab", on_event=heard)
                assert await asyncio.to_thread(lambda: long.resources("lab")) == kept
        finally:
            over.set()
            reader.join()
        after = _shown(others)
    assert report.complete, report.failures
    assert before != after
    assert len(seen) >= 7
    assert [one for one in seen if one not in (before, after)] == []
    assert seen[0] == before
