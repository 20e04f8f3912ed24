"""kill -9 while a section is written: whole sections of the old or the new look."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from pmpc_state import State
from pmpc_state.testing import Recorder

# Kills itself, as nobody can handle, right after the n-th statement that writes a look.
_PROGRAM = """
import os, signal, sys
from sqlalchemy import event
from pmpc_state import State, this_process
from pmpc_state.values.inventory import ObservedItem, Section

url, limit = sys.argv[1], int(sys.argv[2])
items = tuple(ObservedItem("qemu", str(n), {"config": {"memory": 2}}, node="pve2") for n in range(50, 250))
with State.open(url) as state:
    writer = state.writer()
    lease = writer.leases.acquire("sync/lab", holder=this_process(), seconds=3600)
    run = writer.observed.date(writer.observed.begin("lab", lease))
    count = 0
    def after(*_):
        global count
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(state._engine, "after_cursor_execute", after)
    gone = frozenset(str(n) for n in range(50))
    writer.observed.write_section(run, Section("qemu", items, gone=gone))
    event.remove(state._engine, "after_cursor_execute", after)
    writer.observed.finish(run, "ok")
    print(count)
"""  # noqa: E501

OLD = {str(number): {"memory": 1} for number in range(150)}
NEW = {str(number): {"memory": 2} for number in range(50, 250)}


def _run(url: str, limit: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, url, str(limit)],
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("limit", [2, 5, 8, 11, 14])
def test_a_killed_sync_leaves_the_old_look_and_the_next_repairs(
    url: str, state: State, recorder: Recorder, limit: int
) -> None:
    recorder.look("qemu", OLD)
    before = state.reader().resources("lab")
    newest = datetime.now(UTC) + timedelta(days=10_000)
    written = state.reader().at("lab", newest)
    killed = _run(url, limit)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert state.reader().resources("lab") == before
    assert state.reader().at("lab", newest) == written
    assert state.reader().runs("lab")[0].status == "running"
    done = _run(url, 0)  # takes over the lease of the dead, though it has not expired
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 14
    after = {one.key: one.config for one in state.reader().resources("lab")}
    assert after == NEW
    statuses = [run.status for run in state.reader().runs("lab")]
    assert statuses[1:] == ["failed", "ok"]
    kept = {one.key: one.uid for one in before}
    assert all(kept.get(one.key, one.uid) == one.uid for one in state.reader().resources("lab"))
