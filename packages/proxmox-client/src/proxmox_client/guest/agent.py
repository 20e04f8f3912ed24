"""The QEMU guest agent inside a machine, in both colours."""

# ruff: noqa: ASYNC109  # timeouts are counted by the flow's own clock, which may be a virtual one

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxmox_client.flows import agent

if TYPE_CHECKING:
    from proxmox_client.aclient import AsyncClient
    from proxmox_client.client import Client
    from proxmox_client.values.command import CommandEnded, CommandResult

COMMAND_TIMEOUT = 60.0
START_TIMEOUT = 180.0


class GuestAgent:
    """The QEMU guest agent inside a machine: `guest.agent`."""

    def __init__(self, client: Client, vmid: int) -> None:
        self._client = client
        self._vmid = vmid

    def run(
        self, command: Sequence[str], *, stdin: str | bytes = "", timeout: float = COMMAND_TIMEOUT
    ) -> CommandResult:
        """Run a command inside and return its output (POST …/agent/exec).

        Privileges: VM.GuestAgent.Unrestricted; VM.Monitor before PVE 9. Since 7.4.

        Args:
            command: The program and its arguments: `["ls", "-l", "/etc"]`. No shell reads them;
                for one write `["sh", "-c", "…"]`.
            stdin: What it gets as standard input, 65,536 bytes at most.
            timeout: Seconds to wait for its end.

        Returns:
            `CommandEnded` with exit code and output, `CommandRunning` where time was over, or
            `CommandLost`. Failing is a result: `raise_for_result` makes it an exception.

        Raises:
            AgentNotRunning: No agent answers.
            AmbiguousWrite: Nobody said whether it was started; it is not started again.
            PermissionDenied: Needs VM.GuestAgent.Unrestricted (VM.Monitor before PVE 9).
        """
        flow = agent.run(self._client.session, self._vmid, command, stdin=stdin, timeout=timeout)
        return self._client.run(flow)

    def result(self, pid: int) -> CommandEnded | None:
        """Ask once for a command that `run` left running; None while it runs.

        Calls GET …/agent/exec-status. Privileges: as for `run`. Since 7.4.

        The agent hands out the end of a command once and then forgets it.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere.
        """
        return self._client.run(agent.result_of(self._client.session, self._vmid, pid))

    def answers(self) -> bool:
        """Say whether the agent answers (POST …/agent/ping).

        Privileges: VM.GuestAgent.Audit; VM.Monitor before PVE 9. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere.
        """
        return self._client.run(agent.answers(self._client.session, self._vmid))

    def wait(self, timeout: float = START_TIMEOUT) -> bool:
        """Wait until it answers, as after a start; False where time is over first.

        Calls POST …/agent/ping. Privileges: as for `answers`. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere.
        """
        flow = agent.wait_until_it_answers(self._client.session, self._vmid, timeout)
        return self._client.run(flow)

    def __repr__(self) -> str:
        return f"<GuestAgent {self._vmid}>"


class AsyncGuestAgent:
    """The QEMU guest agent inside a machine: `guest.agent`."""

    def __init__(self, client: AsyncClient, vmid: int) -> None:
        self._client = client
        self._vmid = vmid

    async def run(
        self, command: Sequence[str], *, stdin: str | bytes = "", timeout: float = COMMAND_TIMEOUT
    ) -> CommandResult:
        """Run a command inside and return its output (POST …/agent/exec). See `GuestAgent.run`.

        Privileges: VM.GuestAgent.Unrestricted; VM.Monitor before PVE 9. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        flow = agent.run(self._client.session, self._vmid, command, stdin=stdin, timeout=timeout)
        return await self._client.run(flow)

    async def result(self, pid: int) -> CommandEnded | None:
        """Ask once for a command that `run` left running; None while it runs.

        Calls GET …/agent/exec-status. Privileges: as for `run`. Since 7.4.

        See `GuestAgent.result`.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere.
        """
        return await self._client.run(agent.result_of(self._client.session, self._vmid, pid))

    async def answers(self) -> bool:
        """Say whether the agent answers (POST …/agent/ping).

        Privileges: VM.GuestAgent.Audit; VM.Monitor before PVE 9. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere.
        """
        return await self._client.run(agent.answers(self._client.session, self._vmid))

    async def wait(self, timeout: float = START_TIMEOUT) -> bool:
        """Wait until it answers, as after a start; False where time is over first.

        Calls POST …/agent/ping. Privileges: as for `answers`. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere.
        """
        flow = agent.wait_until_it_answers(self._client.session, self._vmid, timeout)
        return await self._client.run(flow)

    def __repr__(self) -> str:
        return f"<AsyncGuestAgent {self._vmid}>"
