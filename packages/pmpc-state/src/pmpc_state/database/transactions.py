"""Ways to a connection: repositories ask for one and do not know whose transaction it is in.

Readers get a type that cannot write; writers get one that can do both. Pooled access makes a
short transaction of each call, bound access makes all calls one transaction.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import attrs
from sqlalchemy import Connection, Engine

from pmpc_state.database.complaints import explained
from pmpc_state.database.engine import READS, WRITES


class Reading(Protocol):
    """Gives connections to read with."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Enter a transaction that reads."""
        ...


class Writing(Reading, Protocol):
    """Gives connections to read and to write with."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Enter a transaction that may write; it is committed when the block ends well."""
        ...


@attrs.frozen
class Pooled:
    """Every block is a transaction of its own."""

    engine: Engine

    @contextmanager
    def reading(self) -> Generator[Connection, None, None]:
        """Enter a transaction whose reads all see the same moment of the database.

        The database itself refuses to write in it.
        """
        with explained(self.engine, "use"), self.engine.connect() as connection:
            if connection.dialect.name != "postgresql":
                reader = connection.execution_options(**{READS: True})
                with reader.begin():
                    yield reader
                return
            reader = connection.execution_options(isolation_level="REPEATABLE READ")
            with _read_only(reader), reader.begin():
                yield reader

    @contextmanager
    def writing(self) -> Generator[Connection, None, None]:
        """Enter a short transaction that writes."""
        with explained(self.engine, "use"), self.engine.connect() as connection:
            writer = connection.execution_options(**{WRITES: True})
            with writer.begin():
                yield writer


@contextmanager
def _read_only(connection: Connection) -> Generator[None, None, None]:
    """Let the next transactions of a PostgreSQL connection read only, without a round trip.

    SQLAlchemy's own option would leave "read write" behind, whatever the server is set to.
    """
    driver: Any = connection.connection.driver_connection
    driver.read_only = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.read_only = None


@attrs.frozen
class Bound:
    """Every block is part of one transaction that somebody else begins and ends."""

    connection: Connection

    @contextmanager
    def reading(self) -> Generator[Connection, None, None]:
        """Use the transaction."""
        yield self.connection

    @contextmanager
    def writing(self) -> Generator[Connection, None, None]:
        """Use the transaction."""
        yield self.connection
