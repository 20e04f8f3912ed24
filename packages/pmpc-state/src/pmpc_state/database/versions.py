"""Versions of the database: which one it is, and whether we may use it."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from pmpc_state.errors import StateOutdated, StateTooNew, StateUnreachable
from pmpc_state.migrations import NEWEST

VERSION_TABLE: Final = "pmpc_state_version"


def current_version(connection: Connection) -> str | None:
    """Return the version of a database, None if it holds no state yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    version: str | None = found.scalar()
    return version


def prepare(engine: Engine) -> None:
    """Bring an empty database to the newest version, and check the version of any other.

    Raises:
        StateOutdated: The database is older than the code.
        StateTooNew: The database is newer than the code.
        StateUnreachable: The database cannot be opened.
    """
    with reachable(engine), engine.connect() as connection, connection.begin():
        version = current_version(connection)
    if version is not None:
        check(engine, version)
        return
    # Alembic takes a third of the time it takes to open a database: only where it is needed.
    from pmpc_state.database.moving import move

    with reachable(engine):
        move(engine, "head", only_if_empty=True)


def check(engine: Engine, version: str) -> None:
    """Refuse a version other than the newest.

    Raises:
        StateOutdated: It is an earlier one.
        StateTooNew: This code has never heard of it.
    """
    if version == NEWEST:
        return
    from pmpc_state.database.moving import is_known

    where = engine.url.render_as_string(hide_password=True)
    if not is_known(version):
        raise StateTooNew(
            f"cannot open {where}: it has version {version}, which a newer pmpc wrote (this one "
            f"knows up to {NEWEST}); upgrade pmpc: `pip install --upgrade pmpc-cli`"
        )
    raise StateOutdated(
        f"cannot open {where}: it has version {version}, this pmpc works with {NEWEST}; "
        "run `pmpc state migrate`"
    )


@contextlib.contextmanager
def reachable(engine: Engine) -> Generator[None, None, None]:
    """Turn a database that cannot be opened into an error for people."""
    try:
        yield
    except DBAPIError as error:
        where = engine.url.render_as_string(hide_password=True)
        reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else error
        msg = f"cannot open {where}: {reason}"
        raise StateUnreachable(msg) from error
