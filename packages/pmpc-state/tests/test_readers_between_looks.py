"""Whoever reads between two sections of a sync is told of one look, with nothing that dangles."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from pmpc_state import SectionWritten, State, StateReader, SyncEvent, sync, this_process
from pmpc_state.readmodels import VirtualMachine
from pmpc_state.testing import Recorder
from pmpc_state.values.inventory import ObservedItem, Section
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster

_OTHERS = ("acl", "backup-job", "user")
_KINDS = ("node", "qemu", "lxc", "storage", "content", "pool", *_OTHERS)


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster(nodes=("pve1", "pve2"), seed=1)
    for vmid in range(100, 104):
        made.add_vm("pve1", vmid, {"name": "old", "memory": 512, "scsi0": "local-lvm:1"})
    made.call("POST", "/pools", {"poolid": "prod"})
    made.call("PUT", "/pools/prod", {"vms": "100,103"})
    return made


async def _change(cluster: SimulatedCluster, pve: AsyncClient) -> None:
    cluster.clock.advance(60)
    cluster.edit(100, name="new", memory=1024)
    await (await pve.nodes("pve1").qemu(103).delete(purge=True)).wait()
    cluster.add_vm("pve2", 300, {"name": "new", "scsi0": "local-lvm:1"})
    cluster.call("PUT", "/pools/prod", {"vms": "300"})
    cluster.clock.advance(60)


def _told(reader: StateReader, since: datetime) -> dict[str, Any]:
    """All that is told of a cluster without naming a moment."""
    machines = reader.of(VirtualMachine).list("lab", sort="-vmid")
    return {
        "resources": {one.address: one.config for one in reader.resources("lab")},
        "of a kind": [one.config for one in reader.resources("lab", "qemu")],
        "one": reader.resource("lab", "qemu", "100").config,
        "found": [one.address for one in reader.find("lab", "name=new")],
        "total": reader.find("lab", limit=1).total,
        "typed": [(one.vmid, one.name) for one in machines],
        "changes": [(one.address, one.action) for one in reader.changes("lab", since)],
        "difference": [(one.address, one.kind) for one in reader.diff("lab", since)],
    }


def _dangling(reader: StateReader) -> list[str]:
    """What resources of one answer name that is not in it."""
    there = {one.address: one for one in reader.resources("lab")}
    named: list[tuple[str, str]] = []
    for address, one in there.items():
        if one.node is not None:
            named.append((address, f"node/{one.node}"))
        if one.kind == "content":
            named.append((address, f"qemu/{one.config['vmid']}"))
            named.append((address, f"storage/{one.config['storage']}"))
        if one.kind == "pool":
            named += [(address, str(member)) for member in one.config["members"]]
    assert any(address.startswith("pool/") for address, _ in named)
    return [f"{address} names {other}" for address, other in named if other not in there]


async def test_every_answer_between_two_sections_is_of_the_last_look(
    url: str, cluster: SimulatedCluster, pve: AsyncClient
) -> None:
    with State.open(url, now=cluster.clock.now) as state, State.open(url) as others:
        await sync(state, pve, "lab")
        since = state.writer().snapshot("lab", "first").taken_at
        before = _told(others.reader(), since)
        await _change(cluster, pve)
        heard: list[str] = []

        def look(told: SyncEvent) -> None:
            if isinstance(told, SectionWritten) and told.report.name in _KINDS:
                heard.append(told.report.name)
                with others.reading() as reader:
                    assert _dangling(reader) == [], told.report.name
                    assert _told(reader, since) == before, told.report.name

        assert (await sync(state, pve, "lab", on_event=look)).complete
        assert set(heard) == set(_KINDS)
        after = _told(others.reader(), since)
        assert _dangling(others.reader()) == []
        assert [key for key in before if before[key] == after[key]] == ["total"]  # one for one


async def test_a_sync_cut_short_shows_nothing_nor_does_its_repair_until_it_ends(
    state: State, cluster: SimulatedCluster, pve: AsyncClient
) -> None:
    """Half of the broken look is written when the repair begins: that is no moment to show."""
    since = state.clock()
    await sync(state, pve, "lab")
    await _change(cluster, pve)
    before = _told(state.reader(), since)
    snapshots: list[str] = []

    def look(told: SyncEvent) -> None:
        if isinstance(told, SectionWritten):
            assert _told(state.reader(), since) == before, told.report.name
            if not snapshots or told.report.name in _KINDS:
                snapshots.append(f"{len(snapshots)}-{told.report.name}")
                state.writer().snapshot("lab", snapshots[-1])

    def stop(told: SyncEvent) -> None:
        if isinstance(told, SectionWritten) and told.report.name == "lxc":
            raise RuntimeError("a front end that fails")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="front end"):
            await sync(state, pve, "lab", on_event=stop)
        assert _told(state.reader(), since) == before
    assert (await sync(state, pve, "lab", on_event=look)).complete
    assert len(snapshots) > len(_KINDS)
    for name in snapshots:
        moment = state.reader().find_snapshot("lab", name).taken_at
        there = {one.address: one.config for one in state.reader().at("lab", moment)}
        assert there == before["resources"], name
    assert "qemu/103" not in _told(state.reader(), since)["resources"]


def test_nodes_that_joined_and_what_nobody_could_ever_read_are_told_meanwhile(
    state: State, recorder: Recorder
) -> None:
    """Where a guest is, is of now: its node must be there. What has no history cannot be dated."""
    recorder.look("node", {"pve1": {"a": 1}, "pve2": {"a": 1}})
    recorder.look("qemu", {"100": {"memory": 1}}, unseen=("101",))
    recorder.look("qemu", {"100": {"memory": 1}, "102": {"memory": 1}})
    recorder.look("qemu", {"100": {"memory": 1}})  # 102 is gone, and comes back below
    writer = state.writer()
    with state.transaction() as opened:
        lease = opened.leases.acquire("sync/lab", holder=this_process(), seconds=60)
    run = writer.observed.date(writer.observed.begin("lab", lease))

    def seen(kind: str, key: str, node: str) -> ObservedItem:
        return ObservedItem(kind, key, {"config": {"a": 2}}, node=node)

    nodes = (seen("node", "pve1", "pve1"), seen("node", "pve3", "pve3"))
    guests = tuple(seen("qemu", key, "pve3") for key in ("100", "102", "103"))
    writer.observed.write_section(run, Section("node", nodes, gone=frozenset({"pve2"})))
    writer.observed.write_section(run, Section("qemu", guests))
    shown = {one.address: one for one in state.reader().resources("lab")}
    assert set(shown) == {"node/pve1", "node/pve2", "node/pve3", "qemu/100"}
    assert shown["node/pve1"].config == {"a": 1}
    assert (shown["qemu/100"].config, shown["qemu/100"].node) == ({"memory": 1}, "pve3")
    writer.observed.finish(run, "ok")
    assert {one.address for one in state.reader().resources("lab")} == {
        "node/pve1", "node/pve3", "qemu/100", "qemu/102", "qemu/103",
    }  # fmt: skip
    assert state.reader().whole_at("lab") >= run.started_at - timedelta(seconds=1)
