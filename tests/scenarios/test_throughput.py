"""Pain: time-outs of locks unless parallelism is 1 (bpg#995), and waiting for ever if it is.

Measured in the cluster's own time, on an event loop that waits in it: exact, and no matter of
how fast this machine is. `nox -s bench` has the figures for a hundred clones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.lab.cloning import seconds_for_clones

SWEEP = (4, 16, 32)


def test_the_pace_found_is_nearly_the_best_fixed_one(furnished: Any, tmp_path: Path) -> None:
    fixed = {
        width: seconds_for_clones(furnished(), tmp_path / f"{width}.db", 40, width=width)
        for width in SWEEP
    }
    found = seconds_for_clones(furnished(), tmp_path / "found.db", 40)
    assert min(fixed.values()) / found >= 0.9, (fixed, found)
    assert fixed[4] > found * 2, "going one after the other would take far longer"
