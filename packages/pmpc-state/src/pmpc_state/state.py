"""The way in: open a state database and get readers and writers of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection, Engine

from pmpc_state.canonical import SecretKey
from pmpc_state.database.binding import bind_key
from pmpc_state.database.complaints import explained
from pmpc_state.database.engine import make_engine, parse_url, sqlite_path
from pmpc_state.database.transactions import Bound, Pooled
from pmpc_state.database.versions import prepare
from pmpc_state.errors import StateMissing, StateUnreachable
from pmpc_state.reader import StateReader
from pmpc_state.repositories.clock import Clock, utc_clock
from pmpc_state.values import Lease
from pmpc_state.writer import StateWriter


class State:
    """An open state database; use as a context manager or close it.

    Readers and writers are cheap views. Those of `reader()` and `writer()` make a short
    transaction of each call; `reading()` and `transaction()` make one of a whole block. All are
    safe to use from several threads, except those bound to one transaction.
    """

    def __init__(self, engine: Engine, key: SecretKey, clock: Clock) -> None:
        self._engine = engine
        self._key = key
        self._clock = clock
        self._access = Pooled(engine)
        self._given_up: dict[str, set[int]] = {}

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = True,
        now: Callable[[], float] = time.time,
        secret_key: SecretKey | None = None,
    ) -> State:
        """Open the database at a URL; an empty one gets its tables, no other is migrated.

        Args:
            url: `sqlite:///path/to/file` or `postgresql+psycopg://user@host/database`.
            create: Whether to make the SQLite file if it is not there.
            now: The clock, in seconds since 1970.
            secret_key: The key for secret fingerprints, if it is not kept where
                `pmpc_state.database.keyfile` says.

        Raises:
            StateUrlInvalid: The URL is neither of the two.
            StateMissing: There is no file and `create` is false.
            StateUnreachable: The database cannot be opened.
            StateOutdated: It is older than the code; `pmpc state migrate` brings it up.
            StateTooNew: It is newer than the code; upgrade pmpc.
            SecretKeyProblem: Its key is missing, readable by others, or another database's.
        """
        parsed = parse_url(url)
        path = sqlite_path(parsed)
        if path is not None and path.is_dir():
            msg = f"cannot open {path}: it is a directory; give the file"
            raise StateMissing(msg)
        engine = make_engine(parsed, create=create)
        try:
            prepare(engine)
            with explained(engine, "open"):
                key = bind_key(engine, path, secret_key)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, key, utc_clock(now))

    def reader(self) -> StateReader:
        """Return a reader that makes a short transaction of each call."""
        return StateReader(self._access)

    def writer(self) -> StateWriter:
        """Return a writer that makes a short transaction of each call."""
        return StateWriter(self._access, self._clock, self._key)

    @contextmanager
    def reading(self) -> Generator[StateReader, None, None]:
        """Enter a block whose reads all see the same moment of the database."""
        with self._access.reading() as connection:
            yield StateReader(Bound(connection))

    @contextmanager
    def reading_connection(self) -> Generator[tuple[Connection, Bound], None, None]:
        """Enter a block on one moment of the database, for what goes through all of its rows."""
        with self._access.reading() as connection:
            yield connection, Bound(connection)

    @contextmanager
    def writing_connection(self) -> Generator[Connection, None, None]:
        """Enter one transaction on the whole database, for loading it."""
        with self._access.writing() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Generator[StateWriter, None, None]:
        """Enter a block whose writes all happen, or none if it raises. Keep it short."""
        with self._access.writing() as connection:
            yield StateWriter(Bound(connection), self._clock, self._key)

    def give_up(self, held: Lease) -> None:
        """Give a lease back; if the database is gone, remember that nobody here holds it any more.

        A later `given_up` lets this process take it again at once. Others wait until it expires,
        and fencing holds either way: whoever takes it gets a greater token.
        """
        try:
            self.writer().leases.release(held)
        except StateUnreachable:
            self._given_up.setdefault(held.name, set()).add(held.token)
        else:
            self._given_up.pop(held.name, None)

    def given_up(self, name: str) -> frozenset[int]:
        """Return the tokens of a lease that could not be given back."""
        return frozenset(self._given_up.get(name, ()))

    def fingerprint(self, value: object) -> str:
        """Return the keyed fingerprint that stands for a secret in this database."""
        return self._key.fingerprint(value)

    @property
    def key(self) -> SecretKey:
        """The key of the fingerprints; it is never in the database nor in a dump of it."""
        return self._key

    @property
    def clock(self) -> Clock:
        """The clock this state stamps with."""
        return self._clock

    @property
    def path(self) -> Path | None:
        """The SQLite file, None for PostgreSQL."""
        return sqlite_path(self._engine.url)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> State:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"State({self._engine.url.render_as_string(hide_password=True)!r})"
