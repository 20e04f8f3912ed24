"""Tables of what was seen: resources, their history, volatile facts, snapshots, syncs, tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)

from pmpc_state.schema.metadata import metadata
from pmpc_state.schema.types import Document, Moment


class ClusterColumns(TypedColumns):
    """A cluster; nothing of its history is later than `latest_at`."""

    id = Column(Integer, primary_key=True)
    name = Column(Text, nullable=False, unique=True)
    created_at = Column(Moment, nullable=False)
    latest_at = Column(Moment, nullable=False)


cluster = Table("cluster", metadata, ClusterColumns)


class ResourceColumns(TypedColumns):
    """One thing in a cluster; `uid` stays with it through renames and moves."""

    id = Column(Integer, primary_key=True)
    uid = Column(Text, nullable=False, unique=True)
    cluster_id = Column(Integer, ForeignKey("cluster.id"), nullable=False)
    kind = Column(Text, nullable=False)
    key = Column(Text, nullable=False)
    identity = Column(Document, nullable=False)
    created_at = Column(Moment, nullable=False)
    vanished_at: Column[datetime | None] = Column(Moment, nullable=True)


resource = Table("resource", metadata, ResourceColumns)
Index("ix_resource_natural", resource.c.cluster_id, resource.c.kind, resource.c.key)
Index(
    "uq_resource_present",
    resource.c.cluster_id,
    resource.c.kind,
    resource.c.key,
    unique=True,
    sqlite_where=resource.c.vanished_at.is_(None),
    postgresql_where=resource.c.vanished_at.is_(None),
)


class BlobColumns(TypedColumns):
    """A configuration as canonical JSON, stored once however often it occurs."""

    id = Column(Integer, primary_key=True)
    hash = Column(Text, nullable=False, unique=True)
    body = Column(Text, nullable=False)


blob = Table("blob", metadata, BlobColumns)


class ObservationColumns(TypedColumns):
    """The configuration of a resource from one moment up to, not including, another."""

    id = Column(Integer, primary_key=True)
    resource_id = Column(Integer, ForeignKey("resource.id"), nullable=False)
    valid_from = Column(Moment, nullable=False)
    valid_to: Column[datetime | None] = Column(Moment, nullable=True)
    blob_id = Column(Integer, ForeignKey("blob.id"), nullable=False)
    task: Column[str | None] = Column(Text, nullable=True)
    user: Column[str | None] = Column(Text, nullable=True)
    end_task: Column[str | None] = Column(Text, nullable=True)
    end_user: Column[str | None] = Column(Text, nullable=True)


observation = Table(
    "observation",
    metadata,
    ObservationColumns,
    UniqueConstraint("resource_id", "valid_from"),
    CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="interval"),
)
Index("ix_observation_valid_from", observation.c.valid_from)
Index("ix_observation_valid_to", observation.c.valid_to)
Index(
    "uq_observation_open",
    observation.c.resource_id,
    unique=True,
    sqlite_where=observation.c.valid_to.is_(None),
    postgresql_where=observation.c.valid_to.is_(None),
)


class VolatileColumns(TypedColumns):
    """What changes all the time and is overwritten: status, node, lock, usage, freshness.

    `proven_at` is when the configuration was last read; `summary` is what the cluster's list said
    of it then, as a hash: a list that says something else means that it may have changed.
    """

    resource_id = Column(Integer, ForeignKey("resource.id"), primary_key=True)
    node: Column[str | None] = Column(Text, nullable=True)
    status: Column[str | None] = Column(Text, nullable=True)
    facts: Column[Any] = Column(Document, nullable=False)
    known = Column(Boolean, nullable=False)
    reason: Column[str | None] = Column(Text, nullable=True)
    seen_at: Column[datetime | None] = Column(Moment, nullable=True)
    proven_at: Column[datetime | None] = Column(Moment, nullable=True)
    summary: Column[str | None] = Column(Text, nullable=True)


volatile = Table("volatile", metadata, VolatileColumns)


class SnapshotColumns(TypedColumns):
    """A moment of a cluster with a name, and the hash of everything that was there."""

    id = Column(Integer, primary_key=True)
    cluster_id = Column(Integer, ForeignKey("cluster.id"), nullable=False)
    taken_at = Column(Moment, nullable=False)
    root_hash = Column(Text, nullable=False)
    resources = Column(Integer, nullable=False)
    name = Column(Text, nullable=False)
    pinned = Column(Boolean, nullable=False)


snapshot = Table("snapshot", metadata, SnapshotColumns, UniqueConstraint("cluster_id", "name"))


class SyncRunColumns(TypedColumns):
    """One run of sync; `token` is the fencing token it wrote under.

    `seen_at` is the moment its sections are recorded under, `figures` what it cost.
    """

    id = Column(Integer, primary_key=True)
    cluster_id = Column(Integer, ForeignKey("cluster.id"), nullable=False)
    started_at = Column(Moment, nullable=False)
    finished_at: Column[datetime | None] = Column(Moment, nullable=True)
    status = Column(Text, nullable=False)
    token = Column(BigInteger, nullable=False)
    mode = Column(Text, nullable=False, server_default="full")
    seen_at: Column[datetime | None] = Column(Moment, nullable=True)
    figures: Column[Any] = Column(Document, nullable=True)


sync_run = Table("sync_run", metadata, SyncRunColumns)
Index("ix_sync_run_cluster", sync_run.c.cluster_id, sync_run.c.started_at)


class SyncSectionColumns(TypedColumns):
    """How one section of a sync went."""

    run_id = Column(Integer, ForeignKey("sync_run.id"), primary_key=True)
    section = Column(Text, primary_key=True)
    status = Column(Text, nullable=False)
    finished_at = Column(Moment, nullable=False)
    counts: Column[Any] = Column(Document, nullable=False)
    failures: Column[Any] = Column(Document, nullable=False)


sync_section = Table("sync_section", metadata, SyncSectionColumns)


class ReadingColumns(TypedColumns):
    """When a list was last read as a whole; an empty one has no resource that could tell."""

    cluster_id = Column(Integer, ForeignKey("cluster.id"), primary_key=True)
    section = Column(Text, primary_key=True)
    scope = Column(Text, primary_key=True)
    read_at = Column(Moment, nullable=False)


reading = Table("reading", metadata, ReadingColumns)


class TaskColumns(TypedColumns):
    """A task of PVE, kept after PVE has forgotten it."""

    cluster_id = Column(Integer, ForeignKey("cluster.id"), primary_key=True)
    upid = Column(Text, primary_key=True)
    node = Column(Text, nullable=False)
    type = Column(Text, nullable=False)
    object_id = Column(Text, nullable=False)
    user = Column(Text, nullable=False)
    started_at = Column(Moment, nullable=False)
    ended_at: Column[datetime | None] = Column(Moment, nullable=True)
    status: Column[str | None] = Column(Text, nullable=True)


task = Table("task", metadata, TaskColumns)
Index("ix_task_object", task.c.cluster_id, task.c.object_id, task.c.started_at)
Index("ix_task_started", task.c.cluster_id, task.c.started_at)


class LogLineColumns(TypedColumns):
    """A line of the cluster's log, kept after the cluster has forgotten it."""

    cluster_id = Column(Integer, ForeignKey("cluster.id"), primary_key=True)
    node = Column(Text, primary_key=True)
    at = Column(Moment, primary_key=True)
    uid = Column(Text, primary_key=True)
    user = Column(Text, nullable=False)
    program = Column(Text, nullable=False)
    priority = Column(Integer, nullable=False)
    message = Column(Text, nullable=False)


log_line = Table("log_line", metadata, LogLineColumns)
Index("ix_log_line_at", log_line.c.cluster_id, log_line.c.at)
