"""History at scale, on both databases: size, the past, differences, lists; fifty thousand rows."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from pmpc_state import State, backup
from pmpc_state.testing import Recorder
from proxmox_client.testing.clock import VirtualClock
from tests.bench.measure import Row, fastest
from tests.lab.postgres import running_postgres

RECORDED = 2_000
"""Guests of the hundred snapshots; the ratios do not depend on it, the time to make them does."""
SNAPSHOTS = 100
MANY = 50_000
REPEATS = 5


def rows() -> Iterator[Row]:
    """Measure on SQLite and on PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        yield from _snapshots(f"sqlite:///{path / 'snapshots.sqlite'}", path, "SQLite")
        yield from _many(f"sqlite:///{path / 'many.sqlite'}", "SQLite")
    with running_postgres() as server:
        with tempfile.TemporaryDirectory() as folder:
            yield from _snapshots(server.url("state"), Path(folder), "PostgreSQL")
        server.empty("state")
        yield from _many(server.url("state"), "PostgreSQL")


def _guest(number: int, memory: int) -> dict[str, Any]:
    return {
        "name": f"guest-{number}.example",
        "memory": memory,
        "cores": 4,
        "sockets": 1,
        "ostype": "l26",
        "scsihw": "virtio-scsi-single",
        "scsi0": f"local-lvm:vm-{number}-disk-0,discard=on,iothread=1,size=32G",
        "net0": f"virtio=BC:24:11:00:{number // 256:02X}:{number % 256:02X},bridge=vmbr0,tag=20",
        "smbios1": f"uuid=00000000-0000-4000-8000-{number:012}",
        "tags": "prod;web",
    }


def _snapshots(
    url: str, folder: Path, on: str, guests: int = RECORDED, count: int = SNAPSHOTS
) -> Iterator[Row]:
    """Take snapshots with 1 % change between them; the naive design keeps a full copy of each."""
    clock, naive = VirtualClock(), _FullCopies(folder / "naive.sqlite")
    there = {str(100 + number): _guest(number, 512) for number in range(guests)}
    moments: list[datetime] = []
    sizes: list[int] = []
    with State.open(url, now=clock.now) as state:
        recorder = Recorder(state)
        for turn in range(count):
            for number in range(turn % 100, guests, 100):
                there[str(100 + number)] = _guest(number, 1024 + turn)
            recorder.look("qemu", there, cluster="bench")
            moments.append(state.writer().snapshot("bench", str(turn)).taken_at)
            naive.keep(str(turn), there)
            clock.advance(3600)
            if turn in (0, count - 1):
                sizes.append(_size(state, url, folder / f"copy-{turn}.sqlite"))
        yield Row(f"{on}: size of {count} snapshots with 1 % change / size of one",
                  sizes[1] / 1024, sizes[0] / 1024, "KiB", 2.5, "lower")  # fmt: skip
        yield Row(f"{on}: size of {count} snapshots / full copies of the cluster",
                  sizes[1] / 1024, naive.size() / 1024, "KiB", 0.1, "lower")  # fmt: skip
        yield from _questions(state, moments, naive, on)
    naive.close()


def _questions(state: State, moments: list[datetime], naive: _FullCopies, on: str) -> Iterator[Row]:
    reader, middle = state.reader(), moments[len(moments) // 2]
    last, before = str(len(moments) - 1), str(len(moments) - 2)
    past, listed, changed, copied, compared = fastest(
        [
            lambda: reader.at("bench", middle),
            lambda: reader.find("bench", "config.memory>1G or name~guest-7", limit=50),
            lambda: reader.diff("bench", moments[-2], moments[-1]),
            lambda: naive.read(before),
            lambda: naive.compare(before, last),
        ],
        REPEATS,
    )
    yield Row(f"{on}: the cluster in the past / reading a full copy", past, copied, "ms", 10,
              "lower")  # fmt: skip
    yield Row(f"{on}: difference of two snapshots / comparing full copies", changed, compared,
              "ms", 1, "lower")  # fmt: skip
    yield Row(f"{on}: a filtered page of 50 / the cluster in the past", listed, past, "ms", 1,
              "lower")  # fmt: skip


def _many(url: str, on: str, guests: int = MANY) -> Iterator[Row]:
    """Record fifty thousand guests; the peer is what the smallest sync does with them: parse."""
    clock = VirtualClock()
    there = {str(100 + number): _guest(number, 512) for number in range(guests)}
    document = json.dumps(there)
    with State.open(url, now=clock.now) as state:
        recorder = Recorder(state)
        recorder.look("qemu", there, cluster="bench")
        clock.advance(60)
        moment = state.clock()
        there["100"] = _guest(0, 4096)
        clock.advance(60)
        reader = state.reader()
        looked, paged, changed, parsed = fastest(
            [
                lambda: recorder.look("qemu", there, cluster="bench"),
                lambda: reader.find("bench", "tags has prod", sort="-config.memory", limit=50),
                lambda: reader.changes("bench", moment),
                lambda: json.loads(document),
            ],
            3,
        )
        assert len(reader.changes("bench", moment)) == 1
    label = f"{on}: {guests:,} rows:"
    yield Row(f"{label} an unchanged look / parsing them", looked, parsed, "ms", 40, "lower")
    yield Row(f"{label} a sorted page of 50 / parsing them", paged, parsed, "ms", 10, "lower")
    # About 10 ms of queries that do not grow with the rows, where parsing all takes 80.
    yield Row(f"{label} the one change / parsing them", changed, parsed, "ms", 0.25, "lower")


class _FullCopies:
    """The naive design: each snapshot is a copy of everything."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = sqlite3.connect(path)
        self._database.execute("CREATE TABLE copy (name TEXT, key TEXT, config TEXT)")
        self._database.execute("CREATE INDEX by_name ON copy (name, key)")

    def keep(self, name: str, there: dict[str, dict[str, Any]]) -> None:
        """Copy everything."""
        with self._database:
            self._database.executemany(
                "INSERT INTO copy VALUES (?, ?, ?)",
                [(name, key, json.dumps(config)) for key, config in there.items()],
            )

    def read(self, name: str) -> dict[str, dict[str, Any]]:
        """Read one copy."""
        query = "SELECT key, config FROM copy WHERE name = ?"
        return {key: json.loads(text) for key, text in self._database.execute(query, (name,))}

    def compare(self, before: str, after: str) -> list[str]:
        """Compare two copies."""
        old, new = self.read(before), self.read(after)
        return [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]

    def size(self) -> int:
        """Return the size of the file."""
        return self._path.stat().st_size

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _size(state: State, url: str, copy: Path) -> int:
    if state.path is not None:
        backup(state, copy)
        return copy.stat().st_size
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    tables = "'resource', 'blob', 'observation', 'snapshot', 'volatile'"
    with engine.connect() as connection:
        connection.execute(text("VACUUM FULL"))
        size: int = connection.execute(
            text(
                "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class "
                f"WHERE relname IN ({tables})"
            )
        ).scalar_one()
    engine.dispose()
    return size
