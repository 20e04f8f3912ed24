"""Commands that the agent inside a simulated machine can run, and how long they take. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

MOST_OUTPUT = 16 * 1024 * 1024
"""The agent keeps no more of each output."""
_FIRST_PID = 1000


@attrs.frozen
class CommandOutcome:
    """What a command does.

    Attributes:
        stdout: What it writes.
        stderr: What it complains about.
        exit_code: What it returns; ignored where a signal kills it.
        signal: The signal that kills it.
        seconds: How long it takes.
    """

    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    signal: int | None = None
    seconds: float = 0.0


Command = Callable[[Sequence[str], str], CommandOutcome]
"""Gets the arguments after the program's name and the standard input."""


def _sleep(arguments: Sequence[str], stdin: str) -> CommandOutcome:
    return CommandOutcome(seconds=float(arguments[0]))


COMMANDS: Mapping[str, Command] = {
    "true": lambda arguments, stdin: CommandOutcome(),
    "false": lambda arguments, stdin: CommandOutcome(exit_code=1),
    "echo": lambda arguments, stdin: CommandOutcome(" ".join(arguments) + "\n"),
    "cat": lambda arguments, stdin: CommandOutcome(stdin),
    "sleep": _sleep,
}
"""What every machine knows; `SimulatedCluster.agent_commands` adds to it."""


@attrs.frozen
class Running:
    """A command that was started.

    Attributes:
        ends: When it ends, by the simulator's clock.
        outcome: What it does.
    """

    ends: float
    outcome: CommandOutcome


@attrs.define
class Processes:
    """The commands an agent has started and not yet told the end of."""

    running: dict[int, Running] = attrs.field(factory=dict[int, Running])
    last: int = _FIRST_PID

    def start(
        self, commands: Mapping[str, Command], command: Sequence[str], stdin: str, now: float
    ) -> int | None:
        """Start a command and return its process; None where there is no such program."""
        program = commands.get(command[0].rsplit("/", 1)[-1])
        if program is None:
            return None
        self.last += 1
        outcome = program(command[1:], stdin)
        self.running[self.last] = Running(now + outcome.seconds, outcome)
        return self.last

    def status(self, pid: int, now: float) -> dict[str, Any] | None:
        """Say how a command stands; its end is told once. None where nobody knows it."""
        found = self.running.get(pid)
        if found is None:
            return None
        if now < found.ends:
            return {"exited": 0}
        del self.running[pid]
        return {"exited": 1, **_end(found.outcome)}


def _end(outcome: CommandOutcome) -> dict[str, Any]:
    told: dict[str, Any] = (
        {"exitcode": outcome.exit_code} if outcome.signal is None else {"signal": outcome.signal}
    )
    for name, text in (("out", outcome.stdout), ("err", outcome.stderr)):
        data = text.encode()
        if data:  # PVE makes a character of each byte
            told[f"{name}-data"] = data[:MOST_OUTPUT].decode("latin-1")
        if len(data) > MOST_OUTPUT:
            told[f"{name}-truncated"] = 1
    return told
