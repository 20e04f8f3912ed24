"""Telling events to a listener that may fail: what runs then ends, and only then is it told."""

from __future__ import annotations

import attrs

from pmpc_reconcile.events import Event, EventSink
from pmpc_reconcile.execute.schedule import Brake


@attrs.define
class Listener:
    """A sink of events that raises nothing in the middle of a step.

    Attributes:
        sink: Who listens.
        brake: Pulled when that one fails.
        error: What it raised; it hears nothing more after that.
    """

    sink: EventSink
    brake: Brake
    error: Exception | None = None

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        if self.error is not None:
            return
        try:
            self.sink(event)
        except Exception as error:  # raised again when nothing runs any more
            self.error = error
            self.brake.pull(f"who listens to progress failed: {type(error).__name__}: {error}")
