"""What is being done: plans, journal, leases, audit."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs


class PlanStatus(enum.Enum):
    """Where a saved plan is in its life."""

    PLANNED = "planned"
    APPLYING = "applying"
    APPLIED = "applied"
    PARTIAL = "partial"
    FAILED = "failed"
    REFUSED = "refused"


class RunStatus(enum.Enum):
    """Where an execution of a plan is."""

    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    ABANDONED = "abandoned"


class StepPhase(enum.Enum):
    """How far a step got; each phase is durable before the next thing happens."""

    INTENT = "intent"
    CALLED = "called"
    UPID = "upid"
    DONE = "done"
    FAILED = "failed"
    VERIFIED = "verified"


@attrs.frozen
class PlanRecord:
    """A saved plan; the document is the engine's own versioned JSON."""

    id: str
    cluster: str
    release: str
    version: int
    status: PlanStatus
    actor: str
    created_at: datetime
    updated_at: datetime
    document: Mapping[str, Any]


@attrs.frozen
class JournalRun:
    """One execution of a plan, under one lease and its fencing token."""

    id: str
    cluster: str
    release: str
    plan_id: str | None
    actor: str
    lease: str
    token: int
    status: RunStatus
    started_at: datetime
    finished_at: datetime | None


@attrs.frozen
class JournalStep:
    """One step of a run with the moment of each phase it reached.

    Attributes:
        intent: What was about to be called, enough to find its effect after a crash.
        result: What came of it, for steps that are done.
    """

    run_id: str
    step: str
    position: int
    address: str
    phase: StepPhase
    intent: Mapping[str, Any]
    upid: str | None
    result: Mapping[str, Any] | None
    error: str | None
    intent_at: datetime
    called_at: datetime | None
    upid_at: datetime | None
    done_at: datetime | None
    failed_at: datetime | None
    verified_at: datetime | None

    @property
    def open(self) -> bool:
        """True while it is not known how the step ended."""
        return self.phase in (StepPhase.INTENT, StepPhase.CALLED, StepPhase.UPID)


@attrs.frozen
class Lease:
    """A right to work on something until it expires, with a token that only grows."""

    name: str
    holder: str
    token: int
    acquired_at: datetime
    expires_at: datetime


@attrs.frozen
class AuditEntry:
    """One line of the audit log; `hash` covers the line and the hash of the line before."""

    seq: int
    at: datetime
    cluster: str
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    previous: str
    hash: str
