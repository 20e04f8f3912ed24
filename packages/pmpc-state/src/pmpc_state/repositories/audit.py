"""The audit log: who did what, in lines of which each carries the hash of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Unpack

import attrs
from sqlalchemy import Connection, func, select

from pmpc_state.canonical import SecretKey, canonical_json, content_hash, redact
from pmpc_state.database.transactions import Reading, Writing
from pmpc_state.filters import table_of
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.paging import Listing
from pmpc_state.schema import audit
from pmpc_state.schema.types import to_micros
from pmpc_state.values import AuditEntry, Choice, Page

ENTRIES: Final = table_of(AuditEntry, "lines of the audit log", ("actor", "action", "subject"))
FIRST = "0" * 64
_LOCK = 0x61756474


class AuditReader:
    """Reads and checks the audit log."""

    def __init__(self, access: Reading) -> None:
        self._access = access

    def entries(
        self,
        *,
        cluster: str | None = None,
        since: datetime | None = None,
        limit: int | None = 100,
        **choice: Unpack[Choice],
    ) -> Page[AuditEntry]:
        """Return the newest lines first.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        query = select(audit)
        if cluster is not None:
            query = query.where(audit.c.cluster == cluster)
        if since is not None:
            query = query.where(audit.c.at >= since)
        listing = Listing(ENTRIES, query, ("-seq",), lambda row: AuditEntry(**row))
        with self._access.reading() as connection:
            return listing.page(connection, limit, choice)

    def first_broken(self) -> int | None:
        """Return the number of the first line that was changed or lost, None if all is whole.

        Lines missing at the very end cannot be noticed from the log alone.
        """
        query = select(audit).order_by(audit.c.seq)
        with (
            self._access.reading() as connection,
            connection.execution_options(yield_per=1000).execute(query) as rows,
        ):
            return _first_broken(AuditEntry(*row) for row in rows)


class AuditWriter(AuditReader):
    """Appends to the audit log."""

    def __init__(self, access: Writing, clock: Clock, key: SecretKey) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock
        self._key = key

    def append(
        self,
        *,
        actor: str,
        action: str,
        subject: str,
        cluster: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """Add a line; secrets in its detail become fingerprints."""
        with self._writes.writing() as connection:
            _exclude_others(connection)
            last = connection.execute(
                select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
            ).one_or_none()
            draft = AuditEntry(
                seq=1 if last is None else last.seq + 1,
                at=self._clock(),
                cluster=cluster,
                actor=actor,
                action=action,
                subject=subject,
                detail=redact(detail or {}, self._key),
                previous=FIRST if last is None else last.hash,
                hash="",
            )
            entry = attrs.evolve(draft, hash=_hash(draft))
            connection.execute(audit.insert().values(**_columns(entry)))
        return entry


def _first_broken(entries: Iterable[AuditEntry]) -> int | None:
    previous, expected = FIRST, 1
    for entry in entries:
        if entry.seq != expected:
            return expected
        if entry.previous != previous or entry.hash != _hash(entry):
            return entry.seq
        previous, expected = entry.hash, expected + 1
    return None


def _exclude_others(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # SQLite's writers exclude each other anyway
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _columns(entry: AuditEntry) -> dict[str, Any]:
    return {column.name: getattr(entry, column.name) for column in audit.columns}


def _hash(entry: AuditEntry) -> str:
    return content_hash(
        canonical_json(
            [
                entry.seq,
                to_micros(entry.at),
                entry.cluster,
                entry.actor,
                entry.action,
                entry.subject,
                entry.detail,
                entry.previous,
            ]
        )
    )
