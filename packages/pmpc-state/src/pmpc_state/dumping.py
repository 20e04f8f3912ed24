"""The whole state as one document of JSON lines, from and to either kind of database.

The first line is a header: `{"format": "pmpc-state", "version": 1, "schema": "0003"}` and the
proof of the key the fingerprints were made with. Each other line is a row, `["table", {column:
value}]`, tables in an order in which what is referred to comes first; the last line is
`["end", rows]`, so that a cut-off document is noticed. Moments are integers (microseconds since
1970 UTC), documents are JSON, a missing value is null. Leases are not part of it: nobody works on
a copy. The key is not in it either; carry the key file along.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TextIO, cast

from sqlalchemy import Connection, Integer, Table, func, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError

from pmpc_state.database.moving import copy_sqlite
from pmpc_state.errors import DumpInvalid
from pmpc_state.migrations import NEWEST
from pmpc_state.schema import lease, metadata, setting
from pmpc_state.schema.types import Moment, from_micros, to_micros
from pmpc_state.state import State

FORMAT: Final = "pmpc-state"
VERSION: Final = 1
_AT_ONCE: Final = 500
_TABLES: Final = tuple(
    table for table in metadata.sorted_tables if table.name not in (lease.name, setting.name)
)


def dump(state: State, target: TextIO) -> int:
    """Write everything to a stream, as of one moment; return the number of rows.

    Syncs may go on meanwhile. Memory does not grow with the database.
    """
    rows = 0
    with state.reading_connection() as (connection, _):
        _write(target, {**_header(), "proof": _proof(connection), "id": _id(connection)})
        for table in _TABLES:
            for row in _rows(connection, table):
                _write(target, [table.name, row])
                rows += 1
    _write(target, ["end", rows])
    return rows


def load(state: State, source: Iterable[str]) -> int:
    """Fill an empty state from the lines of a dump; return the number of rows.

    Happens as a whole or not at all. The state takes over the identity of the dumped one, so it
    must be opened with the dumped one's key: fingerprints stay comparable.

    Raises:
        DumpInvalid: It is no dump, cut off, of another version, made under another key, or the
            state is not empty.
    """
    lines = iter(source)
    header = _first(lines)
    rows = 0
    try:
        with state.writing_connection() as connection:
            _require_empty(connection)
            _take_identity(connection, state, header)
            for table, batch in _batches(lines):
                connection.execute(insert(table), batch)
                rows += len(batch)
            _advance_numbers(connection)
    except (IntegrityError, DataError) as error:
        reason = str(error).partition("\n")[0]
        msg = f"cannot load this dump: its rows do not fit together: {reason}"
        raise DumpInvalid(msg) from error
    return rows


def backup(state: State, target: Path) -> None:
    """Copy a SQLite state while it is used; the copy is its owner's only.

    Raises:
        ValueError: The state is in PostgreSQL; use `pg_dump`, or `dump`.
        FileExistsError: There is a file already.
    """
    if state.path is None:
        msg = "cannot copy a PostgreSQL database: use pg_dump, or dump it as a document"
        raise ValueError(msg)
    if target.exists():
        raise FileExistsError(target)
    made = copy_sqlite(state.path, "copy")
    with closing(sqlite3.connect(made)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole by itself
    made.rename(target)


def _header() -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, "schema": NEWEST}


def _write(target: TextIO, value: object) -> None:
    target.write(json.dumps(value, separators=(",", ":"), ensure_ascii=True) + "\n")


def _setting(connection: Connection, name: str) -> str:
    query = select(setting.c.value).where(setting.c.name == name)
    return connection.execute(query).scalar_one()


def _id(connection: Connection) -> str:
    return _setting(connection, "database-id")


def _proof(connection: Connection) -> str:
    return _setting(connection, "secret-key-proof")


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    moments = {column.name for column in table.columns if isinstance(column.type, Moment)}
    query = select(table).order_by(*table.primary_key.columns)
    found = connection.execution_options(yield_per=_AT_ONCE).execute(query)
    for row in found.mappings():
        yield {
            name: to_micros(value) if name in moments and value is not None else value
            for name, value in cast("Mapping[str, Any]", row).items()
        }


def _parse(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        msg = f"cannot load line {number}: it is not JSON"
        raise DumpInvalid(msg) from error


def _first(lines: Iterator[str]) -> dict[str, Any]:
    header = _parse(next(lines, "null"), 1)
    if not isinstance(header, dict) or cast("dict[str, Any]", header).get("format") != FORMAT:
        msg = "cannot load this: it is not a dump of a pmpc state"
        raise DumpInvalid(msg)
    found = cast("dict[str, Any]", header)
    if found.get("version") != VERSION or found.get("schema") != NEWEST:
        msg = (
            f"cannot load a dump of version {found.get('version')}, tables {found.get('schema')}: "
            f"this pmpc reads version {VERSION}, tables {NEWEST}; load it with the pmpc that "
            "made it and run `pmpc state migrate` there"
        )
        raise DumpInvalid(msg)
    return found


def _require_empty(connection: Connection) -> None:
    for table in _TABLES:
        if connection.execute(select(table).limit(1)).first() is not None:
            msg = f"cannot load into a state that is not empty: it has rows in {table.name}"
            raise DumpInvalid(msg)


def _take_identity(connection: Connection, state: State, header: Mapping[str, Any]) -> None:
    if state.key.fingerprint(header.get("id")) != header.get("proof"):
        msg = (
            "cannot load this dump under another key: open the new state with the key file of "
            "the dumped one (copy it beside the new file, or set PMPC_STATE_KEY)"
        )
        raise DumpInvalid(msg)
    for name, value in (("database-id", "id"), ("secret-key-proof", "proof")):
        connection.execute(
            setting.update().where(setting.c.name == name).values(value=header[value])
        )


def _batches(lines: Iterator[str]) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    tables = {table.name: table for table in _TABLES}
    batch: list[dict[str, Any]] = []
    current, rows = "", 0
    for number, line in enumerate(lines, start=2):
        name, content = _line(line, number)
        if batch and (name != current or len(batch) == _AT_ONCE):
            yield tables[current], batch
            batch = []
        if name == "end":
            if content != rows:
                break
            return
        if name not in tables:
            msg = f"cannot load line {number}: there is no table {name}"
            raise DumpInvalid(msg)
        current, rows = name, rows + 1
        batch.append(_row(tables[name], content, number))
    msg = f"cannot load this dump: it is cut off or changed; {rows} rows were read"
    raise DumpInvalid(msg)


def _line(line: str, number: int) -> tuple[str, Any]:
    match _parse(line, number):
        case [str(name), content]:
            return name, content
        case _:
            pass
    msg = f"cannot load line {number}: it is not a row"
    raise DumpInvalid(msg)


def _row(table: Table, content: Any, number: int) -> dict[str, Any]:
    if not isinstance(content, dict) or set(cast("dict[str, Any]", content)) != set(
        table.columns.keys()
    ):
        msg = f"cannot load line {number}: these are not the columns of {table.name}"
        raise DumpInvalid(msg)
    row = cast("dict[str, Any]", content)
    return {
        name: from_micros(value) if isinstance(table.c[name].type, Moment) and value is not None
        else value
        for name, value in row.items()
    }  # fmt: skip


def _advance_numbers(connection: Connection) -> None:
    """Let PostgreSQL's own numbering go on after the loaded rows."""
    if connection.dialect.name != "postgresql":
        return
    for table in _TABLES:
        number = table.c.get("id")
        if number is None or not isinstance(number.type, Integer):
            continue
        last = connection.execute(select(func.max(number))).scalar()
        if last is not None:
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
                {"name": table.name, "last": last},
            )
