"""What goes wrong while a sync looks and writes: nothing lost, nothing invented, repaired next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event

from pmpc_state import (
    Cause,
    GuestsRead,
    LeaseHeld,
    SectionWritten,
    State,
    StateUnreachable,
    SyncEvent,
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
async def pve(cluster: SimulatedCluster) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(
        "https://pve1",
        token=cluster.create_token("root@pam", "demo"),
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    ) as client:
        yield client


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
    cluster.clock.advance(61)  # where the lease could not be given back, it has ended by now
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
