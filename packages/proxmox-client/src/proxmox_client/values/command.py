"""How a command inside a guest ended."""

from __future__ import annotations

from typing import NoReturn, Self, TypeAlias

import attrs

_TAIL = 10


@attrs.frozen
class CommandEnded:
    """A command that has ended.

    Attributes:
        pid: Its process inside the guest.
        exit_code: What it returned; None where it was killed.
        signal: The signal that killed it (on Windows the exception code); None otherwise.
        stdout_bytes: What it wrote; `stdout` is the same as text.
        stderr_bytes: What it complained about; `stderr` is the same as text.
        stdout_truncated: The agent kept only the first part, 16 MiB.
        stderr_truncated: The same for the complaints.
    """

    pid: int
    exit_code: int | None
    signal: int | None
    stdout_bytes: bytes = attrs.field(default=b"", repr=False)
    stderr_bytes: bytes = attrs.field(default=b"", repr=False)
    stdout_truncated: bool = False
    stderr_truncated: bool = False

    @property
    def stdout(self) -> str:
        """What it wrote, as text: UTF-8, and Latin-1 where it is not that."""
        return _text(self.stdout_bytes)

    @property
    def stderr(self) -> str:
        """What it complained about, as text."""
        return _text(self.stderr_bytes)

    @property
    def ok(self) -> bool:
        """Whether it returned 0."""
        return self.exit_code == 0

    def raise_for_result(self) -> Self:
        """Return the result if the command returned 0.

        Raises:
            CommandError: It returned something else, or was killed.
        """
        if self.ok:
            return self
        from proxmox_client.errors import CommandError  # errors are built on these values

        how = f"killed by {self.signal}" if self.exit_code is None else f"exit {self.exit_code}"
        tail = tuple(self.stderr.splitlines()[-_TAIL:])
        raise CommandError(self, f"the command (pid {self.pid}) failed: {how}", tail)


@attrs.frozen
class CommandRunning:
    """Time was over before the command was. It goes on inside the guest: nothing can stop it.

    Attributes:
        pid: Its process inside the guest, with which it can be asked for later.
        waited: Seconds waited.
    """

    pid: int
    waited: float

    @property
    def ok(self) -> bool:
        """False: it has not ended."""
        return False

    def raise_for_result(self) -> NoReturn:
        """Raise CommandError: it has not ended yet."""
        from proxmox_client.errors import CommandError  # as above

        why = f"the command (pid {self.pid}) still runs after {self.waited:.0f} s"
        raise CommandError(self, why)


@attrs.frozen
class CommandLost:
    """The command has ended and nobody can say how: the agent tells it once, and that got lost.

    Attributes:
        pid: Its process inside the guest.
        why: What was seen.
    """

    pid: int
    why: str

    @property
    def ok(self) -> bool:
        """False: nobody knows."""
        return False

    def raise_for_result(self) -> NoReturn:
        """Raise CommandError: nobody knows how it ended."""
        from proxmox_client.errors import CommandError  # as above

        raise CommandError(self, f"the end of the command (pid {self.pid}) is lost: {self.why}")


CommandResult: TypeAlias = CommandEnded | CommandRunning | CommandLost


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
