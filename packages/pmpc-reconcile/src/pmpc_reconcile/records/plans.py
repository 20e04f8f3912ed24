"""Stored plans, and how far each one got."""

from __future__ import annotations

from pmpc_reconcile.errors import PlanNotFound, PlanRefused
from pmpc_reconcile.plans.codec import PLAN_VERSION, plan_from_dict, plan_to_dict
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.records.crossing import Crossing
from pmpc_state import NotRecorded, PlanRecord, PlanStatus, StaleStatus


class PlanRecords(Crossing):
    """Plans of one cluster."""

    async def save_plan(self, plan: Plan) -> None:
        """Store a plan."""
        document = plan_to_dict(plan)
        await self.run(
            lambda: self.state.writer().plans.save(
                plan.id,
                self.cluster,
                plan.release,
                document,
                version=PLAN_VERSION,
                actor=self.actor,
            )
        )

    async def load_plan(self, plan_id: str) -> Plan:
        """Return a stored plan by its id or the beginning of it.

        Raises:
            PlanNotFound: There is none.
        """
        return plan_from_dict((await self.plan_record(plan_id)).document)

    async def plan_record(self, plan_id: str) -> PlanRecord:
        """Return a stored plan with its status.

        Raises:
            PlanNotFound: There is none.
        """
        try:
            record = await self.run(lambda: self.state.reader().plans.get(plan_id))
        except NotRecorded as error:
            raise PlanNotFound(str(error)) from error
        if record.cluster != self.cluster:
            raise PlanNotFound(
                f"plan {record.id} is for cluster {record.cluster!r}, not {self.cluster!r}"
            )
        return record

    async def plans(self, release: str | None, limit: int) -> tuple[PlanRecord, ...]:
        """Return stored plans, newest first."""
        return await self.run(
            lambda: self.state.reader().plans.list(self.cluster, release=release, limit=limit)
        )

    async def claim_plan(self, plan: Plan) -> None:
        """Mark a plan as being applied; one left so by a crash may be taken up again.

        Raises:
            PlanRefused: It was applied already.
        """
        allowed = {PlanStatus.PLANNED, PlanStatus.APPLYING}
        try:
            await self.run(
                lambda: self.state.writer().plans.set_status(
                    plan.id, PlanStatus.APPLYING, expected=allowed
                )
            )
        except StaleStatus as error:
            raise PlanRefused(
                f"cannot apply plan {plan.id}: it was applied already; make a new plan"
            ) from error

    async def end_plan(self, plan: Plan, status: PlanStatus) -> None:
        """Record how the application of a plan ended."""
        await self.run(lambda: self.state.writer().plans.set_status(plan.id, status))
