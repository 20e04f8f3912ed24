"""How the demo speaks: numbered headings, the command one would type, claims that were checked."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from pmpc_cli.present.terminal import say


class ClaimFailed(Exception):
    """Something the demo says is so is not so."""


class Narrator:
    """Tells the story and counts what was checked.

    Attributes:
        held: How many claims held so far.
    """

    def __init__(self) -> None:
        self.held = 0
        self._step = 0

    def step(self, title: str, command: str | None = None) -> None:
        """Begin a step, with the command one would type for it."""
        self._step += 1
        say()
        say(Text.assemble((f"{self._step}. ", "bold cyan"), (title, "bold")))
        if command:
            self.command(command)

    def command(self, line: str) -> None:
        """Print the command one would type."""
        say(Text.assemble(("   $ ", "dim"), (line, "cyan")))

    def show(self, lines: Iterable[Text | str]) -> None:
        """Print part of an answer."""
        for line in lines:
            say(Text("   ").append_text(line if isinstance(line, Text) else Text(line)))

    def claim(self, holds: bool, claim: str, found: object = "") -> None:
        """Say that something holds, having checked it.

        Raises:
            ClaimFailed: It does not hold; carries what was found instead.
        """
        if not holds:
            raise ClaimFailed(f"{claim}: this does not hold; found {found!r}")
        self.held += 1
        say(Text.assemble(("   ok ", "bold green"), claim))
