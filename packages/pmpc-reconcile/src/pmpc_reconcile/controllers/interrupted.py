"""Healing that a worker began and did not end, because it died: another one goes on with its plan.

A plan of now would put the object right as well, but what is done once and leaves nothing to see
in the object, such as a backup after the change, would be forgotten or done twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import attrs

from pmpc_reconcile.errors import PlanNotFound, PlanStale
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.records import Records
from pmpc_state import JournalRun, RunStatus

HEAL: Final = "heal "
"""Begins the note of a plan that the loop made; the address of the object follows."""


@attrs.define
class GivenUp:
    """Healings that were cut off and cannot be gone on with, by the ids of their plans."""

    plans: set[str] = attrs.field(factory=set[str])

    def spares(self, plan: Plan) -> bool:
        """Return whether a plan that was cut off is still to be gone on with."""
        return plan.note.startswith(HEAL) and plan.id not in self.plans


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


async def runs_of(records: Records, release: str) -> Mapping[str, RunStatus]:
    """Return what became of the newest runs of a release, by their ids."""
    runs = await records.run(
        lambda: records.state.reader().journal.runs(records.cluster, release=release)
    )
    return {run.id: run.status for run in runs}


async def refuse_if_others_wrote(
    records: Records, release: str, seen: Mapping[str, RunStatus]
) -> None:
    """Refuse to go by what was seen before somebody else applied a plan of the release.

    Args:
        records: The cluster's records.
        release: The release.
        seen: Its runs as they were before the cluster was looked at.

    Raises:
        PlanStale: Somebody did, or was cut off while doing so.
    """
    for run, status in (await runs_of(records, release)).items():
        closed = status is RunStatus.ABANDONED and seen.get(run) is RunStatus.RUNNING
        if status is RunStatus.RUNNING or not (closed or seen.get(run) is status):
            raise PlanStale(f"run {run} of release {release} went on after this plan was made")
