"""The tables, as SQLAlchemy Core with typed columns.

Belongs here: table definitions and the column types they need. Does not belong here: queries
(repositories) and how a database gets from one version of these tables to the next (migrations).
"""

from __future__ import annotations

from pmpc_state.schema.control import condition, control
from pmpc_state.schema.desired import field_owner, managed, release, revision
from pmpc_state.schema.execution import audit, journal_run, journal_step, lease, plan
from pmpc_state.schema.metadata import metadata, setting
from pmpc_state.schema.observed import (
    blob,
    cluster,
    log_line,
    observation,
    reading,
    resource,
    snapshot,
    sync_run,
    sync_section,
    task,
    volatile,
)
from pmpc_state.schema.samples import sample, series

__all__ = [
    "audit",
    "blob",
    "cluster",
    "condition",
    "control",
    "field_owner",
    "journal_run",
    "journal_step",
    "lease",
    "log_line",
    "managed",
    "metadata",
    "observation",
    "plan",
    "reading",
    "release",
    "resource",
    "revision",
    "sample",
    "series",
    "setting",
    "snapshot",
    "sync_run",
    "sync_section",
    "task",
    "volatile",
]
