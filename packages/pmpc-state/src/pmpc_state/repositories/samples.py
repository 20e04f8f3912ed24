"""Metrics: written in batches, thinned into coarser tiers by the database, read downsampled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, Unpack

from sqlalchemy import BigInteger, Connection, Select, delete, func, literal, select, type_coerce
from sqlalchemy import cast as as_type
from sqlalchemy.dialects import postgresql, sqlite

from pmpc_state.database.transactions import Reading, Writing
from pmpc_state.filters import table_of
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.clusters import cluster_id
from pmpc_state.repositories.paging import Listing
from pmpc_state.schema import resource, sample, series
from pmpc_state.schema.types import EPOCH, Moment, to_micros
from pmpc_state.values import Choice, Page
from pmpc_state.values.samples import Point, Sample, SampleRetention, Tier

POINTS: Final = table_of(Point, "points", ("at",))
_TIERS: Final = (Tier.RAW, Tier.MINUTE, Tier.HOUR, Tier.DAY)
_AT_ONCE: Final = 2000
_NAMES_AT_ONCE: Final = 400


class SampleReader:
    """Reads metrics."""

    def __init__(self, access: Reading) -> None:
        self._access = access

    def metrics(self, uid: str) -> tuple[str, ...]:
        """Return what was measured of a resource."""
        query = (
            select(series.c.metric)
            .join(resource, resource.c.id == series.c.resource_id)
            .where(resource.c.uid == uid)
            .order_by(series.c.metric)
        )
        with self._access.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def points(
        self,
        uid: str,
        metric: str,
        since: datetime,
        until: datetime,
        *,
        step: timedelta = timedelta(minutes=1),
        limit: int | None = None,
        **choice: Unpack[Choice],
    ) -> Page[Point]:
        """Return what was measured of a resource, a point for each step in which something was.

        The database thins it, from the coarsest tier that the step allows; where that tier has
        nothing (it was not kept as long, or is not made yet), from the next coarser one that has.

        Args:
            uid: The resource.
            metric: What was measured.
            since: From when on.
            until: Up to, not including, when.
            step: The length of the span of a point.
            limit: How many at most; all if left out.
            choice: Filter, order and page.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
            ValueError: The step is not positive.
        """
        if step <= timedelta(0):
            msg = "cannot thin samples to steps of no length"
            raise ValueError(msg)
        fitting = [tier for tier in _TIERS if tier <= step.total_seconds()]
        order = [*reversed(fitting), *(tier for tier in _TIERS if tier not in fitting)]
        asked = (resource.c.uid == uid, series.c.metric == metric)
        within = (*asked, sample.c.at >= since, sample.c.at < until)
        with self._access.reading() as connection:
            kept = set(
                connection.execute(_measured(sample.c.tier).distinct().where(*within)).scalars()
            )
            tier = next((one for one in order if int(one) in kept), order[0])
            listing = Listing(POINTS, _points(tier, step).where(*within), ("at",), _to_point)
            return listing.page(connection, limit, choice)


class SampleWriter(SampleReader):
    """Records metrics."""

    def __init__(self, access: Writing, clock: Clock) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock

    def record(self, cluster: str, samples: Iterable[Sample], tier: Tier = Tier.RAW) -> int:
        """Record samples of what is recorded as there and bring the coarser tiers up to date.

        One transaction; what is not recorded (yet) is left out. A span that is known from more
        samples stays as it is.

        Args:
            cluster: The name of the cluster.
            samples: What was measured; of two for one moment the later counts.
            tier: The length of their spans.

        Returns:
            How many were recorded.

        Raises:
            NotRecorded: The cluster is not recorded.
        """
        wanted = tuple(samples)
        with self._writes.writing() as connection:
            owner = cluster_id(connection, cluster)
            numbers = _series(connection, owner, wanted)
            rows = {
                (number, one.at): _row(number, tier, one)
                for one in wanted
                if (number := numbers.get((one.kind, one.key, one.metric))) is not None
            }
            if not rows:
                return 0
            for batch in _batches(list(rows.values()), _AT_ONCE):
                _upsert(connection, batch)
            _thin(connection, owner, tier, min(at for _, at in rows))
        return len(rows)

    def expire(self, retention: SampleRetention) -> int:
        """Remove what is older than a retention keeps; return how many samples went.

        Whole spans of the next coarser tier go at once, so that thinning never sees half a span.
        """
        removed = 0
        with self._writes.writing() as connection:
            for tier, coarser in (*pairwise(_TIERS), (Tier.DAY, Tier.DAY)):
                end = _floor(self._clock() - retention.of(tier), timedelta(seconds=int(coarser)))
                gone = delete(sample).where(sample.c.tier == int(tier), sample.c.at < end)
                removed += connection.execute(gone).rowcount
        return removed


def _row(number: int, tier: Tier, one: Sample) -> dict[str, Any]:
    return {
        "series_id": number,
        "tier": int(tier),
        "at": one.at,
        "count": 1,
        "total": one.value,
        "low": one.value,
        "high": one.value,
    }


def _series(
    connection: Connection, owner: int, samples: Sequence[Sample]
) -> dict[tuple[str, str, str], int]:
    """Return the series of each sample, making those that are missing."""
    names = {(one.kind, one.key) for one in samples}
    there: dict[tuple[str, str], int] = {}
    for keys in _batches(sorted({key for _, key in names}), _NAMES_AT_ONCE):
        query = select(resource.c.kind, resource.c.key, resource.c.id).where(
            resource.c.cluster_id == owner,
            resource.c.vanished_at.is_(None),
            resource.c.key.in_(keys),
        )
        there.update(((kind, key), number) for kind, key, number in connection.execute(query))
    wanted = {
        (there[one.kind, one.key], one.metric) for one in samples if (one.kind, one.key) in there
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    made = dialect.insert(series).on_conflict_do_nothing(
        index_elements=[series.c.resource_id, series.c.metric]
    )
    for batch in _batches(sorted(wanted), _AT_ONCE):
        connection.execute(
            made, [{"resource_id": number, "metric": metric} for number, metric in batch]
        )
    numbers: dict[tuple[int, str], int] = {}
    for batch in _batches(sorted({number for number, _ in wanted}), _NAMES_AT_ONCE):
        made_of = select(series.c.resource_id, series.c.metric, series.c.id)
        for owned, metric, row in connection.execute(
            made_of.where(series.c.resource_id.in_(batch))
        ):
            numbers[owned, metric] = row
    return {
        (kind, key, metric): numbers[number, metric]
        for (kind, key), number in there.items()
        for metric in {one.metric for one in samples}
        if (number, metric) in numbers
    }


def _upsert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(sample)
    connection.execute(_replacing(statement), list(rows))


def _replacing(statement: Any) -> Any:
    """Let new spans replace old ones, unless the old one was made of more samples.

    What it was made of may be gone by now: a late sample must not make a span forget the others.
    """
    return statement.on_conflict_do_update(
        index_elements=[sample.c.series_id, sample.c.tier, sample.c.at],
        set_={name: statement.excluded[name] for name in ("count", "total", "low", "high")},
        where=statement.excluded["count"] >= sample.c["count"],
    )


def _thin(connection: Connection, owner: int, tier: Tier, since: datetime) -> None:
    """Make the spans of the coarser tiers anew from the first that holds a new sample."""
    ours = (
        select(series.c.id)
        .join(resource, resource.c.id == series.c.resource_id)
        .where(resource.c.cluster_id == owner)
    )
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    for finer, coarser in pairwise(_TIERS):
        if finer < tier:
            continue
        span = timedelta(seconds=int(coarser))
        begins = _bucket(span)
        thinned = (
            select(
                sample.c.series_id,
                literal(int(coarser)),
                begins,
                func.sum(sample.c.count),
                func.sum(sample.c.total),
                func.min(sample.c.low),
                func.max(sample.c.high),
            )
            .where(
                sample.c.tier == int(finer),
                sample.c.at >= _floor(since, span),
                sample.c.series_id.in_(ours),
            )
            .group_by(sample.c.series_id, begins)
        )
        statement = dialect.insert(sample).from_select(
            ["series_id", "tier", "at", "count", "total", "low", "high"], thinned
        )
        connection.execute(_replacing(statement))


def _measured(*columns: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(*columns)
        .select_from(sample)
        .join(series, series.c.id == sample.c.series_id)
        .join(resource, resource.c.id == series.c.resource_id)
    )


def _points(tier: Tier, step: timedelta) -> Select[*tuple[Any, ...]]:
    begins = _bucket(step)
    query = _measured(
        type_coerce(begins, Moment).label("at"),
        (func.sum(sample.c.total) / func.sum(sample.c.count)).label("mean"),
        func.min(sample.c.low).label("low"),
        func.max(sample.c.high).label("high"),
        as_type(func.sum(sample.c.count), BigInteger).label("count"),
    )
    return query.where(sample.c.tier == int(tier)).group_by(begins)


def _to_point(row: Mapping[str, Any]) -> Point:
    return Point(**row)


def _bucket(span: timedelta) -> Any:
    """Return the beginning of the span a sample is in, as microseconds."""
    micros = as_type(sample.c.at, BigInteger)
    length = to_micros(EPOCH + span)
    return micros - micros % literal(length, BigInteger)


def _floor(moment: datetime, span: timedelta) -> datetime:
    length = max(span, timedelta(microseconds=1))
    return EPOCH + (moment - EPOCH) // length * length


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
