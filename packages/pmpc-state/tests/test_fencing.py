"""A sync that lost its lease writes nothing more, wherever it is; the other one's look is whole."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, select

from pmpc_state import (
    GuestsRead,
    Lease,
    LeaseLost,
    SectionWritten,
    State,
    SyncEvent,
    SyncStarted,
    sync,
)
from pmpc_state.schema import metadata
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster(nodes=("pve1", "pve2"), seed=1)
    for vmid in (100, 101):
        made.add_vm("pve1", vmid, {"name": f"vm{vmid}", "memory": 512, "scsi0": "local-lvm:1"})
    return made


def _everything(url: str) -> dict[str, list[Any]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return rows


@pytest.mark.parametrize(
    ("moment", "number"),
    [(SyncStarted, 1), (GuestsRead, 1), (SectionWritten, 1), (SectionWritten, 3),
     (SectionWritten, 7)],
)  # fmt: skip
async def test_who_lost_the_lease_writes_nothing_more(
    url: str, cluster: SimulatedCluster, pve: AsyncClient, moment: type[SyncEvent], number: int
) -> None:
    """Somebody takes the lease at the n-th event of a type; the database stays as it is then."""
    with (
        State.open(url, now=cluster.clock.now) as state,
        State.open(url, now=cluster.clock.now) as other,
    ):
        await sync(state, pve, "lab")
        cluster.edit(100, memory=1024)
        cluster.clock.advance(60)
        await pve.pools.post(poolid="prod")
        left: list[dict[str, list[Any]]] = []
        taken: list[Lease] = []
        events = 0

        def heard(told: SyncEvent) -> None:
            nonlocal events
            events += isinstance(told, moment)
            if events == number and not taken:
                cluster.clock.advance(31)  # as if it had been asleep for longer than the lease
                taken.append(other.writer().leases.acquire("sync/lab", holder="other", seconds=60))
                left.append(_everything(url))

        with pytest.raises(LeaseLost):
            await sync(state, pve, "lab", on_event=heard)
        assert _everything(url) == left[0]
        other.writer().leases.release(taken[0])
        assert (await sync(other, pve, "lab")).complete
        again = await sync(state, pve, "lab")
        assert (again.created, again.changed, again.vanished) == (0, 0, 0)
        reader = state.reader()
        assert reader.resource("lab", "qemu", "100").config["memory"] in (1024, "1024")
        assert reader.resource("lab", "pool", "prod").known
        cut_short = ["failed"] if moment is not SyncStarted else []  # it had not begun to write
        assert [run.status for run in reader.runs("lab")] == ["ok", "ok", *cut_short, "ok"]
