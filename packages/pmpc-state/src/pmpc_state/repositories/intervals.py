"""Rows behind the history: what is recorded as there, blobs, and new or returning resources."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from pmpc_state.attribution import Credit
from pmpc_state.diff import Recorded, Seen
from pmpc_state.identity import returns
from pmpc_state.schema import blob, observation, resource, volatile
from pmpc_state.values.inventory import Known

_BATCH = 500
T = TypeVar("T")


def recorded(connection: Connection, owner: int, kind: str) -> list[Recorded]:
    """Return what is recorded as there of one kind."""
    query = (
        select(
            resource.c.id,
            resource.c.kind,
            resource.c.key,
            resource.c.identity,
            observation.c.id,
            blob.c.hash,
        )
        .select_from(resource)
        .outerjoin(
            observation,
            (observation.c.resource_id == resource.c.id) & observation.c.valid_to.is_(None),
        )
        .outerjoin(blob, blob.c.id == observation.c.blob_id)
        .where(
            resource.c.cluster_id == owner,
            resource.c.kind == kind,
            resource.c.vanished_at.is_(None),
        )
    )
    return [Recorded(*row) for row in connection.execute(query)]


def knowledge(connection: Connection, owner: int) -> dict[str, dict[str, Known]]:
    """Return what is recorded as there, by kind and key."""
    query = (
        select(
            resource.c.kind,
            resource.c.key,
            volatile.c.node,
            volatile.c.status,
            volatile.c.known,
            volatile.c.proven_at,
            volatile.c.summary,
            volatile.c.facts,
        )
        .outerjoin(volatile, volatile.c.resource_id == resource.c.id)
        .where(resource.c.cluster_id == owner, resource.c.vanished_at.is_(None))
    )
    found: dict[str, dict[str, Known]] = {}
    for kind, key, node, status, seen, proven, summary, facts in connection.execute(query):
        one = Known(node, status, bool(seen), proven, summary, facts or {})
        found.setdefault(kind, {})[key] = one
    return found


def store_blobs(connection: Connection, seen: Iterable[Seen]) -> dict[str, int]:
    """Store configurations that are not stored yet; return the row of each by hash."""
    texts = {one.hash: one.text for one in seen if one.hash is not None}
    rows: dict[str, int] = {}
    for batch in _batches(list(texts)):
        _insert_missing(connection, [{"hash": one, "body": texts[one]} for one in batch])
        query = select(blob.c.hash, blob.c.id).where(blob.c.hash.in_(batch))
        rows.update((row.hash, row.id) for row in connection.execute(query))
    return rows


def place(
    connection: Connection, owner: int, appeared: Sequence[Seen], moment: datetime
) -> list[tuple[Recorded, Seen]]:
    """Give each object that appeared a resource: that of one which vanished and is back, or new."""
    back = _returning(connection, owner, appeared)
    for number, seen in back.values():
        connection.execute(
            resource.update()
            .where(resource.c.id == number)
            .values(vanished_at=None, identity=dict(seen.item.identity))
        )
    new = [seen for seen in appeared if _name(seen) not in back]
    numbers = {name: number for name, (number, _) in back.items()}
    if new:
        rows = connection.execute(
            resource.insert().returning(resource.c.id, sort_by_parameter_order=True),
            [_new_row(owner, seen, moment) for seen in new],
        )
        numbers.update(
            (_name(seen), number) for seen, number in zip(new, rows.scalars(), strict=True)
        )
    return [(_recorded(numbers[_name(seen)], seen), seen) for seen in appeared]


def vanish(
    connection: Connection, gone: Iterable[tuple[Recorded, Credit]], moment: datetime
) -> None:
    """End the resources that are gone, and their open intervals."""
    rows = [
        {
            "number": known.resource_id,
            "open_one": known.observation_id,
            "task_of": credit.task,
            "user_of": credit.user,
        }
        for known, credit in gone
    ]
    if not rows:
        return
    connection.execute(
        resource.update().where(resource.c.id == bindparam("number")).values(vanished_at=moment),
        [{"number": row["number"]} for row in rows],
    )
    ends = [row for row in rows if row["open_one"] is not None]
    if ends:
        connection.execute(
            observation.update()
            .where(observation.c.id == bindparam("open_one"))
            .values(valid_to=moment, end_task=bindparam("task_of"), end_user=bindparam("user_of")),
            [{name: row[name] for name in ("open_one", "task_of", "user_of")} for row in ends],
        )


def close(connection: Connection, changed: Iterable[Recorded], moment: datetime) -> None:
    """End the open intervals of what changed."""
    rows = [{"open_one": known.observation_id} for known in changed if known.observation_id]
    if rows:
        connection.execute(
            observation.update()
            .where(observation.c.id == bindparam("open_one"))
            .values(valid_to=moment),
            rows,
        )


def identify(connection: Connection, changed: Iterable[tuple[Recorded, Seen]]) -> None:
    """Keep the newest evidence of who an object is."""
    rows = [
        {"number": known.resource_id, "evidence": dict(seen.item.identity)}
        for known, seen in changed
        if dict(known.identity) != dict(seen.item.identity)
    ]
    if rows:
        connection.execute(
            resource.update()
            .where(resource.c.id == bindparam("number"))
            .values(identity=bindparam("evidence", type_=resource.c.identity.type)),
            rows,
        )


def open_all(
    connection: Connection,
    opened: Iterable[tuple[Recorded, Seen, Credit]],
    blobs: Mapping[str, int],
    moment: datetime,
) -> None:
    """Begin intervals."""
    rows = [
        {
            "resource_id": known.resource_id,
            "valid_from": moment,
            "blob_id": blobs[seen.hash],
            "task": credit.task,
            "user": credit.user,
        }
        for known, seen, credit in opened
        if seen.hash is not None
    ]
    if rows:
        connection.execute(observation.insert(), rows)


def _recorded(number: int, seen: Seen) -> Recorded:
    return Recorded(number, seen.item.kind, seen.item.key, seen.item.identity, None, None)


def _name(seen: Seen) -> tuple[str, str]:
    return seen.item.kind, seen.item.key


def _new_row(owner: int, seen: Seen, moment: datetime) -> dict[str, Any]:
    return {
        "uid": uuid.uuid4().hex,
        "cluster_id": owner,
        "kind": seen.item.kind,
        "key": seen.item.key,
        "identity": dict(seen.item.identity),
        "created_at": moment,
    }


def _returning(
    connection: Connection, owner: int, appeared: Sequence[Seen]
) -> dict[tuple[str, str], tuple[int, Seen]]:
    by_name = {_name(seen): seen for seen in appeared if seen.hash is not None}
    found: dict[tuple[str, str], tuple[int, Seen]] = {}
    for batch in _batches(sorted({key for _, key in by_name})):
        query = (
            select(resource.c.id, resource.c.kind, resource.c.key, resource.c.identity)
            .where(
                resource.c.cluster_id == owner,
                resource.c.key.in_(batch),
                resource.c.vanished_at.is_not(None),
            )
            .order_by(resource.c.vanished_at)
        )
        for number, kind, key, identity in connection.execute(query):
            seen = by_name.get((kind, key))
            if seen is not None and returns(identity, seen.item.identity):
                found[kind, key] = (number, seen)
    return found


def _insert_missing(connection: Connection, rows: list[dict[str, Any]]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(blob).on_conflict_do_nothing(index_elements=[blob.c.hash]), rows
    )


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
