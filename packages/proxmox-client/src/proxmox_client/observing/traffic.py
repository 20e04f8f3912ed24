"""Counting what a client sends and gets."""

from __future__ import annotations

import threading

import attrs

from proxmox_client.observing.events import Finished, RetryPlanned, Sending


@attrs.define(eq=False)
class Traffic:
    """Counters; safe to share between clients, threads and tasks.

    Attributes:
        requests: Requests sent, repetitions included.
        repeated: How many of them were repetitions.
        failed: How many ended with an error.
        sent: Bytes of their bodies.
        received: Bytes of the answers' bodies, decompressed.
        seconds: Time they took together; requests at once count each.
    """

    requests: int = 0
    repeated: int = 0
    failed: int = 0
    sent: int = 0
    received: int = 0
    seconds: float = 0.0
    _lock: threading.Lock = attrs.field(factory=threading.Lock, repr=False)

    def before(self, event: Sending) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1
            self.repeated += event.attempt > 1
            self.sent += event.size

    def after(self, event: Finished) -> None:
        """Count its answer."""
        with self._lock:
            self.failed += bool(event.error)
            self.received += event.size
            self.seconds += event.seconds

    def retry(self, event: RetryPlanned) -> None:
        """Count nothing: the repetition itself counts."""
