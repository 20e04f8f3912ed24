"""Column types: moments as integers, documents as canonical text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

from pmpc_state.canonical import canonical_json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Return whole microseconds since 1970 UTC.

    Raises:
        ValueError: The moment has no time zone, so it does not name one instant.
    """
    if moment.tzinfo is None:
        msg = f"cannot store {moment.isoformat()}: a moment needs a time zone"
        raise ValueError(msg)
    return (moment - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC moment for microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, stored as integer microseconds since 1970 UTC on both databases.

    Integers compare and index the same everywhere, keep every digit, and leave no room for a
    server's or a session's time zone.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn an aware datetime into microseconds."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into an aware UTC datetime."""
        return None if value is None else from_micros(int(value))


class Document(TypeDecorator[Any]):
    """A JSON document, stored as canonical text so that equal documents are equal bytes.

    A missing document is SQL NULL, never the JSON word null.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        """Turn a document into canonical JSON."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        """Turn JSON text into the document."""
        return None if value is None else json.loads(value)
