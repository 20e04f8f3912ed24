"""A database that is locked, full, read-only or forbidden: a clear error, and nothing half done."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from pmpc_state import State, StateUnreachable
from pmpc_state.testing import Recorder

LOOK = {str(number): {"memory": number} for number in range(40)}


@contextmanager
def _ordinary_user() -> Generator[None, None, None]:
    """Be nobody for a while: root may write what is read-only."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder every user can reach and write to."""
    path = Path(tempfile.mkdtemp(prefix="pmpc-state-"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


def test_a_read_only_file_is_read_and_a_write_says_that_it_is(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMPC_STATE_KEY", "ab" * 32)
    path = open_folder / "state.sqlite"
    with State.open(f"sqlite:///{path}") as state:
        Recorder(state).look("qemu", LOOK)
        before = state.reader().resources("lab")
    path.chmod(0o444)
    with _ordinary_user(), State.open(f"sqlite:///{path}") as state:
        assert state.reader().resources("lab") == before
        with pytest.raises(StateUnreachable, match=r"readonly database; .*not writable for this"):
            Recorder(state).look("qemu", {})
        assert state.reader().resources("lab") == before


def test_a_folder_that_cannot_be_written_says_so(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMPC_STATE_KEY", "ab" * 32)
    path = open_folder / "state.sqlite"
    State.open(f"sqlite:///{path}").close()
    path.chmod(0o444)
    open_folder.chmod(0o555)
    with _ordinary_user(), pytest.raises(StateUnreachable, match=r"cannot open .*writable"):
        State.open(f"sqlite:///{path}")


def test_a_locked_file_is_waited_for_and_then_named(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    State.open(f"sqlite:///{path}").close()
    with (
        State.open(f"sqlite:///{path}?timeout=0.05") as state,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateUnreachable, match=r"database is locked; another process"):
            Recorder(state).look("qemu", LOOK)
        assert state.reader().clusters.list() == ()  # readers do not wait for writers
        other.execute("ROLLBACK")
        assert Recorder(state).look("qemu", LOOK).created == len(LOOK)


_FILLING = """
import resource, sys
from pmpc_state import State, StateUnreachable
from pmpc_state.testing import Recorder

with State.open(sys.argv[1]) as state:
    recorder = Recorder(state)
    recorder.look("qemu", {"100": {"description": "small"}})
    limit = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    big = {str(n): {"description": f"{n} " + "x" * 4000} for n in range(400)}
    try:
        recorder.look("qemu", big)
    except StateUnreachable as error:
        print(error)
        print([one.key for one in state.reader().resources("lab")])
    else:
        print("it fitted")
"""


def test_a_file_that_cannot_grow_keeps_what_was_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.sqlite'}"
    done = subprocess.run(
        [sys.executable, "-c", _FILLING, url, "700000"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    error, left = done.stdout.splitlines()
    assert error.startswith("cannot use sqlite:///")
    assert "what was written before is whole" in error
    assert left == "['100']"
    with State.open(url) as state:
        assert [one.key for one in state.reader().resources("lab")] == ["100"]
        assert Recorder(state).look("qemu", LOOK).created == len(LOOK)  # the next sync repairs
        assert {one.key for one in state.reader().resources("lab")} == set(LOOK)


def test_a_full_disk_keeps_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with State.open(f"sqlite:///{path}") as state:
        Recorder(state).look("qemu", LOOK)
        before = state.reader().resources("lab")
        with _pages_limited_to_what_there_is(path):
            big = {key: {"description": key * 3000} for key in LOOK}
            with pytest.raises(StateUnreachable, match="disk is full; make room"):
                Recorder(state).look("qemu", big)
        assert state.reader().resources("lab") == before
        assert Recorder(state).look("qemu", big).changed == len(LOOK)


@contextmanager
def _pages_limited_to_what_there_is(path: Path) -> Generator[None, None, None]:
    with closing(sqlite3.connect(path)) as other:
        [pages] = other.execute("PRAGMA page_count").fetchone()

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def lift(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")

    event.listen(Engine, "begin", limit)
    yield
    event.remove(Engine, "begin", limit)
    event.listen(Engine, "begin", lift, once=True)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_postgresql_that_takes_no_writes_says_so(url: str) -> None:
    State.open(url).close()
    with State.open(f"{url}&options=-c%20default_transaction_read_only%3Don") as state:
        assert state.reader().clusters.list() == ()
        with pytest.raises(StateUnreachable, match=r"read-only transaction; .*standby"):
            Recorder(state).look("qemu", LOOK)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_postgresql_user_without_a_privilege_is_told(url: str) -> None:
    State.open(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS onlooker"))
        connection.execute(text("CREATE ROLE onlooker LOGIN"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO onlooker"))
    try:
        with State.open(url.replace("postgres@", "onlooker@")) as state:
            assert state.reader().clusters.list() == ()
            with pytest.raises(StateUnreachable, match=r"permission denied .*; .*privilege"):
                Recorder(state).look("qemu", LOOK)
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP OWNED BY onlooker"))
            connection.execute(text("DROP ROLE onlooker"))
        engine.dispose()
