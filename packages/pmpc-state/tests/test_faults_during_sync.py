"""What goes wrong while a sync looks and writes: nothing lost, nothing invented, repaired next."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from pmpc_state import (
    SETTINGS,
    Cause,
    GuestsRead,
    LeaseHeld,
    LeaseLost,
    SectionWritten,
    State,
    StateUnreachable,
    SyncEvent,
    SyncMode,
    sync,
)
from proxmox_client import AsyncClient, AuthenticationFailed
from proxmox_client.testing import SimulatedCluster


@pytest.fixture
def cluster() -> SimulatedCluster:
    simulated = SimulatedCluster(nodes=("pve1", "pve2", "pve3"), seed=1)
    for vmid, node in ((100, "pve1"), (101, "pve3"), (102, "pve3"), (103, "pve2")):
        simulated.add_vm(node, vmid, {"name": f"vm{vmid}", "memory": 512, "scsi0": "local-lvm:1"})
    simulated.add_container("pve2", 200, {"hostname": "proxy", "memory": 256})
    return simulated


@pytest.fixture
def state(url: str, cluster: SimulatedCluster) -> Any:
    with State.open(url, now=cluster.clock.now) as opened:
        yield opened


def _once(wanted: type[SyncEvent], work: Callable[[], object]) -> Callable[[SyncEvent], None]:
    """Do some work at the first event of a type."""
    left = [work]

    def heard(told: SyncEvent) -> None:
        if left and isinstance(told, wanted):
            left.pop()()

    return heard


def _present(state: State) -> dict[str, tuple[str, Any]]:
    return {one.address: (one.uid, one.config) for one in state.reader().resources("lab")}


async def test_a_node_that_dies_while_it_is_read_hides_objects_and_removes_none(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    before, moment = _present(state), state.writer().snapshot("lab", "before").taken_at
    cluster.clock.advance(60)

    def die() -> None:
        cluster.nodes["pve3"].online = False

    report = await sync(state, pve, "lab", on_event=_once(GuestsRead, die), concurrency=1)
    assert (report.status, report.vanished, report.changed) == ("partial", 0, 0)
    causes = {failure.cause for failure in report.failures}
    assert causes <= {Cause.UNREACHABLE, Cause.OFFLINE, Cause.ERROR}
    assert causes & {Cause.UNREACHABLE, Cause.OFFLINE}
    assert _present(state) == before
    assert state.reader().diff("lab", moment) == ()
    hidden = [one for one in state.reader().resources("lab") if not one.known]
    assert hidden
    assert all(one.reason for one in hidden)
    cluster.nodes["pve3"].online = True
    cluster.clock.advance(60)
    again = await sync(state, pve, "lab")
    assert again.complete, again.failures
    assert state.reader().diff("lab", moment) == ()
    assert all(one.known for one in state.reader().resources("lab"))


async def test_a_token_revoked_while_it_reads_fails_the_sync_and_changes_nothing(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    before = state.reader().resources("lab")
    cluster.clock.advance(60)
    tokens = cluster.access.users["root@pam"].tokens
    token = tokens["demo"]

    with pytest.raises(AuthenticationFailed):
        await sync(
            state, pve, "lab", on_event=_once(GuestsRead, lambda: tokens.pop("demo")), concurrency=1
        )
    assert state.reader().resources("lab") == before
    assert state.reader().runs("lab")[0].status == "failed"
    tokens["demo"] = token
    assert (await sync(state, pve, "lab")).complete


async def test_a_privilege_revoked_while_it_reads_hides_objects_and_removes_none(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await pve.access.users.post(userid="eve@pve")
    await pve.access.acl.put(path="/", roles="PVEAuditor", users="eve@pve")
    async with AsyncClient(
        "https://pve1",
        token=cluster.create_token("eve@pve", "ro"),
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    ) as eve:
        first = await sync(state, eve, "lab")
        assert first.vanished == 0
        before, moment = _present(state), state.writer().snapshot("lab", "before").taken_at
        cluster.clock.advance(60)
        entries = list(cluster.access.acl)
        revoke = _once(GuestsRead, cluster.access.acl.clear)
        report = await sync(state, eve, "lab", on_event=revoke, concurrency=1)
        assert (report.status, report.vanished, report.changed) == ("partial", 0, 0)
        assert Cause.PERMISSION in {failure.cause for failure in report.failures}
        assert _present(state) == before
        assert state.reader().diff("lab", moment) == ()
        cluster.access.acl.extend(entries)
        cluster.clock.advance(60)
        again = await sync(state, eve, "lab")
    assert again.unknown == first.unknown
    assert state.reader().diff("lab", moment) == ()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_server_restarted_between_two_sections_is_not_even_noticed(
    state: State, pve: AsyncClient, postgres: Any
) -> None:
    report = await sync(state, pve, "lab", on_event=_once(SectionWritten, postgres.restart))
    assert report.complete, report.failures
    again = await sync(state, pve, "lab")
    assert (again.created, again.changed, again.vanished) == (0, 0, 0)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("statement", [20, 26, 32, 38])
async def test_a_server_restarted_in_a_transaction_loses_that_section_only(
    state: State, pve: AsyncClient, cluster: SimulatedCluster, postgres: Any, statement: int
) -> None:
    count = 0

    def after(*_: object) -> None:
        nonlocal count
        count += 1
        if count == statement:
            postgres.restart()

    event.listen(Engine, "after_cursor_execute", after)
    with pytest.raises(StateUnreachable, match=r"cannot use postgresql\+psycopg://"):
        await sync(state, pve, "lab")
    event.remove(Engine, "after_cursor_execute", after)
    kinds = {one.kind for one in state.reader().resources("lab")}
    assert kinds < {"node", "qemu", "lxc", "storage", "content", "pool"}
    # Also where the lease could not be given back: this process knows that nobody holds it.
    assert (await sync(state, pve, "lab")).complete
    again = await sync(state, pve, "lab")
    assert (again.created, again.changed, again.vanished) == (0, 0, 0)


async def test_a_lease_that_could_not_be_given_back_ends_by_itself(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    state.writer().leases.acquire("sync/lab", holder="a sync that lost its database", seconds=60)
    with pytest.raises(LeaseHeld):
        await sync(state, pve, "lab")
    cluster.clock.advance(61)
    assert (await sync(state, pve, "lab")).complete


def test_a_lease_given_up_in_vain_is_fenced_and_free_for_this_process_only(
    url: str, cluster: SimulatedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        State.open(url, now=cluster.clock.now) as state,
        State.open(url, now=cluster.clock.now) as other,
    ):
        leases = state.writer().leases
        old = leases.acquire("sync/lab", holder="me", seconds=60)

        def gone(_self: object, _held: object) -> None:
            raise StateUnreachable("the database is gone")

        with monkeypatch.context() as broken:
            broken.setattr(type(leases), "release", gone)
            state.give_up(old)
        with pytest.raises(LeaseHeld):
            other.writer().leases.acquire(
                "sync/lab", holder="you", seconds=60, given_up=other.given_up("sync/lab")
            )
        new = leases.acquire(
            "sync/lab", holder="me", seconds=60, given_up=state.given_up("sync/lab")
        )
        assert new.token > old.token
        with pytest.raises(LeaseLost):
            leases.check(old)
        with pytest.raises(LeaseHeld):  # what is held now was not given up
            leases.acquire("sync/lab", holder="me", seconds=60, given_up=state.given_up("sync/lab"))


async def test_a_sync_tells_a_log_what_it_cost(
    state: State, pve: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="pmpc_state.sync")
    report = await sync(state, pve, "lab")
    [record] = [one for one in caplog.records if one.name == "pmpc_state.sync"]
    told = record.__dict__["sync"]
    assert (told["cluster"], told["status"], told["created"]) == ("lab", "ok", report.created)
    assert told["requests"] == report.figures.requests
    assert told["received"] > 1000
    assert told["sections"]["qemu"] == "ok"
    qemu = next(one for one in report.sections if one.name == "qemu")
    assert told["costs"]["qemu"] == (qemu.requests, qemu.received, qemu.seconds)
    assert qemu.requests == 4
    assert told["staleness"].keys() == {one.kind for one in report.freshness}
    assert all(0 <= seconds < 60 for seconds in told["staleness"].values())
    with state.reading_connection() as (connection, _):
        query = "SELECT counts FROM sync_section WHERE section = 'qemu'"
        kept = connection.execute(text(query)).scalar_one()
    counts: dict[str, int] = json.loads(kept) if isinstance(kept, str) else kept
    assert (counts["requests"], counts["received"]) == (qemu.requests, qemu.received)


async def test_a_reader_during_a_sync_sees_a_consistent_cluster(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    """As of `whole_at`: every guest's disk is there, and no disk of a guest that is not."""
    await sync(state, pve, "lab")
    cluster.clock.advance(60)
    await (await pve.nodes("pve3").qemu(101).delete()).wait()
    cluster.add_vm("pve1", 300, {"name": "new", "memory": 512, "scsi0": "local-lvm:1"})
    cluster.clock.advance(60)
    seen: list[set[str]] = []

    def look(told: SyncEvent) -> None:
        if isinstance(told, SectionWritten):
            with state.reading() as reader:
                then = reader.at("lab", reader.whole_at("lab"))
            guests = {one.key for one in then if one.kind == "qemu"}
            owners = {str(one.config["vmid"]) for one in then if one.kind == "content"}
            assert guests == owners, told.report.name
            seen.append(guests)

    report = await sync(state, pve, "lab", on_event=look)
    assert report.complete
    assert len(seen) >= 7
    assert all(guests == {"100", "101", "102", "103"} for guests in seen)
    with state.reading() as reader:
        after = {one.key for one in reader.at("lab", reader.whole_at("lab")) if one.kind == "qemu"}
    assert after == {"100", "102", "103", "300"}


