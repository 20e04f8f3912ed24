"""Frozen values the repositories return: what other packages see of the database.

Belongs here: plain data. Does not belong here: anything that queries, and anything of SQLAlchemy.
Moments are aware UTC datetimes everywhere; the tables hold integer microseconds.
"""

from __future__ import annotations

from pmpc_state.values.changes import ChangeKind, FieldChange, RecordedChange, ResourceChange
from pmpc_state.values.control import ConditionRecord, Control
from pmpc_state.values.desired import (
    ManagedObject,
    OwnedField,
    Release,
    Revision,
    RevisionStatus,
)
from pmpc_state.values.execution import (
    AuditEntry,
    JournalRun,
    JournalStep,
    Lease,
    PlanRecord,
    PlanStatus,
    RunStatus,
    StepPhase,
)
from pmpc_state.values.observed import (
    Cluster,
    Found,
    Identity,
    LogEntry,
    LogLine,
    Observation,
    Resource,
    Snapshot,
    SyncRun,
    TaskRecord,
)
from pmpc_state.values.page import Choice, Page

__all__ = [
    "AuditEntry",
    "ChangeKind",
    "Choice",
    "Cluster",
    "ConditionRecord",
    "Control",
    "FieldChange",
    "Found",
    "Identity",
    "JournalRun",
    "JournalStep",
    "Lease",
    "LogEntry",
    "LogLine",
    "ManagedObject",
    "Observation",
    "OwnedField",
    "Page",
    "PlanRecord",
    "PlanStatus",
    "RecordedChange",
    "Release",
    "Resource",
    "ResourceChange",
    "Revision",
    "RevisionStatus",
    "RunStatus",
    "Snapshot",
    "StepPhase",
    "SyncRun",
    "TaskRecord",
]
