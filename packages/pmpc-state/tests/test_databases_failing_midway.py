"""A database that fails while a sync writes: what was written is whole, and the next sync repairs.

Nothing is lost, nothing is invented, and the error says what, why and what to do next.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from pmpc_state import SETTINGS, SectionWritten, State, StateUnreachable, SyncEvent, SyncMode, sync
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from tests.lab.small_disk import small_disk

OTHERS = tuple(kind for kind in SETTINGS if kind != "user")
Fault = Callable[[], object]


@attrs.frozen
class Kind:
    """A way a database fails.

    Attributes:
        said: What the error says: the database's words, and what to do next.
        make: Gives what breaks the database at a URL, and mends it in the end.
    """

    said: str
    make: Callable[[str], Any]


@contextmanager
def _full_file(url: str) -> Generator[Fault, None, None]:
    """As many pages as there are when it breaks, and no more."""

    def begin(connection: Connection) -> None:
        [pages] = connection.exec_driver_sql("PRAGMA page_count").fetchone() or (0,)
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def mend(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")

    try:
        yield lambda: event.listen(Engine, "begin", begin)
    finally:
        event.remove(Engine, "begin", begin)
        event.listen(Engine, "begin", mend, once=True)


@contextmanager
def _read_only_file(_url: str) -> Generator[Fault, None, None]:
    def before(_connection: Connection, cursor: Any, statement: str, *_more: object) -> None:
        if statement.startswith("INSERT INTO observation"):
            cursor.connection.execute("PRAGMA query_only = ON")

    def mend(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = OFF")

    try:
        yield lambda: event.listen(Engine, "before_cursor_execute", before)
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.listen(Engine, "begin", mend, once=True)


@contextmanager
def _locked_file(url: str) -> Generator[Fault, None, None]:
    path = Path(url.removeprefix("sqlite:///").partition("?")[0])
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        yield lambda: other.execute("BEGIN IMMEDIATE")


def _server(state: str, words: str) -> Callable[[str], Any]:
    """Make a server answer writes as it does when its disk is full, or when it became a standby.

    PostgreSQL's own code for it comes from the server, in the middle of a transaction.
    """

    @contextmanager
    def make(url: str) -> Generator[Fault, None, None]:
        engine = create_engine(url, isolation_level="AUTOCOMMIT")

        def run(*statements: str) -> None:
            with engine.connect() as connection:
                for statement in statements:
                    connection.execute(text(statement))

        def fail() -> None:
            run(
                "CREATE OR REPLACE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"RAISE EXCEPTION '{words}' USING ERRCODE = '{state}'; END $$",
                "CREATE TRIGGER failing BEFORE INSERT ON observation EXECUTE FUNCTION fails()",
            )

        try:
            yield fail
        finally:
            run("DROP TRIGGER IF EXISTS failing ON observation", "DROP FUNCTION IF EXISTS fails()")
            engine.dispose()

    return make


@contextmanager
def _full_disk(url: str) -> Generator[Fault, None, None]:
    """Keep configurations on a small disk of their own, and fill it to the last byte."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")

    def run(*statements: str) -> None:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    with small_disk() as disk:
        place = disk / "space"
        place.mkdir()
        shutil.chown(place, "nobody")
        try:
            run(
                f"CREATE TABLESPACE small LOCATION '{place}'",
                "ALTER TABLE blob SET TABLESPACE small",
            )
            yield lambda: _fill(disk / "filler")
        finally:
            (disk / "filler").unlink(missing_ok=True)
            run("ALTER TABLE blob SET TABLESPACE pg_default", "DROP TABLESPACE IF EXISTS small")
            engine.dispose()


def _fill(path: Path) -> None:
    path.write_bytes(bytes(shutil.disk_usage(path.parent).free))


SQLITE = {
    "full": Kind("disk is full; make room", _full_file),
    "read-only": Kind("readonly database; .*not writable for this user", _read_only_file),
    "locked": Kind("database is locked; another process writes to it; wait", _locked_file),
}
POSTGRESQL = {
    "full": Kind("No space left on device; make room", _server(
        "53100", 'could not extend file "base/1/2": No space left on device'
    )),
    "really full": Kind("No space left on device; make room", _full_disk),
    "read-only": Kind("read-only transaction; the server takes no writes; is it a standby", _server(
        "25006", "cannot execute INSERT in a read-only transaction"
    )),
}  # fmt: skip
CASES = [
    *(("sqlite", kind) for kind in SQLITE.values()),
    *(("postgresql", kind) for kind in POSTGRESQL.values()),
]
NAMES = [*(f"sqlite {name}" for name in SQLITE), *(f"postgresql {name}" for name in POSTGRESQL)]


@pytest.fixture
def cluster() -> SimulatedCluster:
    simulated = SimulatedCluster(nodes=("pve1", "pve2"), seed=1)
    for vmid in range(100, 106):
        simulated.add_vm("pve1", vmid, {"name": f"vm{vmid}", "memory": 512, "scsi0": "shared:1"})
    return simulated


@pytest.fixture
def impatient(url: str, cluster: SimulatedCluster) -> Iterator[State]:
    """A state that does not wait long for a lock."""
    quick = f"{url}?timeout=0.05" if url.startswith("sqlite") else url
    with State.open(quick, now=cluster.clock.now) as opened:
        yield opened


@pytest.mark.parametrize("mode", list(SyncMode))
@pytest.mark.parametrize(("url", "kind"), CASES, indirect=["url"], ids=NAMES)
async def test_what_was_written_is_whole_and_the_next_sync_repairs(
    impatient: State, url: str, kind: Kind, mode: SyncMode, pve: AsyncClient,
    cluster: SimulatedCluster,
) -> None:  # fmt: skip
    await sync(impatient, pve, "lab", without=OTHERS)
    before = _present(impatient)
    moment = impatient.writer().snapshot("lab", "before").taken_at
    cluster.clock.advance(60)
    for vmid in range(100, 106):
        cluster.edit(vmid, description=_noise(vmid), name=f"new{vmid}")
    await pve.access.users.post(userid="eve@pve")
    cluster.clock.advance(60)

    with kind.make(url) as fail:

        def heard(told: SyncEvent) -> None:
            if isinstance(told, SectionWritten) and told.report.name == "node":
                fail()

        with pytest.raises(StateUnreachable, match=rf"^cannot use {url[:6]}.*{kind.said}"):
            await sync(impatient, pve, "lab", mode=mode, on_event=heard, without=OTHERS)
    assert _present(impatient) == before
    cluster.clock.advance(60)
    report = await sync(impatient, pve, "lab", without=OTHERS)
    assert report.complete, report.failures
    changes = {one.address: one for one in impatient.reader().diff("lab", moment)}
    assert set(changes) == {"user/eve@pve", *(f"qemu/{vmid}" for vmid in range(100, 106))}
    uids = {address: uid for address, (uid, _) in _present(impatient).items()}
    assert {address: uid for address, (uid, _) in before.items()}.items() <= uids.items()
    again = await sync(impatient, pve, "lab", without=OTHERS)
    assert (again.created, again.changed, again.vanished) == (0, 0, 0)


def _noise(seed: int) -> str:
    """Return a long text that nothing can compress."""
    return hashlib.shake_256(str(seed).encode()).hexdigest(4000)


def _present(state: State) -> dict[str, tuple[str, Any]]:
    return {one.address: (one.uid, one.config) for one in state.reader().resources("lab")}
