"""Running commands inside a virtual machine through its QEMU guest agent.

PVE passes bytes in and out as text with one character per byte: what a program writes in UTF-8
comes back with each byte as a character of its own, and a character beyond U+00FF in the input
would be a 500. Both are undone here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from proxmox_client.errors import AgentNotRunning, NotFound, RequestInvalid
from proxmox_client.flows.call import Session
from proxmox_client.flows.effects import Flow, now, sleep
from proxmox_client.flows.guests import ask_guest, is_elsewhere
from proxmox_client.values.command import CommandEnded, CommandLost, CommandResult, CommandRunning

INPUT_LIMIT: Final = 65536
"""PVE takes no more bytes as standard input."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_OPERATION: Final = "nodes.qemu.agent.exec.post"


def run(
    session: Session, vmid: int, command: Sequence[str], *, stdin: str | bytes, timeout: float
) -> Flow[CommandResult]:
    """Run a command and wait for its end (POST …/agent/exec, GET …/agent/exec-status).

    Args:
        session: Who asks.
        vmid: The machine.
        command: The program and its arguments; no shell reads them.
        stdin: What it gets as standard input.
        timeout: Seconds to wait for its end.

    Raises:
        RequestInvalid: The command is a single text, empty, or its input too long.
        AgentNotRunning: No agent answers.
        AmbiguousWrite: Nobody said whether the command was started; it is not started again.
        ApiError: As everywhere.
    """
    params = _exec_params(command, stdin)
    started = yield from now()
    data: Any = yield from ask_guest(session, vmid, "POST", "/agent/exec", params)
    pid = int(data["pid"])
    pause = _FIRST_PAUSE
    while True:
        result = yield from _look(session, vmid, pid)
        if result is not None:
            return result
        waited = (yield from now()) - started
        if waited >= timeout:
            return CommandRunning(pid, waited)
        yield from sleep(min(pause, timeout - waited))
        pause = min(_LONGEST_PAUSE, pause * 1.5)


def result_of(session: Session, vmid: int, pid: int) -> Flow[CommandEnded | None]:
    """Ask once for a command that was started before; None while it runs.

    The agent hands out the end of a command once and then forgets it.
    """
    data: Any = yield from ask_guest(session, vmid, "GET", "/agent/exec-status", {"pid": pid})
    return _read(pid, data)


def answers(session: Session, vmid: int) -> Flow[bool]:
    """Say whether the agent answers (POST …/agent/ping)."""
    try:
        yield from ask_guest(session, vmid, "POST", "/agent/ping", {})
    except AgentNotRunning:
        return False
    return True


def wait_until_it_answers(session: Session, vmid: int, timeout: float) -> Flow[bool]:
    """Wait for the agent after a start; False where time is over first."""
    started = yield from now()
    while not (yield from answers(session, vmid)):
        if (yield from now()) - started + _LONGEST_PAUSE > timeout:
            return False
        yield from sleep(_LONGEST_PAUSE)
    return True


def _exec_params(command: Sequence[str], stdin: str | bytes) -> Mapping[str, object]:
    if isinstance(command, str) or not command:
        why = "give the program and its arguments one by one, such as ['ls', '-l', '/etc']"
        raise RequestInvalid(_OPERATION, why)
    data = stdin.encode() if isinstance(stdin, str) else stdin
    if len(data) > INPUT_LIMIT:
        why = f"PVE takes {INPUT_LIMIT} bytes of standard input, these are {len(data)}"
        raise RequestInvalid(_OPERATION, why)
    return {"command": list(command), "input-data": data.decode("latin-1") or None}


def _look(session: Session, vmid: int, pid: int) -> Flow[CommandEnded | CommandLost | None]:
    """Ask for the command; an agent that is busy for a moment is no reason to lose it."""
    try:
        try:
            return (yield from result_of(session, vmid, pid))
        except AgentNotRunning:
            return (yield from result_of(session, vmid, pid))
    except NotFound as error:
        if is_elsewhere(error):
            raise
        return CommandLost(pid, error.reason)


def _read(pid: int, data: Mapping[str, Any]) -> CommandEnded | None:
    if not int(data.get("exited") or 0):
        return None
    code, signal = data.get("exitcode"), data.get("signal")
    return CommandEnded(
        pid,
        None if code is None else int(code),
        None if signal is None else int(signal),
        _bytes(data.get("out-data")),
        _bytes(data.get("err-data")),
        bool(int(data.get("out-truncated") or 0)),
        bool(int(data.get("err-truncated") or 0)),
    )


def _bytes(text: object) -> bytes:
    shown = str(text or "")
    try:
        return shown.encode("latin-1")
    except UnicodeEncodeError:  # whoever answers does not do as PVE does
        return shown.encode()
