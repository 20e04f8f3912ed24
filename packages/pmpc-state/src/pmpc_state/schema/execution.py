"""Tables of what is being done: plans, the write-ahead journal, leases, the audit chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    TypedColumns,
)

from pmpc_state.schema.metadata import metadata
from pmpc_state.schema.types import Document, Moment


class PlanColumns(TypedColumns):
    """A saved plan: a document with the version of its own format, and a status."""

    id = Column(Text, primary_key=True)
    cluster_id = Column(Integer, ForeignKey("cluster.id"), nullable=False)
    release = Column(Text, nullable=False)
    version = Column(Integer, nullable=False)
    status = Column(Text, nullable=False)
    actor = Column(Text, nullable=False)
    created_at = Column(Moment, nullable=False)
    updated_at = Column(Moment, nullable=False)
    document: Column[Any] = Column(Document, nullable=False)


plan = Table("plan", metadata, PlanColumns)
Index("ix_plan_cluster", plan.c.cluster_id, plan.c.created_at)


class JournalRunColumns(TypedColumns):
    """One execution of a plan, under one fencing token."""

    id = Column(Text, primary_key=True)
    cluster_id = Column(Integer, ForeignKey("cluster.id"), nullable=False)
    release = Column(Text, nullable=False)
    plan_id: Column[str | None] = Column(Text, ForeignKey("plan.id"), nullable=True)
    actor = Column(Text, nullable=False)
    lease = Column(Text, nullable=False)
    token = Column(BigInteger, nullable=False)
    status = Column(Text, nullable=False)
    started_at = Column(Moment, nullable=False)
    finished_at: Column[datetime | None] = Column(Moment, nullable=True)


journal_run = Table("journal_run", metadata, JournalRunColumns)
Index("ix_journal_run_cluster", journal_run.c.cluster_id, journal_run.c.started_at)


class JournalStepColumns(TypedColumns):
    """One step of a run; a phase's moment is written before the next thing happens."""

    run_id = Column(Text, ForeignKey("journal_run.id"), primary_key=True)
    step = Column(Text, primary_key=True)
    position = Column(Integer, nullable=False)
    address = Column(Text, nullable=False)
    phase = Column(Text, nullable=False)
    intent: Column[Any] = Column(Document, nullable=False)
    upid: Column[str | None] = Column(Text, nullable=True)
    result: Column[Any] = Column(Document, nullable=True)
    error: Column[str | None] = Column(Text, nullable=True)
    intent_at = Column(Moment, nullable=False)
    called_at: Column[datetime | None] = Column(Moment, nullable=True)
    upid_at: Column[datetime | None] = Column(Moment, nullable=True)
    done_at: Column[datetime | None] = Column(Moment, nullable=True)
    failed_at: Column[datetime | None] = Column(Moment, nullable=True)
    verified_at: Column[datetime | None] = Column(Moment, nullable=True)


journal_step = Table("journal_step", metadata, JournalStepColumns)


class LeaseColumns(TypedColumns):
    """A right to work on something for a while; the row stays so that tokens only grow."""

    name = Column(Text, primary_key=True)
    holder = Column(Text, nullable=False)
    token = Column(BigInteger, nullable=False)
    acquired_at = Column(Moment, nullable=False)
    expires_at = Column(Moment, nullable=False)


lease = Table("lease", metadata, LeaseColumns)


class AuditColumns(TypedColumns):
    """One line of the audit log, chained to the line before it by hash."""

    seq = Column(Integer, primary_key=True, autoincrement=False)
    at = Column(Moment, nullable=False)
    cluster = Column(Text, nullable=False)
    actor = Column(Text, nullable=False)
    action = Column(Text, nullable=False)
    subject = Column(Text, nullable=False)
    detail: Column[Any] = Column(Document, nullable=False)
    previous = Column(Text, nullable=False)
    hash = Column(Text, nullable=False, unique=True)


audit = Table("audit", metadata, AuditColumns)
