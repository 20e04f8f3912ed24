"""Leases with fencing tokens: who may work on something, and whether they still may."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final, Unpack

from sqlalchemy import Connection, func, select

from pmpc_state.database.transactions import Reading, Writing
from pmpc_state.errors import LeaseHeld, LeaseLost
from pmpc_state.filters import table_of
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.holders import is_dead
from pmpc_state.repositories.paging import Listing
from pmpc_state.schema import lease
from pmpc_state.values import Choice, Lease, Page

LEASES: Final = table_of(Lease, "leases", ("name", "holder"))
_NOBODY: Final = ""


def require_lease(connection: Connection, name: str, token: int) -> None:
    """Refuse to go on unless the token is the newest of its lease.

    Locks the lease's row, so that nobody can take over before this transaction ends. A lease that
    expired but was not taken by anybody is still good: nobody else wrote.

    Raises:
        LeaseLost: Somebody else took over.
    """
    newest = connection.execute(
        select(lease.c.token).where(lease.c.name == name).with_for_update()
    ).scalar()
    if newest != token:
        raise LeaseLost(name, token)


class LeaseReader:
    """Reads leases."""

    def __init__(self, access: Reading) -> None:
        self._access = access

    def get(self, name: str) -> Lease | None:
        """Return who holds a lease, or held it when it expired; None if nobody does."""
        with self._access.reading() as connection:
            found = _find(connection, name)
        return None if found is None or found.holder == _NOBODY else found

    def list(self, *, limit: int | None = None, **choice: Unpack[Choice]) -> Page[Lease]:
        """Return the leases somebody holds, or held when they expired, by name.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        query = select(lease).where(lease.c.holder != _NOBODY)
        listing = Listing(LEASES, query, ("name",), lambda row: Lease(**row))
        with self._access.reading() as connection:
            return listing.page(connection, limit, choice)


class LeaseWriter(LeaseReader):
    """Acquires, renews and releases leases."""

    def __init__(self, access: Writing, clock: Clock) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock

    def acquire(
        self,
        name: str,
        *,
        holder: str,
        seconds: float,
        abandoned: Callable[[str], bool] = is_dead,
        given_up: Collection[int] = (),
    ) -> Lease:
        """Take a lease with a new token, greater than every one before.

        Args:
            name: What to work on: `sync/lab`, `apply/lab/web`.
            holder: Who wants it, for people; `this_process()` also lets others see a crash.
            seconds: How long it lasts unless renewed.
            abandoned: Says whether a holder is known to be gone, so that waiting is pointless.
            given_up: Tokens of this lease whose holders are done with it and could not say so.

        Raises:
            LeaseHeld: Somebody else holds it and it has not expired.
        """
        with self._writes.writing() as connection:
            now = self._clock()
            _lock_name(connection, name)
            current = _find(connection, name)
            if (
                current is not None
                and _is_held(current, now)
                and current.token not in given_up
                and not abandoned(current.holder)
            ):
                raise LeaseHeld(name, current.holder, current.expires_at.isoformat())
            taken = Lease(
                name=name,
                holder=holder,
                token=1 if current is None else current.token + 1,
                acquired_at=now,
                expires_at=now + timedelta(seconds=seconds),
            )
            values = {
                "holder": taken.holder,
                "token": taken.token,
                "acquired_at": taken.acquired_at,
                "expires_at": taken.expires_at,
            }
            if current is None:
                connection.execute(lease.insert().values(name=name, **values))
            else:
                connection.execute(lease.update().where(lease.c.name == name).values(**values))
        return taken

    def renew(self, held: Lease, *, seconds: float) -> Lease:
        """Extend a lease; works after it expired too, as long as nobody else took it.

        Raises:
            LeaseLost: Somebody else took over.
        """
        with self._writes.writing() as connection:
            require_lease(connection, held.name, held.token)
            expires = self._clock() + timedelta(seconds=seconds)
            connection.execute(
                lease.update().where(lease.c.name == held.name).values(expires_at=expires)
            )
        return Lease(held.name, held.holder, held.token, held.acquired_at, expires)

    def release(self, held: Lease) -> None:
        """Give a lease back; does nothing if somebody else took over already."""
        with self._writes.writing() as connection:
            connection.execute(
                lease.update()
                .where(lease.c.name == held.name, lease.c.token == held.token)
                .values(holder=_NOBODY)
            )

    def check(self, held: Lease) -> None:
        """Refuse to go on unless the lease is still ours; inside a transaction, keeps it so.

        Raises:
            LeaseLost: Somebody else took over.
        """
        with self._writes.writing() as connection:
            require_lease(connection, held.name, held.token)


def _is_held(current: Lease, now: datetime) -> bool:
    return current.holder != _NOBODY and current.expires_at > now


def _find(connection: Connection, name: str) -> Lease | None:
    row = connection.execute(select(lease).where(lease.c.name == name)).one_or_none()
    return None if row is None else Lease(*row)


def _lock_name(connection: Connection, name: str) -> None:
    # SQLite's writers exclude each other anyway. PostgreSQL can only lock a row that exists, so
    # two first takers of a name queue up at a lock on the name instead.
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("lease:" + name))))
        connection.execute(select(lease.c.name).where(lease.c.name == name).with_for_update())
