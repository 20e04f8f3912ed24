"""Facts about tasks: names, users, logs, lists."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.lab.simulated import Lab

pytestmark = pytest.mark.conformance


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.cluster.add_vm("pve1", 100, {"scsi0": "local-lvm:1"})
    return made


@pytest.fixture
def upid(lab: Lab) -> str:
    upid = str(lab("POST", "/nodes/pve1/qemu/100/status/start").data)
    lab.ended(upid)
    return upid


@pytest.mark.requirement("tasks.upid")
def test_a_upid_may_be_percent_encoded(lab: Lab, upid: str) -> None:
    for form in (upid, quote(upid, safe="")):
        assert lab("GET", f"/nodes/pve1/tasks/{form}/status").data["exitstatus"] == "OK"
    assert upid.endswith(":root@pam!lab:")


@pytest.mark.requirement("tasks.interrupt")
def test_stopping_a_finished_task_is_fine(lab: Lab, upid: str) -> None:
    answer = lab("DELETE", f"/nodes/pve1/tasks/{upid}")
    assert (answer.status, answer.data) == (200, None)
    assert lab("GET", f"/nodes/pve1/tasks/{upid}/status").data["exitstatus"] == "OK"


@pytest.mark.requirement("tasks.token-user")
def test_user_and_token_are_split_but_in_the_active_list(lab: Lab) -> None:
    lab("POST", "/nodes/pve1/qemu/100/status/start")
    active = lab("GET", "/nodes/pve1/tasks", {"source": "active"}).data[0]
    assert (active["user"], active["status"]) == ("root@pam!lab", "RUNNING")
    running = lab("GET", "/cluster/tasks").data[0]
    assert {"status", "endtime"} & running.keys() == set()
    lab.ended(active["upid"])
    for row in (
        lab("GET", "/nodes/pve1/tasks").data[0],
        lab("GET", f"/nodes/pve1/tasks/{active['upid']}/status").data,
    ):
        assert (row["user"], row["tokenid"]) == ("root@pam", "lab")


@pytest.mark.requirement("tasks.log")
def test_a_log_can_be_had_whole_and_as_text(lab: Lab, upid: str) -> None:
    task = lab.cluster.tasks.get(upid)
    task.lines[:0] = [f"line {number}" for number in range(80)]
    path = f"/nodes/pve1/tasks/{upid}/log"
    assert len(lab("GET", path).data) == 50
    assert lab("GET", path, {"limit": 0}).data[-1]["t"] == "TASK OK"
    assert lab("GET", path, {"start": 5000}).data == []
    text = lab("GET", path, {"download": 1})
    assert dict(text.headers)["Content-Type"].startswith("text/plain")
    assert text.body.decode().splitlines()[0] == "line 0"


@pytest.mark.requirement("tasks.cluster-list")
def test_the_clusters_list_holds_25_tasks_of_each_node(lab: Lab) -> None:
    lab.cluster.add_vm("pve2", 200, {})
    for node, vmid in (("pve1", 100), ("pve2", 200)):
        for _ in range(15):
            for action in ("start", "stop"):
                lab.task("POST", f"/nodes/{node}/qemu/{vmid}/status/{action}")
    lab.cluster.clock.advance(30)
    nodes = [row["node"] for row in lab("GET", "/cluster/tasks").data]
    assert (nodes.count("pve1"), nodes.count("pve2")) == (25, 25)
