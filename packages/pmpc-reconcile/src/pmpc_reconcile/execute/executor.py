"""Apply a plan: open or take up the run, drive the steps, record what became ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import attrs

from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.events import ApplyEnded, ApplyProgress, ApplyStarted
from pmpc_reconcile.execute.report import ApplyReport, Outcome, StepResult
from pmpc_reconcile.execute.schedule import Brake, run_steps
from pmpc_reconcile.execute.work import Means, Work
from pmpc_reconcile.plans.estimate import Estimate
from pmpc_reconcile.plans.model import ObjectAction, Plan, Purpose
from pmpc_reconcile.plans.steps import Step
from pmpc_reconcile.plans.undo import UNDO, irreversible, undo_plan
from pmpc_reconcile.plans.withheld import withheld_secrets
from pmpc_reconcile.releases import needs_revision
from pmpc_reconcile.risk import Risk
from pmpc_state import JournalStep, Lease, PlanStatus, RevisionStatus, RunStatus


@attrs.frozen
class Course:
    """How a plan is applied.

    Attributes:
        atomic: All or nothing: after a failure everything that was done is undone.
        brake: Stops the application: steps that run end, no further one begins.
        approval_from: Plans of this risk and above need somebody's approval.
        check: Called under the lease before anything is written; what it raises ends it.
    """

    atomic: bool = False
    brake: Brake = attrs.field(factory=Brake)
    approval_from: Risk | None = None
    check: Callable[[], Awaitable[None]] | None = None


class Executor:
    """Applies plans to one cluster."""

    def __init__(self, means: Means) -> None:
        self.means = means
        self.records = means.records

    async def apply(self, plan: Plan, lease: Lease, course: Course) -> ApplyReport:
        """Apply a plan under a lease for its release.

        Raises:
            PlanRefused: It was applied already.
            LeaseLost: Another process took over; nothing more was written.
        """
        emit = self.means.emit
        emit(ApplyStarted(plan.id, plan.release, len(plan.steps)))
        await self.records.claim_plan(plan)
        revision = await self._begin_revision(plan)
        run_id, earlier = await self._begin_run(plan, lease)
        work = Work(self.means, plan, run_id, earlier, lease, course.brake)
        try:
            results, undone = await self._all_steps(plan, work, earlier, course)
        except BaseExceptionGroup as group:  # such as a lost lease: the first one says it all
            raise group.exceptions[0] from group
        if not undone:
            await work.keeper.settle_quiet_objects()
        report = ApplyReport(
            plan_id=plan.id,
            release=plan.release,
            results=results,
            conflicts=tuple(item.address for item in plan.conflicts),
            revision=revision,
            restart_required=work.waiting_for_restart(),
            undone=undone,
        )
        await self._end(plan, run_id, report)
        if undone:
            report = await self._back(plan, report)
        done, failed, skipped = (len(part) for part in (report.done, report.failed, report.skipped))
        emit(ApplyEnded(plan.id, done, failed, skipped, report.revision))
        return report

    async def _all_steps(
        self, plan: Plan, work: Work, earlier: Sequence[JournalStep], course: Course
    ) -> tuple[tuple[StepResult, ...], tuple[StepResult, ...]]:
        """Run the steps, and undo them where they were to be all or nothing."""
        if any(UNDO in entry.step for entry in earlier):  # a crash came while it was taken back
            results = tuple(work.skip(step, "it was being taken back") for step in plan.steps)
            return results, await work.take_back(undo_plan(plan, {step.id for step in plan.steps}))
        brake, estimate, over = course.brake, Estimate(plan.steps), set[str]()

        async def run(step: Step) -> StepResult:
            result = await work.run(step)
            over.add(step.id)
            estimate.learn(step, result.seconds)
            left = estimate.left(over)
            self.means.emit(ApplyProgress(plan.id, len(over), len(plan.steps), left))
            if course.atomic and result.outcome is Outcome.FAILED:
                brake.pull(f"`{result.summary}` failed, and the plan is all or nothing")
            return result

        results = await run_steps(
            plan.steps, run, work.skip, lanes=work.lanes, node=work.node_of, brake=brake
        )
        begun = {item.step_id for item in results if item.outcome is not Outcome.SKIPPED}
        if not course.atomic or (
            len(begun) == len(results) and all(item.outcome is Outcome.DONE for item in results)
        ):
            return results, ()
        return results, await work.take_back(undo_plan(plan, begun))

    async def _begin_revision(self, plan: Plan) -> int | None:
        revisions = await self.records.revisions(plan.release)
        newest = revisions[-1] if revisions else None
        if newest is not None and newest.plan_id == plan.id:
            return newest.number
        if not needs_revision(plan, newest):
            return None
        return await self.records.add_revision(plan, plan.documents, plan.note)

    async def _begin_run(self, plan: Plan, lease: Lease) -> tuple[str, tuple[JournalStep, ...]]:
        """Take up the run of this plan that a crash left open, or open a new one."""
        records = self.records

        def begin() -> tuple[str, tuple[JournalStep, ...]]:
            writer = records.state.writer()
            runs = writer.journal.runs(records.cluster, release=plan.release, limit=1000)
            ours = [run for run in runs if run.plan_id == plan.id]
            for run in ours:
                if run.status is RunStatus.RUNNING:
                    writer.journal.resume(run.id, lease)
                    return run.id, writer.journal.steps(run.id)
            run_id = f"{plan.id}.{len(ours) + 1}"
            writer.journal.begin(
                run_id,
                records.cluster,
                plan.release,
                lease=lease,
                actor=records.actor,
                plan_id=plan.id,
            )
            return run_id, ()

        return await records.run(begin)

    async def _end(self, plan: Plan, run_id: str, report: ApplyReport) -> None:
        some = bool(report.done) and not report.undone
        run_status = RunStatus.DONE if report.ok else RunStatus.PARTIAL
        if not report.ok and not some:
            run_status = RunStatus.FAILED
        await self.records.run(
            lambda: self.records.state.writer().journal.finish(run_id, run_status)
        )
        if report.revision is not None:
            whole = report.ok and not report.conflicts
            status = RevisionStatus.APPLIED if whole else RevisionStatus.PARTIAL
            if not report.ok and not some:
                status = RevisionStatus.FAILED
            await self.records.end_revision(plan.release, report.revision, status)
        if plan.purpose is Purpose.DELETE and report.ok:
            await self.records.mark_deleted(plan.release)
        plan_status = {
            RunStatus.DONE: PlanStatus.APPLIED,
            RunStatus.PARTIAL: PlanStatus.PARTIAL,
        }.get(run_status, PlanStatus.FAILED)
        await self.records.end_plan(plan, plan_status)
        detail = {"plan": plan.id, "done": len(report.done), "failed": len(report.failed)}
        if report.undone:
            detail["undone"] = len(report.undone)
        await self.records.audit(plan.purpose.value, plan.release, detail)

    async def _back(self, plan: Plan, report: ApplyReport) -> ApplyReport:
        """Record that the release is where it was before the plan: as a new revision."""
        before = [
            item
            for item in await self.records.revisions(plan.release)
            if item.number == plan.base_revision
        ]
        if not report.taken_back:
            return report
        if not before:  # there was nothing, and there is nothing again
            await self.records.mark_deleted(plan.release)
            return report
        note = f"back to {plan.base_revision}: plan {plan.id} failed and was all or nothing"
        number = await self.records.add_revision(plan, before[0].manifests, note)
        await self.records.end_revision(plan.release, number, before[0].status)
        return attrs.evolve(report, revision=number)


def refuse_unless_applicable(plan: Plan, *, atomic: bool = False) -> None:
    """Refuse a plan that must not be applied as it is.

    Raises:
        PlanRefused: It has errors, lacks the secrets it would have to send, or is to be all or
            nothing and cannot be taken back.
    """
    lasting = irreversible(plan) if atomic else ()
    if lasting:
        raise PlanRefused(
            f"cannot apply plan {plan.id} as all or nothing: some of it could not be undone",
            lasting,
        )
    if plan.errors:
        raise PlanRefused(
            f"cannot apply plan {plan.id}: it has errors, and nothing was changed",
            [error.message for error in plan.errors],
        )
    withheld = withheld_secrets(plan)
    if withheld:
        raise PlanRefused(
            f"cannot apply plan {plan.id}: stored plans keep no secrets, and it would have to "
            "send some; apply the manifests instead of the plan's id",
            withheld,
        )
    refused = [item for item in plan.objects if item.action is ObjectAction.REFUSED]
    if refused and plan.purpose is Purpose.DELETE:
        raise PlanRefused(
            f"cannot apply plan {plan.id}", [note for item in refused for note in item.notes]
        )
