"""Tables of what was asked for: releases, revisions, managed objects, field ownership."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)

from pmpc_state.schema.metadata import metadata
from pmpc_state.schema.types import Document, Moment


class ReleaseColumns(TypedColumns):
    """A named set of manifests applied to one cluster."""

    id = Column(Integer, primary_key=True)
    cluster_id = Column(Integer, ForeignKey("cluster.id"), nullable=False)
    name = Column(Text, nullable=False)
    created_at = Column(Moment, nullable=False)
    deleted_at: Column[datetime | None] = Column(Moment, nullable=True)


release = Table("release", metadata, ReleaseColumns, UniqueConstraint("cluster_id", "name"))


class RevisionColumns(TypedColumns):
    """One state of a release's manifests; numbers count from 1 and never come back."""

    release_id = Column(Integer, ForeignKey("release.id"), primary_key=True)
    number = Column(Integer, primary_key=True)
    created_at = Column(Moment, nullable=False)
    actor = Column(Text, nullable=False)
    action = Column(Text, nullable=False)
    status = Column(Text, nullable=False)
    plan_id: Column[str | None] = Column(Text, ForeignKey("plan.id"), nullable=True)
    manifests: Column[Any] = Column(Document, nullable=False)
    note = Column(Text, nullable=False)


revision = Table("revision", metadata, RevisionColumns)


class ManagedColumns(TypedColumns):
    """An object a release manages: where it is and how to recognise it."""

    release_id = Column(Integer, ForeignKey("release.id"), primary_key=True)
    address = Column(Text, primary_key=True)
    kind = Column(Text, nullable=False)
    key = Column(Text, nullable=False)
    identity: Column[Any] = Column(Document, nullable=False)
    recorded_at = Column(Moment, nullable=False)


managed = Table("managed", metadata, ManagedColumns)
Index("ix_managed_natural", managed.c.kind, managed.c.key)


class FieldOwnerColumns(TypedColumns):
    """A field a release applied: the value, or a keyed fingerprint where the value is secret."""

    release_id = Column(Integer, primary_key=True)
    address = Column(Text, primary_key=True)
    path = Column(Text, primary_key=True)
    applied: Column[Any] = Column(Document, nullable=True)
    fingerprint: Column[str | None] = Column(Text, nullable=True)
    recorded_at = Column(Moment, nullable=False)


field_owner = Table(
    "field_owner",
    metadata,
    FieldOwnerColumns,
    ForeignKeyConstraint(
        ["release_id", "address"],
        ["managed.release_id", "managed.address"],
        ondelete="CASCADE",
    ),
    CheckConstraint("(applied IS NULL) <> (fingerprint IS NULL)", name="one_value"),
)
