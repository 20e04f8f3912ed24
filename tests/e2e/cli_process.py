"""The real `pmpc`, run as a process."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs

PMPC = str(Path(sys.executable).with_name("pmpc"))


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


def on_terminal(environ: Mapping[str, str], *words: str, answer: str = "") -> tuple[int, str]:
    """Run a command line on a pseudo-terminal and type an answer; return code and what it showed.

    The terminal keeps what is typed until it is asked for, so the answer may come early.
    """
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [PMPC, *words], env=dict(environ), stdin=terminal, stdout=terminal, stderr=terminal
    ) as process:
        os.close(terminal)
        os.write(controller, answer.encode())
        chunks: list[bytes] = []
        while True:
            try:
                chunk = os.read(controller, 65536)
            except OSError:  # Linux says EIO when the other side is closed
                break
            if not chunk:
                break
            chunks.append(chunk)
    os.close(controller)
    return process.returncode, b"".join(chunks).decode()
