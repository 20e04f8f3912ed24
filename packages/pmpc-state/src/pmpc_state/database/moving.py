"""Moving a database from one version to another: Alembic behind two functions."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Engine, text

from pmpc_state.database.complaints import explained
from pmpc_state.database.engine import WRITES, make_engine, parse_url, sqlite_path
from pmpc_state.database.versions import check, current_version
from pmpc_state.migrations import NEWEST

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
        with explained(engine, "open"), engine.connect() as connection, connection.begin():
            before = current_version(connection)
        if before is not None and not is_known(before):
            check(engine, before)
        goal = NEWEST if target == "head" else target
        backup = None
        if before == goal:
            return Migration(before, before, None)
        path = sqlite_path(parsed)
        if path is not None and before is not None:
            backup = copy_sqlite(path, f"before-{goal}" if goal != "base" else "before-empty")
        with explained(engine, "open"):
            move(engine, target)
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


def move(engine: Engine, target: str, *, only_if_empty: bool = False) -> None:
    """Run the migrations towards a version in one transaction, one process at a time."""
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


def newest_script() -> str | None:
    """Return the name of the last migration there is."""
    return _scripts().get_current_head()


def is_known(version: str) -> bool:
    """Say whether this code has a migration of that name."""
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
