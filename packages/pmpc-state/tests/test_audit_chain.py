"""The audit log: every line carries the hash of the one before."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine

from pmpc_state import State
from proxmox_client.testing.clock import VirtualClock


def _tamper(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _fill(state: State, lines: int = 4) -> None:
    for number in range(lines):
        state.writer().audit.append(
            actor="alice", action="apply", subject=f"s{number}", cluster="lab", detail={"n": number}
        )


def test_a_log_nobody_touched_is_whole(state: State) -> None:
    assert state.reader().audit.first_broken() is None
    _fill(state)
    assert state.reader().audit.first_broken() is None
    assert [entry.seq for entry in state.reader().audit.entries()] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET actor = 'bob' WHERE seq = 2", 2),
        ("UPDATE audit SET detail = '{\"n\":7}' WHERE seq = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
    ],
)
def test_a_changed_or_lost_line_is_noticed(
    url: str, state: State, statement: str, broken: int
) -> None:
    _fill(state)
    _tamper(url, statement)
    assert state.reader().audit.first_broken() == broken


def test_lines_are_found_by_cluster_and_time(state: State, clock: VirtualClock) -> None:
    _fill(state, 2)
    clock.advance(10)
    since = state.clock()
    state.writer().audit.append(actor="bob", action="login", subject="web")
    reader = state.reader().audit
    assert [entry.actor for entry in reader.entries(since=since)] == ["bob"]
    assert len(reader.entries(cluster="lab")) == 2
    assert len(reader.entries(limit=1)) == 1


def test_secrets_in_a_line_are_fingerprints(state: State) -> None:
    entry = state.writer().audit.append(
        actor="a", action="b", subject="c", detail={"password": "hunter2"}
    )
    assert entry.detail == {"password": state.fingerprint("hunter2")}
    assert state.reader().audit.first_broken() is None


def test_writers_at_once_make_one_chain(state: State) -> None:
    threads = [threading.Thread(target=_fill, args=(state, 5)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.reader().audit.first_broken() is None
    assert len(state.reader().audit.entries()) == 20
