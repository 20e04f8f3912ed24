"""Progress on stderr while a verb runs: steps as they begin and end, their tasks' log lines.

Lines, not a moving picture: several steps run at once, and a piped or recorded log reads the same.
"""

from __future__ import annotations

from functools import singledispatchmethod

from rich.text import Text

from pmpc_cli.present.terminal import err, tell
from pmpc_reconcile import events


class Progress:
    """An event sink that prints.

    Attributes:
        quiet: Leave out the log lines of tasks.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._total = 0
        self._begun = 0

    def __call__(self, event: events.Event) -> None:
        """Present one event."""
        self._show(event)

    @singledispatchmethod
    def _show(self, event: object) -> None:
        """Leave out what has no line of its own."""

    @_show.register
    def _(self, event: events.ApplyStarted) -> None:
        self._total = event.steps

    @_show.register
    def _(self, event: events.StepStarted) -> None:
        self._begun += 1
        count = f"[{self._begun}/{self._total}] " if self._total else ""
        again = " (continued)" if event.resumed else ""
        tell(Text.assemble((count, "dim"), (event.address, "bold"), f": {event.summary}{again}"))

    @_show.register
    def _(self, event: events.StepWaiting) -> None:
        tell(Text.assemble(_indented(event.address), ("waits: ", "yellow"), event.reason))

    @_show.register
    def _(self, event: events.TaskLog) -> None:
        if not self.quiet:
            tell(Text.assemble(_indented(event.address), (f"| {event.line}", "dim")))

    @_show.register
    def _(self, event: events.StepDone) -> None:
        seconds = f" ({event.seconds:.1f} s)"
        tell(Text.assemble(_indented(event.address), ("done", "green"), (seconds, "dim")))
        for warning in event.warnings:
            tell(Text.assemble(_indented(event.address), ("warning: ", "yellow"), warning))

    @_show.register
    def _(self, event: events.StepFailed) -> None:
        tell(Text.assemble(_indented(event.address), ("failed: ", "bold red"), event.reason))

    @_show.register
    def _(self, event: events.StepSkipped) -> None:
        tell(Text.assemble(_indented(event.address), ("skipped: ", "yellow"), event.reason))

    @_show.register
    def _(self, event: events.SyncProgress) -> None:
        if err().is_terminal and not self.quiet:
            total = "" if event.total is None else f"/{event.total}"
            tell(Text(f"reading {event.section} {event.done}{total}", "dim"))


def _indented(address: str) -> Text:
    return Text(f"      {address} ")
