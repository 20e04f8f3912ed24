"""Waiting for tasks, pumped without network on a virtual clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from proxmox_client import (
    ApiToken,
    Client,
    ConnectError,
    FingerprintMismatch,
    NotFound,
    PermissionDenied,
    RetryPolicy,
    TaskError,
    TaskFailed,
    TaskLost,
    TaskOk,
    TaskRunning,
    TaskWarnings,
    Upid,
)
from proxmox_client.flows import taskflow
from proxmox_client.flows.call import Session
from proxmox_client.flows.drivers import SyncDriver
from proxmox_client.flows.effects import Flow, Lost, Stage
from proxmox_client.tasks import Task, read_started
from proxmox_client.wire.request import Request, Response

T = TypeVar("T")
SESSION = Session(ApiToken("root@pam", "test", "secret"), RetryPolicy(attempts=1))
TEXT = "UPID:pve2:0000252F:0006D64E:6B03000E:qmstart:100:root@pam!test:"
UPID = Upid.parse(TEXT)


def reply(data: Any, status: int = 200, reason: str = "OK", **more: Any) -> Response:
    return Response(status, reason, json.dumps({"data": data, **more}).encode())


GONE = reply([{"n": 1, "t": "unable to open file - No such file or directory"}])


@attrs.define
class Worker:
    """A node that runs one task on a clock which only sleeping moves."""

    ends_at: float = 1.0
    exit_status: str = "OK"
    log: list[tuple[float, str]] = attrs.field(factory=list[tuple[float, str]])
    fault: Callable[[float], Response | Lost | None] = lambda time: None
    time: float = 0.0
    asked: list[str] = attrs.field(factory=list[str])
    slept: list[float] = attrs.field(factory=list[float])

    def send(self, request: Request) -> Response | Lost:
        self.asked.append(f"{request.method} {request.address}")
        faulty = self.fault(self.time)
        if faulty is not None:
            return faulty
        if request.address.endswith("/status"):
            return reply(self._status())
        if request.address.endswith("/log"):
            query = parse_qs(urlsplit(request.target).query)
            return reply(self._lines(int(query["start"][0]), int(query["limit"][0])))
        return reply(None)

    def _status(self) -> dict[str, Any]:
        if self.time < self.ends_at:
            return {"status": "running", "upid": TEXT}
        return {"status": "stopped", "exitstatus": self.exit_status, "upid": TEXT}

    def _lines(self, start: int, limit: int) -> list[dict[str, Any]]:
        written = [line for moment, line in self.log if moment <= self.time]
        if not written:
            return [{"n": 1, "t": "no content"}]
        rows = [{"n": n, "t": line} for n, line in enumerate(written, 1)][start:]
        return rows[:limit] if limit else rows

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def run(self, flow: Flow[T]) -> T:
        return SyncDriver(self.send, self.sleep, lambda: self.time, lambda: 0.0).run(flow)


def test_ok_after_a_while_with_growing_pauses() -> None:
    worker = Worker(ends_at=30.0)
    assert worker.run(taskflow.wait(SESSION, UPID)) == TaskOk(UPID)
    assert worker.slept == sorted(worker.slept)
    assert max(worker.slept) == taskflow.LONGEST_PAUSE
    assert set(worker.asked) == {f"GET /nodes/pve2/tasks/{TEXT}/status"}


def test_warnings_are_counted_and_quoted() -> None:
    worker = Worker(
        0.0, "WARNINGS: 1", [(0.0, "doing"), (0.0, "WARN: slow"), (0.0, "TASK WARNINGS: 1")]
    )
    assert worker.run(taskflow.wait(SESSION, UPID)) == TaskWarnings(UPID, 1, ("WARN: slow",))


@pytest.mark.parametrize(
    "text", ["VM is locked (backup)", "unexpected status", "received interrupt"]
)
def test_failure_brings_the_end_of_the_log(text: str) -> None:
    worker = Worker(0.0, text, [(0.0, f"line {n}") for n in range(20)])
    result = worker.run(taskflow.wait(SESSION, UPID))
    assert result == TaskFailed(UPID, text, tuple(f"line {n}" for n in range(10, 20)))


def test_stopped_without_exit_status_is_a_failure() -> None:
    worker = Worker(fault=lambda time: reply({"status": "stopped"}))
    result = worker.run(taskflow.wait(SESSION, UPID))
    assert isinstance(result, TaskFailed)
    assert "without an exit status" in result.message


def test_time_out_says_still_running() -> None:
    worker = Worker(ends_at=60.0)
    assert worker.run(taskflow.wait(SESSION, UPID, timeout=5.0)) == TaskRunning(UPID, 5.0)
    assert worker.time == 5.0


def test_time_out_of_zero_asks_once() -> None:
    worker = Worker(ends_at=60.0)
    assert isinstance(worker.run(taskflow.wait(SESSION, UPID, timeout=0.0)), TaskRunning)
    assert len(worker.asked) == 1


def test_log_is_followed_line_by_line() -> None:
    log = [(n * 0.5, f"line {n}") for n in range(1, 10)] + [(5.0, "TASK OK")]
    worker = Worker(ends_at=5.0, log=log)
    lines: list[str] = []
    assert worker.run(taskflow.wait(SESSION, UPID, on_log=lines.append)) == TaskOk(UPID)
    assert lines == [line for _, line in log]


def test_long_log_is_read_in_pages() -> None:
    log = [(0.0, f"line {n}") for n in range(1234)]
    worker = Worker(ends_at=0.0, log=log)
    lines: list[str] = []
    worker.run(taskflow.wait(SESSION, UPID, on_log=lines.append))
    assert lines == [line for _, line in log]


def test_placeholder_lines_are_no_log() -> None:
    assert Worker().run(taskflow.fetch_log(SESSION, UPID)) == ()


def test_log_that_cannot_be_read_is_no_empty_log() -> None:
    with pytest.raises(NotFound, match="unable to open file") as caught:
        Worker(fault=lambda time: GONE).run(taskflow.fetch_log(SESSION, UPID))
    assert caught.value.upid == TEXT


def test_task_unknown_to_its_node_is_lost() -> None:
    refusal = reply(
        None,
        400,
        "Parameter verification failed.",
        message="Parameter verification failed.\n",
        errors={"upid": "no such task"},
    )
    result = Worker(fault=lambda time: refusal).run(taskflow.wait(SESSION, UPID))
    assert result == TaskLost(UPID, "node pve2 does not know it: no such task")


def test_node_away_for_a_minute_is_waited_for() -> None:
    away = Response(595, "No route to host")
    worker = Worker(ends_at=90.0, fault=lambda time: away if 10 < time < 70 else None)
    assert worker.run(taskflow.wait(SESSION, UPID)) == TaskOk(UPID)


def test_dead_node_loses_its_task() -> None:
    away = Response(595, "No route to host")
    worker = Worker(ends_at=900.0, fault=lambda time: away if time > 10 else None)
    result = worker.run(taskflow.wait(SESSION, UPID))
    assert result == TaskLost(UPID, "node pve2 does not answer: No route to host")
    assert worker.time < 10 + taskflow.PATIENCE + 10


def test_unreachable_server_is_an_error_after_patience() -> None:
    away = Lost(Stage.NOT_SENT, ConnectError("pve1", 8006, "gone"))
    worker = Worker(ends_at=900.0, fault=lambda time: away if time > 10 else None)
    with pytest.raises(ConnectError, match="gone"):
        worker.run(taskflow.wait(SESSION, UPID))
    assert worker.time > taskflow.PATIENCE


def test_changed_certificate_is_an_error_at_once() -> None:
    worker = Worker(
        fault=lambda time: Lost(Stage.NOT_SENT, FingerprintMismatch("h", 1, "no"), True)
    )
    with pytest.raises(FingerprintMismatch):
        worker.run(taskflow.wait(SESSION, UPID))
    assert worker.slept == []


def test_refused_view_is_an_error() -> None:
    refusal = Response(403, "Permission check failed (/nodes/pve2, Sys.Audit)")
    with pytest.raises(PermissionDenied):
        Worker(fault=lambda time: refusal).run(taskflow.wait(SESSION, UPID))


def test_ha_task_says_that_nothing_has_happened_yet() -> None:
    upid = attrs.evolve(UPID, type="hastart")
    result = Worker(0.0).run(taskflow.wait(SESSION, upid))
    assert isinstance(result, TaskOk)
    assert "HA manager" in result.note


def test_stop_interrupts_on_the_tasks_own_node() -> None:
    worker = Worker()
    worker.run(taskflow.stop(SESSION, UPID))
    assert worker.asked == [f"DELETE /nodes/pve2/tasks/{TEXT}"]


@pytest.mark.parametrize(
    ("data", "upid"),
    [(TEXT, UPID), ({"upid": TEXT, "port": 5900}, UPID), ("OK", None), (None, None), ([], None)],
)
def test_what_a_start_answers(data: object, upid: Upid | None) -> None:
    assert read_started(data) == upid


def test_results_say_whether_it_went_well() -> None:
    assert TaskOk(UPID).raise_for_result().ok
    assert TaskWarnings(UPID, 1).raise_for_result().ok
    for bad in (TaskFailed(UPID, "boom", ("tail",)), TaskRunning(UPID, 5.0), TaskLost(UPID, "?")):
        assert not bad.ok
        with pytest.raises(TaskError, match=r"task UPID:pve2:") as caught:
            bad.raise_for_result()
        assert caught.value.result is bad


def test_handle_without_a_task() -> None:
    with Client("pve1", token="root@pam!test=x") as pve:
        task = Task(pve, read_started("OK"))
        assert not task.started
        result = task.wait()
        assert isinstance(result, TaskOk)
        assert result.upid is None
        with pytest.raises(TaskError, match="no task"):
            _ = task.upid
        assert repr(pve.task(TEXT)) == f"<Task {TEXT}>"
        assert pve.task(UPID).node == "pve2"
