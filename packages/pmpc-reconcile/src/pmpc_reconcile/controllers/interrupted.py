"""Healing that a worker began and did not end, because it died: another one goes on with its plan.

A plan of now would put the object right as well, but what is done once and leaves nothing to see
in the object, such as a backup after the change, would be forgotten or done twice.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from pmpc_reconcile.errors import PlanNotFound
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.records import Records
from pmpc_state import JournalRun, RunStatus

HEAL: Final = "heal "
"""Begins the note of a plan that the loop made; the address of the object follows."""


async def interrupted(records: Records, release: str) -> Plan | None:
    """Return the plan of the healing of a release that is under way or was cut off."""

    def under_way() -> tuple[JournalRun, ...]:
        reader = records.state.reader()
        return reader.journal.runs(records.cluster, release=release, status=RunStatus.RUNNING)

    for run in await records.run(under_way):
        if run.plan_id is None:
            continue
        with suppress(PlanNotFound):
            plan = await records.load_plan(run.plan_id)
            if plan.note.startswith(HEAL):
                return plan
    return None
