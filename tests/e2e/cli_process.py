"""The real `pmpc`, run as a process."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs

PMPC = str(Path(sys.executable).with_name("pmpc"))
PATIENCE = 30.0
"""Seconds without output after which a command on a terminal counts as stuck."""
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Make the pseudo-terminal the process's own, so that its Ctrl-C reaches it."""


@attrs.frozen
class Done:
    """How a command ended.

    Attributes:
        code: Its exit code.
        out: What it answered.
        err: What it said on the way.
    """

    code: int
    out: str
    err: str


def pmpc(environ: Mapping[str, str], *words: str, stdin: str = "") -> Done:
    """Run a command line without a terminal; a traceback is never acceptable."""
    done = subprocess.run(
        [PMPC, *words],
        env=dict(environ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def succeed(environ: Mapping[str, str], *words: str, stdin: str = "") -> Done:
    """Run a command line that must end well."""
    done = pmpc(environ, *words, stdin=stdin)
    assert done.code == 0, f"pmpc {' '.join(words)}: {done.code}\n{done.out}\n{done.err}"
    return done


def unread(environ: Mapping[str, str], *words: str) -> int:
    """Run a command line whose reader is gone, as with `2>&1 | head`; return its exit code."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [PMPC, *words],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            timeout=120,
        ).returncode
    finally:
        os.close(writer)


def on_terminal(
    environ: Mapping[str, str], *words: str, answer: str = "", asked: str = ""
) -> tuple[int, str]:
    """Run a command line on a pseudo-terminal and type an answer; return code and what it showed.

    Args:
        environ: Its environment.
        words: The command line without `pmpc`.
        answer: What to type; `^C` and `^D` are "\\x03" and "\\x04".
        asked: Type only once this was shown; control characters act at once, and a prompt for a
            secret throws away what was typed before it.
    """
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", _TAKE_TERMINAL, PMPC, *words],
        env=dict(environ),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        try:
            shown = _converse(controller, answer.encode(), asked.encode())
            process.wait(PATIENCE)
        finally:
            process.kill()
    os.close(controller)
    return process.returncode, shown.decode()


def _converse(controller: int, answer: bytes, asked: bytes) -> bytes:
    shown = b""
    typed = False
    while True:
        if not typed and asked in shown:
            os.write(controller, answer)
            typed = True
        ready, _, _ = select.select([controller], [], [], PATIENCE)
        assert ready, f"nothing more came for {PATIENCE} s after: {shown.decode()}"
        try:
            chunk = os.read(controller, 65536)
        except OSError:  # Linux says EIO when the other side is closed
            return shown
        if not chunk:
            return shown
        shown += chunk
