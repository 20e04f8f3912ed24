"""Names of lease holders, and whether a holder on this machine is known to be gone.

A crash leaves its lease behind. Where the holder was a process of this machine that does not run
any more, the next one need not wait for the lease to expire.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_process() -> str:
    """Return a name for this process: host, process-id space, process id and start time."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{_space()}:{pid}:{_started(pid)}"


def is_dead(holder: str) -> bool:
    """Say whether a holder is certainly gone: a process of this very machine that has ended."""
    parts = holder.split(":")
    if len(parts) != 4 or not parts[2].isdigit():
        return False
    host, space, pid, started = parts
    if host != socket.gethostname() or not space or space != _space():
        return False
    return _started(int(pid)) != started


def _space() -> str:
    """Name the process-id space: the boot and the namespace; empty where there is no /proc."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return ""
    return f"{boot}-{namespace}"


def _started(pid: int) -> str:
    """Return when a process started, in kernel ticks; empty if it is not there (or a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    after_name = fields.rpartition(")")[2].split()
    return "" if after_name[0] in "ZX" else after_name[19]
