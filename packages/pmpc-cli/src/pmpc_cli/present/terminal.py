"""Where output goes: answers to stdout, everything said on the way to stderr.

Rich consoles follow `NO_COLOR` and drop colours when piped.
"""

from __future__ import annotations

import sys
from functools import cache

from rich.console import Console
from rich.text import Text


@cache
def out() -> Console:
    """Return the console of answers."""
    return Console(highlight=False, markup=False, emoji=False)


@cache
def err() -> Console:
    """Return the console of progress, questions and errors."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(text: str | Text = "", *, style: str | None = None) -> None:
    """Print a line of the answer, never cut or wrapped."""
    out().print(text, style=style, soft_wrap=True)


def tell(text: str | Text = "", *, style: str | None = None) -> None:
    """Print a line about the way there to stderr."""
    err().print(text, style=style, soft_wrap=True)


def interactive() -> bool:
    """Tell whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str) -> bool:
    """Ask a yes-or-no question on stderr; only `y` and `yes` agree."""
    err().print(f"{question} [y/N] ", end="", style="bold")
    answer = sys.stdin.readline().strip().lower()
    return answer in ("y", "yes")


def ask_secret(prompt: str) -> str:
    """Ask for a secret without showing what is typed."""
    import getpass

    return getpass.getpass(prompt, stream=sys.stderr).strip()
