"""Tasks of the simulator: life on the virtual clock, status, log, lists, stopping."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxmox_client.testing import (
    PveFault,
    SimulatedCluster,
    TaskFailed,
    TaskInterrupted,
    TaskRecord,
)
from proxmox_client.testing.tasks import Worker
from proxmox_client.values import Upid


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster()


def slow(task: TaskRecord) -> Iterator[float]:
    task.log("begun")
    yield 5.0
    task.log("done")


def failing(task: TaskRecord) -> Iterator[float]:
    yield 1.0
    raise TaskFailed("it broke\nfor a reason")


def start(cluster: SimulatedCluster, work: Worker = slow, user: str = "root@pam!t") -> str:
    return cluster.tasks.start("pve1", "qmstart", work, id=100, user=user)


def status(cluster: SimulatedCluster, upid: str, node: str = "pve1") -> dict[str, object]:
    found: dict[str, object] = cluster.call("GET", f"/nodes/{node}/tasks/{upid}/status")
    return found


def log(cluster: SimulatedCluster, upid: str, **params: object) -> list[str]:
    return [line["t"] for line in cluster.call("GET", f"/nodes/pve1/tasks/{upid}/log", params)]


@pytest.mark.requirement("tasks.status")
def test_a_task_ends_when_the_clock_passes_its_end(cluster: SimulatedCluster) -> None:
    upid = start(cluster)
    assert status(cluster, upid)["status"] == "running"
    assert log(cluster, upid) == ["no content"]
    cluster.clock.advance(1)
    assert log(cluster, upid) == ["begun"]
    cluster.clock.advance(5)
    assert status(cluster, upid)["exitstatus"] == "OK"
    assert log(cluster, upid) == ["begun", "done", "TASK OK"]


@pytest.mark.requirement("tasks.upid")
def test_the_upid_names_node_type_id_and_user(cluster: SimulatedCluster) -> None:
    upid = Upid.parse(start(cluster))
    assert (upid.node, upid.type, upid.id, upid.user) == ("pve1", "qmstart", "100", "root@pam!t")
    assert upid.starttime == int(cluster.clock.now())
    answer = status(cluster, str(upid))
    assert (answer["user"], answer["tokenid"]) == ("root@pam", "t")


@pytest.mark.requirement("tasks.status")
def test_a_failure_shows_its_first_line_as_exit_status(cluster: SimulatedCluster) -> None:
    upid = start(cluster, failing)
    cluster.clock.advance(2)
    assert status(cluster, upid)["exitstatus"] == "it broke"
    assert log(cluster, upid) == ["TASK ERROR: it broke", "for a reason"]


@pytest.mark.requirement("tasks.status")
def test_warnings_are_counted(cluster: SimulatedCluster) -> None:
    upid = start(cluster, lambda task: task.warn("look out"))
    cluster.clock.advance(2)
    assert status(cluster, upid)["exitstatus"] == "WARNINGS: 1"
    assert log(cluster, upid) == ["WARN: look out", "TASK WARNINGS: 1"]


@pytest.mark.requirement("tasks.interrupt")
def test_a_stopped_task_may_clean_up(cluster: SimulatedCluster) -> None:
    cleaned: list[bool] = []

    def careful(task: TaskRecord) -> Iterator[float]:
        try:
            yield 60.0
        except TaskInterrupted:
            cleaned.append(True)
            raise

    upid = start(cluster, careful)
    assert cluster.call("DELETE", f"/nodes/pve1/tasks/{upid}") is None
    assert cleaned == [True]
    assert status(cluster, upid)["exitstatus"] == "received interrupt"
    cluster.clock.advance(100)
    assert log(cluster, upid) == ["TASK ERROR: received interrupt"]


@pytest.mark.requirement("tasks.unknown")
def test_a_task_is_known_only_under_its_own_node(cluster: SimulatedCluster) -> None:
    upid = start(cluster)
    with pytest.raises(PveFault) as caught:
        status(cluster, upid, node="pve2")
    assert caught.value.errors == {"upid": "no such task"}
    lines = cluster.call("GET", f"/nodes/pve2/tasks/{upid}/log")
    assert [line["t"] for line in lines] == ["unable to open file - No such file or directory"]


@pytest.mark.requirement("tasks.log")
def test_pages_of_a_log_count_from_zero_and_lines_from_one(cluster: SimulatedCluster) -> None:
    upid = start(cluster, lambda task: task.log("\n".join(f"line {n}" for n in range(80))))
    cluster.clock.advance(2)
    assert len(log(cluster, upid)) == 50
    assert len(log(cluster, upid, limit=0)) == 81
    page = cluster.call("GET", f"/nodes/pve1/tasks/{upid}/log", {"start": 10, "limit": 1})
    assert page == [{"n": 11, "t": "line 10"}]
    assert log(cluster, upid, start=1000) == []


@pytest.mark.requirement("tasks.lists")
def test_lists_show_finished_tasks_and_running_ones_on_request(cluster: SimulatedCluster) -> None:
    done, waiting = start(cluster, failing), start(cluster, slow)
    cluster.clock.advance(2)
    path = "/nodes/pve1/tasks"
    assert [row["upid"] for row in cluster.call("GET", path)] == [done]
    assert [row["status"] for row in cluster.call("GET", path, {"source": "active"})] == ["RUNNING"]
    everything = cluster.call("GET", path, {"source": "all"})
    assert {row["upid"] for row in everything} == {done, waiting}
    assert cluster.call("GET", path, {"statusfilter": "ok"}) == []
    running = [row for row in cluster.call("GET", "/cluster/tasks") if row["upid"] == waiting]
    assert "status" not in running[0]
    assert "endtime" not in running[0]


@pytest.mark.requirement("clock.events")
def test_events_happen_in_order_and_once(cluster: SimulatedCluster) -> None:
    seen: list[str] = []
    clock = cluster.clock
    clock.after(2, lambda: seen.append("b"))
    clock.after(1, lambda: seen.append("a"))
    clock.after(3, lambda: seen.append("c")).cancel()
    clock.advance(1.5)
    assert seen == ["a"]
    clock.advance(10)
    assert seen == ["a", "b"]
