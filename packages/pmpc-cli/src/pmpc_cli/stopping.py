"""Ctrl-C during an apply: the first one lets running steps end, the second one ends at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress

from pmpc_cli.present.terminal import tell
from pmpc_reconcile.execute.schedule import Brake

REASON = "it was stopped"
CONTINUE_HINT = "hint: what was begun is in the journal; run the same command again to continue"


@contextmanager
def stopped_by_interrupt() -> Generator[Brake]:
    """Give a brake that the first interrupt pulls; the next one is an ordinary interrupt."""
    brake, loop = Brake(), asyncio.get_running_loop()

    def pull() -> None:
        tell("Steps that run come to their end, no further one begins. Ctrl-C again ends at once.")
        brake.pull(REASON)
        loop.remove_signal_handler(signal.SIGINT)

    with suppress(NotImplementedError, ValueError, RuntimeError):  # not on every platform
        loop.add_signal_handler(signal.SIGINT, pull)
    try:
        yield brake
    finally:
        with suppress(NotImplementedError, ValueError, RuntimeError):
            loop.remove_signal_handler(signal.SIGINT)
