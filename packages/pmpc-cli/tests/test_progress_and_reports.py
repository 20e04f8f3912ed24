"""What is said while an apply runs and when it has ended."""

from __future__ import annotations

import pytest

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.present.progress import Progress
from pmpc_cli.present.report import exit_code, report_lines
from pmpc_reconcile import events
from pmpc_reconcile.execute.report import ApplyReport, Outcome, StepResult

WEB = "VirtualMachine/web-1"


def told(progress: Progress, capsys: pytest.CaptureFixture[str]) -> list[str]:
    for event in (
        events.ApplyStarted("p1", "shop", 3),
        events.StepStarted("a", WEB, "clone debian-13"),
        events.TaskStarted("a", WEB, "UPID:pve1:0000:0000:0000:qmclone:9000:root@pam:"),
        events.TaskLog("a", WEB, "UPID", "create full clone of drive scsi0"),
        events.StepDone("a", WEB, 2.25, ("mind the gap",)),
        events.StepStarted("b", WEB, "start", resumed=True),
        events.StepWaiting("b", WEB, "locked (backup)"),
        events.StepFailed("b", WEB, "no bootable device"),
        events.StepSkipped("c", "Container/c", "b failed"),
        events.ApplyEnded("p1", 1, 1, 1, None),
    ):
        progress(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_steps_tasks_and_failures_are_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(Progress(), capsys) == [
        f"[1/3] {WEB}: clone debian-13",
        f"      {WEB} | create full clone of drive scsi0",
        f"      {WEB} done (2.2 s)",
        f"      {WEB} warning: mind the gap",
        f"[2/3] {WEB}: start (continued)",
        f"      {WEB} waits: locked (backup)",
        f"      {WEB} failed: no bootable device",
        "      Container/c skipped: b failed",
    ]


def test_a_quiet_listener_leaves_out_the_logs(capsys: pytest.CaptureFixture[str]) -> None:
    assert not any("full clone" in line for line in told(Progress(quiet=True), capsys))


def result(outcome: Outcome, reason: str = "") -> StepResult:
    return StepResult("a", WEB, "start", outcome, reason)


def test_a_report_names_what_failed_and_what_was_left_alone() -> None:
    report = ApplyReport(
        "p1",
        "shop",
        (result(Outcome.DONE), result(Outcome.FAILED, "boom"), result(Outcome.SKIPPED, "b")),
        conflicts=("VirtualMachine/db-1",),
        revision=2,
        restart_required=(WEB,),
    )
    assert [line.plain for line in report_lines(report)] == [
        f"failed {WEB}: start: boom",
        f"skipped {WEB}: start: b",
        "conflict VirtualMachine/db-1 was left alone",
        f"restart required {WEB} has options that wait for one",
        "1 of 3 steps done; release shop is at revision 2.",
    ]
    assert exit_code(report) is ExitCode.PARTIAL


def test_an_empty_report_adds_nothing_to_the_empty_plan() -> None:
    report = ApplyReport("p1", "shop", ())
    assert report_lines(report) == []
    assert exit_code(report) is ExitCode.OK


def test_conflicts_alone_have_their_own_exit_code() -> None:
    report = ApplyReport("p1", "shop", (result(Outcome.DONE),), conflicts=(WEB,))
    assert exit_code(report) is ExitCode.CONFLICTS
