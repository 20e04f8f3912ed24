"""Dump and load between both kinds of database, and online backup."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from pmpc_state import DumpInvalid, LogLine, Sample, SecretKey, State, backup, check, dump, load
from pmpc_state.repositories.readings import record_readings
from pmpc_state.schema import lease, metadata
from pmpc_state.testing import Recorder
from proxmox_client.testing.clock import VirtualClock
from tests.lab.listed import fill

KEY = SecretKey(b"k" * 32)


@pytest.fixture
def filled(url: str, clock: VirtualClock) -> Iterator[State]:
    with State.open(url, now=clock.now, secret_key=KEY) as state:
        recorder = Recorder(state)
        recorder.look("qemu", {"100": {"name": "web", "cipassword": "x"}, "101": {"name": "db"}})
        state.writer().snapshot("lab", "first", pinned=True)
        clock.advance(60)
        recorder.look("qemu", {"100": {"name": "web-2"}})
        recorder.look("storage", {"shared": {"type": "nfs"}}, cluster="other")
        writer = state.writer()
        writer.releases.add_revision("lab", "shop", [{"kind": "Pool"}], actor="alice")
        writer.ownership.record(
            "lab", "shop", "Pool/x", kind="pool", key="x", identity={}, fields={"comment": "é"}
        )
        writer.audit.append(actor="alice", action="apply", subject="shop")
        yield state


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock) -> Iterator[State]:
    """An empty state, once per kind of database, besides the one of `url`."""
    if request.param == "sqlite":
        place = f"sqlite:///{tmp_path / 'target.sqlite'}"
    else:
        server: Any = request.getfixturevalue("postgres")
        server.execute("DROP DATABASE IF EXISTS target WITH (FORCE)")
        server.execute("CREATE DATABASE target")
        place = server.url("target")
    with State.open(place, now=clock.now, secret_key=KEY) as state:
        yield state


def _dumped(state: State) -> str:
    stream = io.StringIO()
    dump(state, stream)
    return stream.getvalue()


def test_a_dump_loads_into_either_database_and_dumps_the_same_again(
    filled: State, target: State, clock: VirtualClock
) -> None:
    document = _dumped(filled)
    rows = load(target, io.StringIO(document))
    assert rows == len(document.splitlines()) - 2
    assert _dumped(target) == document
    assert check(target) == ()
    for cluster in ("lab", "other"):
        assert target.reader().resources(cluster) == filled.reader().resources(cluster)
    first = filled.reader().find_snapshot("lab", "first")
    assert target.reader().at("lab", first.taken_at) == filled.reader().at("lab", first.taken_at)
    clock.advance(60)
    assert Recorder(target).look("qemu", {"100": {"name": "web-2"}}).history_rows == 0
    assert Recorder(target).look("qemu", {"500": {"name": "new"}}).created == 1
    target.writer().snapshot("lab", "second")
    assert check(target) == ()


def test_every_table_is_carried_over(
    filled: State, target: State, clock: VirtualClock, url: str
) -> None:
    """A table that is added must be filled here, and then is in the dump or left out on purpose."""
    _fill_the_rest(filled, clock)
    load(target, io.StringIO(_dumped(filled)))
    for table in metadata.sorted_tables:
        rows = _rows(filled, table)
        assert rows, f"nothing fills {table.name}: do so above, or its dump is not tested"
        assert _rows(target, table) == ([] if table is lease else rows), table.name


def _fill_the_rest(state: State, clock: VirtualClock) -> None:
    recorder = Recorder(state)
    fill(state, recorder, clock, range(2))
    moment = datetime.fromtimestamp(clock.now(), UTC)
    line = LogLine("pve1", moment, "1", "root@pam", "pvedaemon", 6, "update VM 100")
    recorder.look("lxc", {"200": {"hostname": "x"}}, lines=[line])
    state.writer().samples.record("lab", [Sample("lxc", "200", "cpu", moment, 0.5)])
    with state.writing_connection() as connection:
        record_readings(connection, 1, "storage", [""], moment)


def _rows(state: State, table: Table) -> list[str]:
    with state.reading_connection() as (connection, _):
        return sorted(repr(tuple(row)) for row in connection.execute(select(table)))


def test_the_key_and_leases_are_not_in_a_dump(filled: State) -> None:
    document = _dumped(filled)
    header = json.loads(document.splitlines()[0])
    assert (header["format"], header["version"]) == ("pmpc-state", 1)
    assert KEY.to_text() not in document
    assert '["lease"' not in document


def _spoilt(lines: list[str], how: str) -> list[str]:
    match how:
        case "cut off":
            return lines[:-1]
        case "a row missing":
            return [*lines[:2], *lines[3:]]
        case "no header":
            return lines[1:]
        case "nothing":
            return []
        case "another version":
            return [lines[0].replace('"version":1', '"version":2'), *lines[1:]]
        case _:
            return [lines[0], how]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("cut off", "cut off"),
        ("a row missing", "cut off or changed|do not fit together"),
        ("no header", "not a dump"),
        ("nothing", "not a dump"),
        ("another version", "version 2"),
        ("nonsense", "line 2: it is not JSON"),
        ('["nothing",{}]', "no table nothing"),
        ('["cluster",{}]', "not the columns of cluster"),
        ('{"cluster":1}', "it is not a row"),
    ],
)
def test_a_spoilt_dump_is_refused_and_loads_nothing(
    filled: State, target: State, how: str, message: str
) -> None:
    lines = _dumped(filled).splitlines(keepends=True)
    with pytest.raises(DumpInvalid, match=message):
        load(target, _spoilt(lines, how))
    assert target.reader().clusters.list() == ()


def test_a_dump_is_not_loaded_over_something_or_under_another_key(
    filled: State, tmp_path: Path
) -> None:
    lines = _dumped(filled).splitlines(keepends=True)
    with pytest.raises(DumpInvalid, match="not empty"):
        load(filled, lines)
    with (
        State.open(f"sqlite:///{tmp_path / 'other.sqlite'}") as other,
        pytest.raises(DumpInvalid, match="key file"),
    ):
        load(other, lines)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_backup_is_a_whole_file_of_its_owner(filled: State, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    backup(filled, copy)
    assert copy.stat().st_mode & 0o077 == 0
    with State.open(f"sqlite:///{copy}", secret_key=KEY) as state:
        assert state.reader().resources("lab") == filled.reader().resources("lab")
    with pytest.raises(FileExistsError):
        backup(filled, copy)
