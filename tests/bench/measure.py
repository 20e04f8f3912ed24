"""Rows and the two ways to measure one: repeats of a call, and starts of a process."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import attrs

_F = TypeVar("_F")


@attrs.frozen
class Row:
    """One comparison.

    Attributes:
        name: What is compared, stable from run to run.
        ours: Our figure.
        peer: The other side's figure.
        unit: Unit of both, such as `ms` or `requests/s`.
        target: Bound on the ratio ours / peer; None where there is only something to see.
        better: Whether the ratio must be at most (`lower`) or at least (`higher`) the target.
    """

    name: str
    ours: float
    peer: float
    unit: str
    target: float | None
    better: Literal["lower", "higher"]

    @property
    def ratio(self) -> float:
        """Return ours divided by the peer's."""
        return self.ours / self.peer

    @property
    def ok(self) -> bool:
        """Return whether the ratio is within the target, if there is one."""
        if self.target is None:
            return True
        return self.ratio <= self.target if self.better == "lower" else self.ratio >= self.target


def alternate(sides: Sequence[Callable[[], _F]], repeats: int) -> list[list[_F]]:
    """Run the sides in turn and return each one's figures, so that noise meets all alike."""
    figures: list[list[_F]] = [[] for _ in sides]
    for _ in range(repeats):
        for index, side in enumerate(sides):
            figures[index].append(side())
    return figures


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long one call takes, garbage collected beforehand."""
    gc.collect()
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def fastest(sides: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Return the fastest of `repeats` alternating calls of each side, in milliseconds."""

    def timed(side: Callable[[], object]) -> Callable[[], float]:
        return lambda: milliseconds(side)

    return [min(times) for times in alternate([timed(side) for side in sides], repeats)]


def process_starts(commands: Sequence[Sequence[str]], repeats: int) -> list[float]:
    """Return the median run time of each command in milliseconds.

    Bytecode is written before and used after, as it is for an installed program.
    """
    environment = {
        key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
    }

    def start(command: Sequence[str]) -> float:
        return milliseconds(
            lambda: subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        )

    def timed(command: Sequence[str]) -> Callable[[], float]:
        return lambda: start(command)

    for command in commands:
        start(command)
    figures = alternate([timed(command) for command in commands], repeats)
    return [statistics.median(times) for times in figures]
