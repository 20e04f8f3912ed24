"""Exit codes of `pmpc`, the same for every command."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """What the exit status of the process says."""

    OK = 0
    """Done, or nothing to do."""
    ERROR = 1
    """The command could not do its work."""
    USAGE = 2
    """Wrong command line or invalid manifests; nothing was contacted or changed."""
    CHANGES = 3
    """The plan has changes (only with `--detailed-exitcode`)."""
    CONFLICTS = 4
    """Somebody else changed what the manifests declare; nothing was written."""
    PARTIAL = 5
    """Some steps of an apply failed; the rest is done and recorded."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C."""


EPILOGUE = """Exit codes:
  0  done, or nothing to do
  1  error
  2  wrong command line or invalid manifests
  3  the plan has changes (with --detailed-exitcode)
  4  conflicts with somebody else's changes
  5  some steps of an apply failed"""
