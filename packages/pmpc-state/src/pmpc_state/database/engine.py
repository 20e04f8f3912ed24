"""Engines: one URL in, one SQLAlchemy engine with our rules set out."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pmpc_state.errors import StateMissing, StateUrlInvalid

WRITES: Final = "pmpc_writes"
"""Execution option of a connection whose transaction will write."""
READS: Final = "pmpc_reads"
"""Execution option of a connection whose transaction must not write."""

BUSY_SECONDS: Final = 30
"""How long to wait for another writer of a SQLite file, unless its URL says `?timeout=…`."""
_FORMS: Final = "use sqlite:///path/to/file or postgresql+psycopg://user@host/database"


def parse_url(url: str) -> URL:
    """Read a state URL.

    Raises:
        StateUrlInvalid: It is neither a SQLite file nor a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        msg = f"cannot open the state: this is not a database URL; {_FORMS}"
        raise StateUrlInvalid(msg) from error
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    shown = parsed.render_as_string(hide_password=True)
    if parsed.drivername == "postgresql+psycopg":
        return parsed
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        msg = f"cannot open {shown}: {parsed.drivername} is not supported; {_FORMS}"
        raise StateUrlInvalid(msg)
    if parsed.database in (None, "", ":memory:"):
        msg = f"cannot open {shown}: the state lives in a file, not in memory; {_FORMS}"
        raise StateUrlInvalid(msg)
    if (parsed.database or "").startswith("file:"):
        msg = f"cannot open {shown}: SQLite's own file: URLs hide where the file is; {_FORMS}"
        raise StateUrlInvalid(msg)
    return parsed


def sqlite_path(url: URL) -> Path | None:
    """Return the file of a SQLite URL, None for PostgreSQL."""
    if not url.drivername.startswith("sqlite"):
        return None
    return Path(url.database or "").expanduser()


def make_engine(url: URL, *, create: bool) -> Engine:
    """Build the engine; for SQLite make the file first, readable by its owner only.

    Raises:
        StateMissing: The SQLite file is not there and `create` is false.
    """
    path = sqlite_path(url)
    if path is None:
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    if not path.exists():
        if not create:
            msg = f"cannot open {path}: there is no such file; `pmpc sync` makes it"
            raise StateMissing(msg)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    patient = url.set(database=str(path)).update_query_dict(
        {"timeout": url.query.get("timeout", str(BUSY_SECONDS))}
    )
    engine = create_engine(patient, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we begin ourselves: the driver would begin too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # the journal must survive a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    # A deferred transaction that later writes can fail at once with "database is locked", however
    # long the time-out: so writers say at the start that they are writers.
    reads = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
