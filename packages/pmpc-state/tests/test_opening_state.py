"""Opening a database: what is made, what is refused, and what the refusal says."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pmpc_state import (
    SecretKey,
    SecretKeyProblem,
    State,
    StateMissing,
    StateOutdated,
    StateTooNew,
    StateUnreachable,
    StateUrlInvalid,
    migrate,
)
from pmpc_state.database.versions import VERSION_TABLE


def _set_version(url: str, version: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :v"), {"v": version})
    engine.dispose()


def test_an_empty_database_gets_its_tables(empty_url: str) -> None:
    with State.open(empty_url) as state:
        assert state.reader().clusters.list() == ()


def test_a_database_opens_again_with_what_it_holds(empty_url: str) -> None:
    with State.open(empty_url) as state:
        state.writer().clusters.ensure("lab")
        mark = state.fingerprint("secret")
    with State.open(empty_url) as again:
        assert [cluster.name for cluster in again.reader().clusters.list()] == ["lab"]
        assert again.fingerprint("secret") == mark


def test_a_newer_database_is_refused_and_says_to_upgrade(url: str) -> None:
    _set_version(url, "9999")
    with pytest.raises(StateTooNew, match="upgrade pmpc"):
        State.open(url)
    with pytest.raises(StateTooNew, match="upgrade pmpc"):
        migrate(url)


def test_an_older_database_is_refused_and_says_to_migrate(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmpc_state.database.versions.NEWEST", "9999")
    with pytest.raises(StateOutdated, match="pmpc state migrate"):
        State.open(url)


def test_a_refused_database_is_not_touched(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    _set_version(f"sqlite:///{path}", "9999")
    with sqlite3.connect(path) as before:
        dump = list(before.iterdump())
    with pytest.raises(StateTooNew):
        State.open(f"sqlite:///{path}")
    with sqlite3.connect(path) as after:
        assert list(after.iterdump()) == dump
    before.close()
    after.close()


def test_the_file_and_its_key_are_the_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.sqlite"
    old = os.umask(0)
    try:
        State.open(f"sqlite:///{path}").close()
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.with_name("state.sqlite.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_missing_file_is_not_made_unless_wanted(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    with pytest.raises(StateMissing, match="no such file"):
        State.open(f"sqlite:///{path}", create=False)
    assert not path.exists()


@pytest.mark.parametrize(
    "bad",
    ["mysql://h/d", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x/y?uri=true", "not a url"],
)
def test_other_urls_are_refused_and_nothing_is_made(
    bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StateUrlInvalid, match="sqlite:///path/to/file"):
        State.open(bad)
    with pytest.raises(StateUrlInvalid):
        migrate(bad)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.write_text("this is a letter to my grandmother, and not at all a database\n" * 40)
    with pytest.raises(StateUnreachable, match="not a database"):
        State.open(f"sqlite:///{path}")


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StateUnreachable) as caught:
        State.open("postgresql+psycopg://me:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    State.open(f"sqlite:///{path}").close()
    key = tmp_path / "state.sqlite.key"
    key.chmod(0o644)
    with pytest.raises(SecretKeyProblem, match="chmod 600"):
        State.open(f"sqlite:///{path}")


def test_a_lost_key_is_not_replaced_silently(empty_url: str, tmp_path: Path) -> None:
    State.open(empty_url).close()
    for found in tmp_path.rglob("*.key"):
        found.unlink()
    with pytest.raises(SecretKeyProblem, match="copy the key file"):
        State.open(empty_url)


def test_another_databases_key_is_noticed(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with State.open(empty_url) as state:
        state.writer().clusters.ensure("lab")
    monkeypatch.setenv("PMPC_STATE_KEY", SecretKey.generate().to_text())
    with pytest.raises(SecretKeyProblem, match="belongs to another state"):
        State.open(empty_url)


def test_a_database_that_holds_nothing_yet_takes_another_key(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who loads a dump brings its key, perhaps after a first try without."""
    State.open(empty_url).close()
    key = SecretKey.generate()
    monkeypatch.setenv("PMPC_STATE_KEY", key.to_text())
    with State.open(empty_url) as state:
        assert state.key == key
        state.writer().clusters.ensure("lab")
    with pytest.raises(SecretKeyProblem), State.open(empty_url, secret_key=SecretKey.generate()):
        pass
    State.open(empty_url).close()


def test_a_key_from_the_environment_needs_no_file(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMPC_STATE_KEY", SecretKey.generate().to_text())
    State.open(empty_url).close()
    State.open(empty_url).close()
    assert list(tmp_path.rglob("*.key")) == []


def test_a_key_that_is_none_is_refused(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMPC_STATE_KEY", "abc")
    with pytest.raises(SecretKeyProblem, match="PMPC_STATE_KEY"):
        State.open(empty_url)


def test_neither_the_key_nor_a_password_shows_in_a_repr(tmp_path: Path) -> None:
    key = SecretKey.generate()
    assert key.to_text() not in repr(key)
    with State.open(f"sqlite:///{tmp_path / 's.sqlite'}", secret_key=key) as state:
        assert key.to_text() not in repr(state)


def test_a_locked_database_says_so_and_is_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmpc_state.database.engine.BUSY_SECONDS", 0.05)
    path = tmp_path / "state.sqlite"
    with State.open(f"sqlite:///{path}") as state:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateUnreachable, match="database is locked"):
            state.writer().clusters.ensure("lab")
        assert state.reader().clusters.list() == ()  # readers do not wait for writers
        other.execute("ROLLBACK")
        other.close()
        state.writer().clusters.ensure("lab")
