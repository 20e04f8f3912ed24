"""What databases complain about, and what a person can do about it. Only this module reads that."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from pmpc_state.errors import StateUnreachable

_HINTS: Final = (
    ("database is locked", "another process writes to it; wait for it to finish, or stop it"),
    ("readonly database", "the file or its folder is not writable for this user"),
    ("unable to open database file", "check that its folder is there and writable for this user"),
    ("read-only transaction", "the server takes no writes; is it a standby?"),
    ("permission denied", "this database user lacks a privilege; grant it, or use the owner"),
    ("disk is full", "make room; what was written before is whole"),
    (
        "disk I/O error",
        "the file could not grow or the disk fails; what was written before is whole",
    ),
    ("no space left", "make room; what was written before is whole"),
    ("not a database", "the file is damaged or something else; restore a backup"),
    ("malformed", "the file is damaged; restore a backup"),
    ("connection", "is the server running?"),
)
_STATES: Final = frozenset({"25006", "42501", "53100"})
"""PostgreSQL: read-only transaction, insufficient privilege, disk full."""


@contextmanager
def explained(engine: Engine, doing: str) -> Generator[None, None, None]:
    """Turn a database that is down, locked, full, read-only or damaged into our error.

    Args:
        engine: Whose URL to name.
        doing: What was tried: `open` or `use`. While a database is opened every complaint of the
            driver means that it cannot be.

    Raises:
        StateUnreachable: With the database's own words and what to do next.
    """
    try:
        yield
    except DBAPIError as error:
        if doing != "open" and not _is_unusable(error):
            raise
        raise StateUnreachable(f"cannot {doing} {place_of(engine)}: {_reason(error)}") from error


def place_of(engine: Engine) -> str:
    """Return the URL of a database as people know it, without its password."""
    return engine.url.difference_update_query(["timeout"]).render_as_string(hide_password=True)


def _is_unusable(error: DBAPIError) -> bool:
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return True
    return getattr(error.orig, "sqlstate", None) in _STATES or "malformed" in str(error.orig)


def _reason(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    reason = lines[0] if lines else str(error)
    for words, hint in _HINTS:
        if words in reason.lower() or words in reason:
            return f"{reason}; {hint}"
    return reason
