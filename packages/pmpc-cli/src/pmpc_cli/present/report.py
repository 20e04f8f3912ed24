"""What became of an apply, in one line per problem and one line in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.present.terminal import say

if TYPE_CHECKING:
    from pmpc_reconcile.execute.report import ApplyReport


def show_report(report: ApplyReport) -> None:
    """Print what became of a plan."""
    for line in report_lines(report):
        say(line)


def report_lines(report: ApplyReport) -> list[Text]:
    """Return what became of a plan as lines; none where there was nothing to do."""
    lines: list[Text] = []
    for result in report.failed:
        words = f" {result.address}: {result.summary}: {result.reason}"
        lines.append(Text.assemble(("failed", "bold red"), words))
    for result in report.skipped:
        words = f" {result.address}: {result.summary}: {result.reason}"
        lines.append(Text.assemble(("skipped", "yellow"), words))
    for result in report.undone:
        fine = result.outcome.value == "done"
        word = ("undone", "yellow") if fine else ("not undone", "bold red")
        lines.append(
            Text.assemble(
                word, f" {result.address}: {result.summary}", f" {result.reason}".rstrip()
            )
        )
    for result in report.done:
        lines.extend(
            Text.assemble(("warning", "yellow"), f" {result.address}: {warning}")
            for warning in result.warnings
        )
    lines.extend(
        Text.assemble(("conflict", "bold magenta"), f" {address} was left alone")
        for address in report.conflicts
    )
    lines.extend(
        Text.assemble(("restart required", "yellow"), f" {address} has options that wait for one")
        for address in report.restart_required
    )
    if report.results or report.revision is not None:
        lines.append(_summary(report))
    return lines


def exit_code(report: ApplyReport) -> ExitCode:
    """Return what the process says of an apply."""
    if report.failed or report.skipped:
        return ExitCode.PARTIAL
    return ExitCode.CONFLICTS if report.conflicts else ExitCode.OK


def _summary(report: ApplyReport) -> Text:
    words = f"{len(report.done)} of {len(report.results)} steps done"
    line = Text.assemble((words, "bold green" if report.ok else "bold red"))
    if report.undone:
        line.append(", and all of it undone" if report.taken_back else ", and not all of it undone")
    if report.revision is not None:
        line.append(f"; release {report.release} is at revision {report.revision}")
    return line.append(".")
