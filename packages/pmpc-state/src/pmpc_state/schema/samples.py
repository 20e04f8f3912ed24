"""Tables of metrics: what was measured of which resource, in tiers from raw to days."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)

from pmpc_state.schema.metadata import metadata
from pmpc_state.schema.types import Moment


class SeriesColumns(TypedColumns):
    """One metric of one resource."""

    id = Column(Integer, primary_key=True)
    resource_id = Column(Integer, ForeignKey("resource.id"), nullable=False)
    metric = Column(Text, nullable=False)


series = Table("series", metadata, SeriesColumns, UniqueConstraint("resource_id", "metric"))


class SampleColumns(TypedColumns):
    """What was measured in one span: `tier` is its length in seconds, 0 for a single moment."""

    series_id = Column(Integer, ForeignKey("series.id"), primary_key=True)
    tier = Column(Integer, primary_key=True, autoincrement=False)
    at = Column(Moment, primary_key=True)
    count = Column(Integer, nullable=False)
    total = Column(Float(53), nullable=False)
    low = Column(Float(53), nullable=False)
    high = Column(Float(53), nullable=False)


sample = Table("sample", metadata, SampleColumns, sqlite_with_rowid=False)
Index("ix_sample_tier", sample.c.tier, sample.c.at)
