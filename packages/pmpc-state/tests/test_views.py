"""The views people use with their own SQL, on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from pmpc_state import State, sync
from pmpc_state.testing import Recorder
from pmpc_state.values import TaskRecord
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.clock import VirtualClock

VIEWS = {
    "acl", "acme_accounts", "acme_plugins", "ceph_config", "ceph_daemons", "ceph_filesystems",
    "ceph_flags", "ceph_pools", "certificates", "changes", "cluster_options", "containers",
    "corosync", "corosync_nodes", "cpu_models", "directories", "disks", "firewall",
    "firewall_rules", "guest_snapshots", "ha", "jobs", "mappings", "metric_servers", "networks",
    "node_dns", "node_hosts", "node_options", "node_times", "nodes", "notifications",
    "package_repositories", "pools", "realms", "resources", "roles", "samples", "sdn",
    "second_factors", "storages", "subscriptions", "tasks", "thin_pools", "tokens", "user_groups",
    "users", "vms", "vnet_firewalls", "volume_groups", "volumes", "zfs_pools",
}  # fmt: skip


def _rows(url: str, statement: str) -> list[dict[str, Any]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(statement)).mappings()]
    finally:
        engine.dispose()


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


@pytest.fixture
async def synced(url: str) -> None:
    cluster = SimulatedCluster(nodes=("pve1", "pve2"), seed=1)
    cluster.add_vm(
        "pve1", 100, {"name": "web", "memory": 1024, "scsi0": "shared:8", "tags": "prod;web"},
        status="running",
    )  # fmt: skip
    cluster.add_container("pve2", 200, {"hostname": "proxy", "memory": 256})
    async with AsyncClient(
        "https://pve1",
        token=cluster.create_token("root@pam", "demo"),
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    ) as pve:
        await pve.pools.post(poolid="prod", comment="all of it")
        await pve.pools("prod").put(vms=["100"])
        with State.open(url, now=cluster.clock.now) as state:
            await sync(state, pve, "lab")


def test_every_view_is_there_and_documented(url: str) -> None:
    engine = create_engine(url)
    there = inspect(engine)
    assert set(there.get_view_names()) == VIEWS
    reference = Path(__file__).parents[3] / "docs/reference/state-schema.md"
    said = reference.read_text(encoding="utf-8")
    for view in VIEWS:
        assert f"### {view}" in said
        part = said.partition(f"### {view}\n")[2].partition("\n### ")[0]
        for column in there.get_columns(view):
            assert f"`{column['name']}`" in part or column["name"] in _SHARED, (view, column)
    engine.dispose()


_SHARED = (
    "cluster", "known", "unknown_because", "seen_at", "configured_since", "config", "uid",
)  # fmt: skip


def test_guests_are_shown_with_names_and_numbers(url: str, synced: None) -> None:
    [machine] = _rows(url, "SELECT * FROM vms")
    assert (machine["cluster"], machine["vmid"], machine["name"]) == ("lab", 100, "web")
    assert (machine["node"], machine["status"], machine["tags"]) == ("pve1", "running", "prod;web")
    assert (machine["template"], bool(machine["known"])) == (0, True)
    assert machine["memory_bytes"] == 1024 * 1024 * 1024
    assert machine["pool"] == "prod"
    assert str(_json(machine["config"])["memory"]) == "1024"
    [container] = _rows(url, "SELECT * FROM containers")
    assert (container["vmid"], container["name"], container["node"]) == (200, "proxy", "pve2")
    assert container["memory_bytes"] == 256 * 1024 * 1024


def test_nodes_storages_volumes_and_pools_are_shown(url: str, synced: None) -> None:
    nodes = _rows(url, "SELECT node, status, version, memory_bytes, cpus FROM nodes ORDER BY node")
    assert [(one["node"], one["status"]) for one in nodes] == [
        ("pve1", "online"),
        ("pve2", "online"),
    ]
    assert all(one["memory_bytes"] > 0 and one["cpus"] > 0 for one in nodes)
    storages = _rows(url, "SELECT storage, type, shared, on_nodes FROM storages ORDER BY storage")
    assert [(one["storage"], one["type"], one["shared"]) for one in storages] == [
        ("local", "dir", 0),
        ("local-lvm", "lvmthin", 0),
        ("shared", "nfs", 1),
    ]
    assert set(_json(storages[0]["on_nodes"])) == {"pve1", "pve2"}
    volumes = _rows(url, "SELECT * FROM volumes WHERE vmid = 100")
    assert [(one["storage"], one["size_bytes"]) for one in volumes] == [("shared", 8 << 30)]
    [pool] = _rows(url, "SELECT * FROM pools")
    assert (pool["pool"], pool["comment"]) == ("prod", "all of it")
    assert _json(pool["members"]) == ["qemu/100"]


def test_resources_shows_everything(url: str, synced: None) -> None:
    rows = _rows(url, "SELECT kind, count(*) AS n FROM resources GROUP BY kind")
    counts = {row["kind"]: row["n"] for row in rows}
    assert (counts["node"], counts["qemu"], counts["lxc"], counts["pool"]) == (2, 1, 1, 1)


def test_changes_tell_every_turn_of_a_life(
    url: str, recorder: Recorder, clock: VirtualClock
) -> None:
    started = datetime.fromtimestamp(clock.now(), UTC)
    for look in ({"100": {"name": "a"}}, {"100": {"name": "b"}}, {}, {"100": {"name": "b"}}):
        recorder.look("qemu", look)
        clock.advance(60)
    rows = _rows(url, "SELECT * FROM changes ORDER BY at")
    assert [row["action"] for row in rows] == ["created", "changed", "vanished", "returned"]
    assert [row["name"] for row in rows] == ["a", "b", "b", "b"]
    changed = rows[1]
    assert (_json(changed["old_config"]), _json(changed["new_config"])) == (
        {"name": "a"},
        {"name": "b"},
    )
    assert (rows[0]["old_config"], rows[2]["new_config"]) == (None, None)
    at = changed["at"]
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    assert abs(moment - started - timedelta(seconds=60)) < timedelta(seconds=1)


def test_a_vmid_used_again_is_another_object_that_was_created(url: str, recorder: Recorder) -> None:
    for digit in "12":
        recorder.look("qemu", {"100": {"smbios1": f"uuid={digit * 8}-0000-4000-8000-000000000000"}})
    rows = _rows(url, "SELECT action, uid FROM changes ORDER BY at, action")
    assert sorted(row["action"] for row in rows) == ["created", "created", "vanished"]
    assert len({row["uid"] for row in rows}) == 2


def test_tasks_are_shown_with_how_long_they_took(url: str, recorder: Recorder) -> None:
    began = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    task = TaskRecord(
        "lab", "UPID:x", "pve1", "qmstart", "100", "alice@pam", began,
        began + timedelta(seconds=2.5), "OK",
    )  # fmt: skip
    recorder.look("qemu", {}, tasks=[task])
    [row] = _rows(url, "SELECT * FROM tasks")
    assert (row["type"], row["object_id"], row["actor"], row["status"]) == (
        "qmstart", "100", "alice@pam", "OK",
    )  # fmt: skip
    assert float(row["seconds"]) == 2.5
    assert str(row["started_at"]).startswith("2026-11-22")


def test_a_guest_that_was_never_readable_is_shown_without_configuration(
    url: str, recorder: Recorder
) -> None:
    recorder.look("qemu", {"100": {"name": "a", "memory": "odd"}, "101": {}})
    rows = _rows(url, "SELECT vmid, name, configured_since FROM vms ORDER BY vmid")
    assert [(row["vmid"], row["name"]) for row in rows] == [(100, "a"), (101, "101")]
