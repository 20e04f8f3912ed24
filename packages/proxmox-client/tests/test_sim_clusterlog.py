"""The simulated cluster's log names who edited what, besides tasks."""

from __future__ import annotations

import pytest

from proxmox_client.testing import SimulatedCluster


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve1", 100, {"memory": 512})
    made.add_container("pve2", 200, {"memory": 512})
    return made


def lines(cluster: SimulatedCluster) -> list[tuple[str, str, str]]:
    rows = cluster.call("GET", "/cluster/log")
    return [(row["node"], row["user"], row["msg"]) for row in rows]


@pytest.mark.requirement("cluster.log")
def test_edits_of_guests_are_logged_with_their_author(cluster: SimulatedCluster) -> None:
    cluster.edit(100, user="alice@pve", memory=1024)
    cluster.edit(200, user="bob@pve!ci", memory=1024, cores=2)
    assert lines(cluster)[0] == ("pve2", "bob@pve!ci", "update CT 200: -cores 2 -memory 1024")
    assert ("pve1", "alice@pve", "update VM 100: -memory 1024") in lines(cluster)


@pytest.mark.requirement("cluster.log")
def test_snapshots_are_logged_before_their_task(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/nodes/pve1/qemu/100/snapshot", {"snapname": "before"})
    cluster.clock.advance(10)
    texts = [text for _, _, text in reversed(lines(cluster))]
    assert texts[0] == "snapshot VM 100: before"
    assert [text.split(" UPID")[0] for text in texts[1:]] == ["starting task", "end task"]


@pytest.mark.requirement("cluster.log")
def test_the_log_keeps_the_newest_lines(cluster: SimulatedCluster) -> None:
    for size in range(512, 1200):
        cluster.edit(100, memory=size)
    rows = cluster.call("GET", "/cluster/log", {"max": 2000})
    assert len(rows) == 500
    assert rows[0]["msg"].endswith("-memory 1199")
