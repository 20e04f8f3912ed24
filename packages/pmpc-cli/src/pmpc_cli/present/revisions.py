"""Revisions of releases, and stored plans, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pmpc_cli.present.table import Column
from pmpc_cli.present.values import show_time

if TYPE_CHECKING:
    from pmpc_reconcile.actions.plans import PlanSummary
    from pmpc_reconcile.actions.views import RevisionView

_STYLES = {"applied": "green", "failed": "red", "superseded": "dim", "deleted": "dim"}


def revision_columns() -> tuple[Column[RevisionView], ...]:
    """Return the columns of revisions."""
    return (
        Column("RELEASE", lambda item: item.release),
        Column("REVISION", lambda item: str(item.revision), right=True),
        Column("TIME", lambda item: show_time(item.time)),
        Column("STATUS", lambda item: item.status, style=lambda cell: _STYLES.get(cell, "")),
        Column("OBJECTS", lambda item: str(len(item.objects)), right=True),
        Column("DESCRIPTION", lambda item: item.description),
        Column("ADDRESSES", lambda item: ", ".join(item.objects), wide=True),
    )


def plan_columns() -> tuple[Column[PlanSummary], ...]:
    """Return the columns of stored plans."""
    return (
        Column("ID", lambda item: item.id),
        Column("RELEASE", lambda item: item.release),
        Column("CREATED", lambda item: show_time(item.created)),
        Column("STATUS", lambda item: item.status, style=lambda cell: _STYLES.get(cell, "")),
        Column("STEPS", lambda item: str(item.steps), right=True),
        Column("RISK", lambda item: item.risk),
        Column("NOTE", lambda item: item.note),
        Column("ACTOR", lambda item: item.actor, wide=True),
    )