async def test_a_sync_that_failed_halfway_leaves_the_last_whole_moment(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    before = _present(state)
    cluster.clock.advance(60)
    cluster.edit(100, memory=2048)

    def stop(told: SyncEvent) -> None:
        if isinstance(told, SectionWritten) and told.report.name == "qemu":
            raise RuntimeError("a front end that fails")

    with pytest.raises(RuntimeError, match="front end"):
        await sync(state, pve, "lab", on_event=stop)
    reader = state.reader()
    whole = {one.address: (one.uid, one.config) for one in reader.at("lab", reader.whole_at("lab"))}
    assert whole == before
    assert (await sync(state, pve, "lab")).complete


@pytest.mark.parametrize("mode", SyncMode)
@pytest.mark.parametrize("last", ["qemu", "content", "pool", "guest-snapshots"])
async def test_what_a_guest_had_goes_with_it_after_a_sync_that_was_cut_short(
    state: State, pve: AsyncClient, cluster: SimulatedCluster, mode: SyncMode, last: str
) -> None:
    """The broken sync recorded that the guest is gone: the next one does not find it go."""
    others = tuple(one for one in SETTINGS if one not in ("guest-firewall", "guest-snapshots"))
    await sync(state, pve, "lab", without=others)
    assert state.reader().resource("lab", "guest-firewall", "qemu/101").config is not None
    cluster.clock.advance(60)
    await (await pve.nodes("pve3").qemu(101).delete()).wait()
    cluster.clock.advance(60)

    def stop(told: SyncEvent) -> None:
        if isinstance(told, SectionWritten) and told.report.name == last:
            raise RuntimeError("out of power")

    with pytest.raises(RuntimeError, match="power"):
        await sync(state, pve, "lab", mode=mode, without=others, on_event=stop)
    assert (await sync(state, pve, "lab", mode=mode, without=others)).complete
    left = [one.address for one in state.reader().resources("lab") if "101" in one.key]
    assert left == []
