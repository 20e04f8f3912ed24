"""Versions of the database: which one it is, and whether we may use it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from pmpc_state.database.complaints import explained, place_of
from pmpc_state.errors import StateOutdated, StateTooNew
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
    with explained(engine, "open"), engine.connect() as connection, connection.begin():
        version = current_version(connection)
    if version is not None:
        check(engine, version)
        return
    # Alembic takes a third of the time it takes to open a database: only where it is needed.
    from pmpc_state.database.moving import move

    with explained(engine, "open"):
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

    where = place_of(engine)
    if not is_known(version):
        raise StateTooNew(
            f"cannot open {where}: it has version {version}, which a newer pmpc wrote (this one "
            f"knows up to {NEWEST}); upgrade pmpc: `pip install --upgrade pmpc-cli`"
        )
    raise StateOutdated(
        f"cannot open {where}: it has version {version}, this pmpc works with {NEWEST}; "
        "run `pmpc state migrate`"
    )
