"""The cluster's clock next to ours, from what its answers say of the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import attrs

from proxmox_client.observing import Finished, RetryPlanned, Sending

_NOISE: Final = 2.0
"""Answers tell whole seconds, and take a while to come."""


@attrs.define(eq=False)
class ClockWatch:
    """Watches a client for how far the cluster's clock is ahead of ours.

    An answer tells a moment before it came. So the true difference is never less than any answer
    shows, and the greatest of them is the nearest.
    """

    now: Callable[[], datetime]
    _greatest: float | None = None
    _last: str = ""

    @property
    def ahead(self) -> float:
        """Seconds the cluster's clock is ahead; 0.0 for less than can be told."""
        found = self._greatest or 0.0
        return found if abs(found) >= _NOISE else 0.0

    def before(self, event: Sending) -> None:
        """Wait for the answer."""

    def after(self, event: Finished) -> None:
        """Compare clocks, once for each second that answers tell."""
        if not event.date or event.date == self._last:
            return
        self._last = event.date
        try:
            told = parsedate_to_datetime(event.date)
        except ValueError:
            return
        if told.tzinfo is None:
            return
        ahead = (told - self.now()).total_seconds()
        self._greatest = ahead if self._greatest is None else max(ahead, self._greatest)

    def retry(self, event: RetryPlanned) -> None:
        """Learn nothing."""
