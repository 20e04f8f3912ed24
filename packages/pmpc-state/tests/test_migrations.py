"""Migrations: up and down with data on both databases, and no drift from the schema."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Table, create_engine, inspect, select

from pmpc_state import State, StateOutdated, migrate, migrations
from pmpc_state.database.engine import parse_url
from pmpc_state.database.moving import newest_script
from pmpc_state.database.versions import VERSION_TABLE
from pmpc_state.migrations import NEWEST
from pmpc_state.schema import metadata
from pmpc_state.schema.types import Document, Moment

LATER = {
    "0003": {"control", "condition"},
    "0004": {"reading"},
    "0005": {"series", "sample"},
    "0006": {"log_line"},
}
MOMENT = 1_795_358_400_000_000


def _value(table: Table, name: str) -> Any:
    column = table.c[name]
    if isinstance(column.type, Moment):
        return None if name == "valid_to" else MOMENT
    if isinstance(column.type, Document):
        return None if name == "applied" else "{}"
    kind = column.type.python_type
    return {int: 1, bool: True, str: name, float: 1.0}[kind]


def _fill(url: str) -> None:
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            columns = {name: _value(table, name) for name in table.c.keys()}  # noqa: SIM118
            for key in table.foreign_keys:
                target = key.column
                columns[key.parent.name] = _value(target.table, target.name)
            names = ", ".join(f'"{name}"' for name in columns)
            marks = ", ".join(f":{name}" for name in columns)
            connection.exec_driver_sql(
                *_driver_form(connection.dialect.name, table.name, names, marks, columns)
            )
    engine.dispose()


def _driver_form(
    dialect: str, table: str, names: str, marks: str, columns: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    if dialect == "postgresql":
        marks = ", ".join(f"%({name})s" for name in columns)
    return f'INSERT INTO "{table}" ({names}) VALUES ({marks})', columns


def _tables(url: str) -> set[str]:
    engine = create_engine(parse_url(url))
    try:
        there = inspect(engine)
        return {*there.get_table_names(), *there.get_view_names()}
    finally:
        engine.dispose()


def test_up_makes_every_table_and_down_removes_it_with_its_data(empty_url: str) -> None:
    up = migrate(empty_url)
    assert (up.before, up.after) == (None, NEWEST)
    _fill(empty_url)
    engine = create_engine(parse_url(empty_url))
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            found = connection.execute(select(table)).all()
            assert len(found) == 1, table.name
    engine.dispose()
    down = migrate(empty_url, target="base")
    assert (down.before, down.after) == (NEWEST, None)
    assert _tables(empty_url) == {VERSION_TABLE}
    assert migrate(empty_url).after == NEWEST
    State.open(empty_url).close()


def test_what_came_later_goes_again_and_the_data_before_it_stays(empty_url: str) -> None:
    migrate(empty_url)
    _fill(empty_url)
    with_views = _tables(empty_url)
    assert migrate(empty_url, target="0001").after == "0001"
    first = {table.name for table in metadata.sorted_tables} - set().union(*LATER.values())
    assert _tables(empty_url) == {VERSION_TABLE, *first}
    with pytest.raises(StateOutdated, match="pmpc state migrate"):
        State.open(empty_url)
    assert migrate(empty_url).before == "0001"
    assert _tables(empty_url) == with_views
    engine = create_engine(parse_url(empty_url))
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            kept = 1 if table.name in first else 0
            assert len(connection.execute(select(table)).all()) == kept, table.name
    engine.dispose()


def test_each_step_goes_down_and_up_with_data(empty_url: str) -> None:
    """Data of tables that stay is kept by every single step, in both directions."""
    migrate(empty_url)
    _fill(empty_url)
    steps = [script.revision for script in _scripts()]
    kept = {table.name for table in metadata.sorted_tables}
    for before, after in pairwise(steps):
        down = migrate(empty_url, target=after)
        assert (down.before, down.after) == (before, after)
        kept -= LATER.get(before, set())
        assert _filled(empty_url) == kept, before
        with pytest.raises(StateOutdated, match="run `pmpc state migrate`"):
            State.open(empty_url)
    for after, before in reversed(list(pairwise(steps))):
        up = migrate(empty_url, target=after)
        assert (up.before, up.after) == (before, after)
        assert _filled(empty_url) == kept, after
    State.open(empty_url).close()


def _scripts() -> list[Script]:
    """Return the migrations, the newest first."""
    found = ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()
    return [script for script in found if script.revision]


def _filled(url: str) -> set[str]:
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        there = set(inspect(engine).get_table_names()) - {VERSION_TABLE}
        counts = {
            name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"') for name in there
        }
        found = {name for name, count in counts.items() if count.scalar_one()}
    engine.dispose()
    return found


def test_the_newest_version_is_that_of_the_last_migration() -> None:
    assert newest_script() == NEWEST


def test_migrating_again_does_nothing(empty_url: str) -> None:
    migrate(empty_url)
    again = migrate(empty_url)
    assert again.before == again.after == NEWEST
    assert again.backup is None


def test_autogenerate_finds_no_difference(url: str) -> None:
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_sqlite_file_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with State.open(f"sqlite:///{path}") as state:
        state.writer().clusters.ensure("lab")
    moved = migrate(f"sqlite:///{path}", target="base")
    assert moved.backup is not None
    assert moved.backup.stat().st_mode & 0o077 == 0
    copy = sqlite3.connect(moved.backup)
    assert copy.execute("SELECT name FROM cluster").fetchall() == [("lab",)]
    copy.close()


def test_column_names_are_the_same_on_both_databases(url: str) -> None:
    engine = create_engine(parse_url(url))
    there = inspect(engine)
    for table in metadata.sorted_tables:
        names = {column["name"] for column in there.get_columns(table.name)}
        assert names == set(table.c.keys()), table.name
    engine.dispose()
