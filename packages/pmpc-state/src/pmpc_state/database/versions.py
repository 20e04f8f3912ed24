"""Versions of the database: which one it is, whether we may use it, how it moves to another."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from pmpc_state.database.engine import WRITES, make_engine, parse_url, sqlite_path
from pmpc_state.errors import StateError, StateOutdated, StateTooNew, StateUnreachable

VERSION_TABLE: Final = "pmpc_state_version"
_ADVISORY_LOCK: Final = 0x706D7063


@attrs.frozen
class Migration:
    """What `migrate` did.

    Attributes:
        before: Version the database had, None if it was empty.
        after: Version it has now.
        backup: Copy of the SQLite file as it was before, None if nothing changed or PostgreSQL.
    """

    before: str | None
    after: str | None
    backup: Path | None


def newest_version() -> str:
    """Return the version of the database this code works with."""
    head = _scripts().get_current_head()
    if head is None:
        msg = "cannot find the migrations of pmpc-state: the installation is damaged, reinstall it"
        raise StateError(msg)
    return head


def current_version(connection: Connection) -> str | None:
    """Return the version of a database, None if it holds no state yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def prepare(engine: Engine) -> None:
    """Bring an empty database to the newest version, and check the version of any other.

    Raises:
        StateOutdated: The database is older than the code.
        StateTooNew: The database is newer than the code.
        StateUnreachable: The database cannot be opened.
    """
    with reachable(engine), engine.connect() as connection, connection.begin():
        version = current_version(connection)
    if version is None:
        with reachable(engine):
            _move(engine, "head", only_if_empty=True)
        return
    check(engine, version)


def check(engine: Engine, version: str) -> None:
    """Refuse a version other than the newest.

    Raises:
        StateOutdated: It is an earlier one.
        StateTooNew: This code has never heard of it.
    """
    newest = newest_version()
    if version == newest:
        return
    where = engine.url.render_as_string(hide_password=True)
    if not _is_known(version):
        raise StateTooNew(
            f"cannot open {where}: it has version {version}, which a newer pmpc wrote (this one "
            f"knows up to {newest}); upgrade pmpc: `pip install --upgrade pmpc-cli`"
        )
    raise StateOutdated(
        f"cannot open {where}: it has version {version}, this pmpc works with {newest}; "
        "run `pmpc state migrate`"
    )


def migrate(url: str, *, target: str = "head") -> Migration:
    """Move a database to a version, by default the newest; on SQLite copy the file first.

    The whole move is one transaction: it happens or it does not.

    Raises:
        StateTooNew: The database is newer than the code.
        StateUnreachable: The database cannot be opened.
    """
    parsed = parse_url(url)
    engine = make_engine(parsed, create=True)
    try:
        with reachable(engine), engine.connect() as connection, connection.begin():
            before = current_version(connection)
        if before is not None and not _is_known(before):
            check(engine, before)
        goal = newest_version() if target == "head" else target
        backup = None
        if before == goal:
            return Migration(before, before, None)
        path = sqlite_path(parsed)
        if path is not None and before is not None:
            backup = copy_sqlite(path, f"before-{goal}" if goal != "base" else "before-empty")
        with reachable(engine):
            _move(engine, target)
        with engine.connect() as connection, connection.begin():
            after = current_version(connection)
    finally:
        engine.dispose()
    return Migration(before, after, backup)


def copy_sqlite(path: Path, label: str) -> Path:
    """Copy a SQLite database while others may use it; the copy is its owner's only."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = path.with_name(f"{path.name}.{label}-{stamp}.backup")
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


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


def _move(engine: Engine, target: str, *, only_if_empty: bool = False) -> None:
    config = _config()
    with engine.connect() as plain:
        connection = plain.execution_options(**{WRITES: True})
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK}
                )
            before = current_version(connection)
            if only_if_empty and before is not None:
                return  # somebody else made it while we waited
            config.attributes["connection"] = connection
            if target == "base" or (before is not None and _is_older(target, before)):
                command.downgrade(config, target)
            else:
                command.upgrade(config, target)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "pmpc_state:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _is_known(version: str) -> bool:
    try:
        _scripts().get_revision(version)
    except CommandError:
        return False
    return True


def _is_older(target: str, than: str) -> bool:
    if target == "head":
        return False
    earlier = {script.revision for script in _scripts().iterate_revisions(than, "base")}
    return target in earlier and target != than
