"""How a process of the tests dies: a real signal from within, at a moment of an apply.

Whoever comes first to a moment that is written into a folder takes it out and strikes itself; so
of several processes that do the same work exactly one dies.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.lab.moments import Moment, watch

_ARMED = ".armed"


def arm(folder: Path, name: str, moment: Moment, number: int = signal.SIGKILL) -> None:
    """Let the first process that comes to a moment send itself a signal."""
    draft = folder / f"{name}.draft"
    draft.write_text(json.dumps([moment.entry, moment.phase, int(number)]))
    draft.rename(folder / f"{name}{_ARMED}")


def struck(folder: Path, name: str) -> int | None:
    """Return the id of the process that came to the moment of that name, None if none has."""
    found = list(folder.glob(f"{name}.by-*"))
    return int(found[0].suffix.removeprefix(".by-")) if found else None


def still_armed(folder: Path) -> Sequence[str]:
    """Return the names of moments that nobody came to."""
    return sorted(path.name.removesuffix(_ARMED) for path in folder.glob(f"*{_ARMED}"))


def die_when_told(folder: Path) -> None:
    """Watch out, in this process, for the moments in a folder."""

    def strike(entry: str, phase: str) -> None:
        for path in folder.glob(f"*{_ARMED}"):
            try:
                wanted, at, number = json.loads(path.read_text())
                if not Moment(wanted, at).at(entry, phase):
                    continue
                path.rename(path.with_suffix(f".by-{os.getpid()}"))
            except FileNotFoundError:  # somebody else came first
                continue
            os.kill(os.getpid(), number)

    watch(pytest.MonkeyPatch(), lambda: None, strike)
