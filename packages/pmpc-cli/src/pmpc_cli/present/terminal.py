"""Where output goes: answers to stdout, everything said on the way to stderr.

Rich consoles follow `NO_COLOR` and drop colours when piped. A reader that goes away (`| head`)
neither stops a command, which may be in the middle of an apply, nor changes its exit code.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import TextIO

from rich.console import Console
from rich.text import Text


class _Console(Console):
    """A console that falls silent when nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        """Go on without output; rich itself would end the process."""
        self.quiet = True
        _discard(sys.stderr if self.stderr else sys.stdout)


@cache
def out() -> Console:
    """Return the console of answers."""
    return _Console(highlight=False, markup=False, emoji=False)


@cache
def err() -> Console:
    """Return the console of progress, questions and errors."""
    return _Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(text: str | Text = "", *, style: str | None = None) -> None:
    """Print a line of the answer, never cut or wrapped."""
    out().print(text, style=style, soft_wrap=True)


def tell(text: str | Text = "", *, style: str | None = None) -> None:
    """Print a line about the way there to stderr."""
    err().print(text, style=style, soft_wrap=True)


def write(text: str) -> None:
    """Write a structured answer as it is."""
    try:
        out().file.write(text)
    except BrokenPipeError:
        out().on_broken_pipe()


def flush() -> None:
    """Send what is still held back of the answer."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)


def interactive() -> bool:
    """Tell whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


class QuestionInterrupted(KeyboardInterrupt):
    """Ctrl-C instead of an answer; whatever was asked about has not begun."""


def confirm(question: str) -> bool:
    """Ask a yes-or-no question on stderr; only `y` and `yes` agree.

    Raises:
        QuestionInterrupted: Ctrl-C was pressed.
    """
    with _asking():
        err().print(f"{question} [y/N] ", end="", style="bold")
        answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        tell()
    return answer.strip().lower() in ("y", "yes")


def ask_secret(prompt: str) -> str:
    """Ask for a secret without showing what is typed; the answer is empty after Ctrl-D.

    Raises:
        QuestionInterrupted: Ctrl-C was pressed.
    """
    import getpass

    try:
        with _asking():
            return getpass.getpass(prompt, stream=sys.stderr).strip()
    except EOFError:
        tell()
        return ""


@contextmanager
def _asking() -> Generator[None]:
    """Let Ctrl-C end a question at once.

    Under asyncio it would only cancel a task, which cannot notice while we wait for a line.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        tell()
        raise QuestionInterrupted from None
    finally:
        signal.signal(signal.SIGINT, before)


def _discard(stream: TextIO) -> None:
    """Give a stream whose reader is gone somewhere to write to."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
