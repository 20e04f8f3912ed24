"""Settings that tasks and lists hint at are read at once, also by syncs that sweep nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_state import SETTINGS, State, Sweep, SyncMode, SyncReport, sync
from pmpc_state.discovery.collections.hinting import CHANGED_BY
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from tests.lab.asked import Asked
from tests.lab.furnished import furnish

READ = tuple(
    kind
    for kind in SETTINGS
    if kind in ("backup-job", "guest-snapshots", "ha-resource", "ha-rule", "user", "group")
    or kind.startswith(("sdn-", "corosync-", "node-d", "node-l"))
)
OTHERS = tuple(kind for kind in SETTINGS if kind not in READ)


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster(nodes=("pve1", "pve2"), seed=1)


@pytest.fixture
def asked(cluster: SimulatedCluster) -> Asked:
    return Asked(cluster.async_transport())


@pytest.fixture
def transport(asked: Asked) -> Asked:
    return asked


@pytest.fixture
async def again(state: State, cluster: SimulatedCluster, pve: AsyncClient, asked: Asked) -> Any:
    await furnish(cluster, pve)
    cluster.clock.advance(60)
    await sync(state, pve, "lab", without=OTHERS)

    async def look(seconds: float = 60) -> SyncReport:
        cluster.clock.advance(seconds)
        asked.paths.clear()
        return await sync(
            state, pve, "lab", mode=SyncMode.INCREMENTAL, sweep=Sweep(most=0), without=OTHERS
        )

    return look


def _read(report: SyncReport) -> set[str]:
    return {one.name for one in report.sections if one.requests and one.name in READ}


async def test_without_a_hint_no_settings_are_read(again: Any) -> None:
    assert _read(await again()) == set()


async def test_a_snapshot_is_recorded_at_once_and_only_its_guest_is_asked_for(
    again: Any, state: State, pve: AsyncClient, asked: Asked
) -> None:
    await (await pve.nodes("pve1").qemu(100).snapshot.post(snapname="later")).wait()
    report = await again()
    assert _read(report) == {"guest-snapshots"}
    assert asked.paths["/nodes/pve1/lxc/200/snapshot"] == 0
    there = state.reader().resource("lab", "guest-snapshots", "qemu/100").config["snapshots"]
    assert set(there) == {"before", "later"}


async def test_a_destroyed_guest_is_looked_for_where_it_was_named(
    again: Any, state: State, pve: AsyncClient
) -> None:
    await pve.cluster.ha.resources("vm:100").delete()
    await (await pve.nodes("pve1").qemu(100).delete(purge=True)).wait()
    report = await again()
    assert {"backup-job", "ha-resource", "ha-rule"} <= _read(report)
    gone = {one.name: one.vanished for one in report.sections}
    assert gone["guest-snapshots"] == 1


async def test_a_service_that_ha_takes_over_is_read(again: Any, pve: AsyncClient) -> None:
    await pve.cluster.ha.resources("ct:200").delete()
    assert {"ha-resource", "ha-rule"} <= _read(await again())


async def test_a_zone_that_is_applied_is_read(again: Any, state: State, pve: AsyncClient) -> None:
    await pve.request("POST", "/cluster/sdn/zones", {"zone": "dmz", "type": "simple"})
    task = await pve.request("PUT", "/cluster/sdn", {})
    assert str(task).startswith("UPID:")
    assert {"sdn-zone", "sdn-vnet"} <= _read(await again())
    assert state.reader().resource("lab", "sdn-zone", "dmz").config["type"] == "simple"


def test_hints_name_kinds_that_are() -> None:
    named = {kind for kinds in CHANGED_BY.values() for kind in kinds}
    assert named <= set(SETTINGS)
