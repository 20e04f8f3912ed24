"""Apply a plan: open or take up the run, drive the steps, record what became ours."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from pmpc_reconcile.diff import pending_options
from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.events import (
    ApplyEnded,
    ApplyStarted,
    EventSink,
    StepDone,
    StepFailed,
    StepSkipped,
    StepStarted,
)
from pmpc_reconcile.execute.drive import drive
from pmpc_reconcile.execute.goals import goal_for
from pmpc_reconcile.execute.journal import StepJournal
from pmpc_reconcile.execute.ownership import OwnershipKeeper
from pmpc_reconcile.execute.report import ApplyReport, Outcome, StepResult
from pmpc_reconcile.execute.schedule import run_steps
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.execute.steprun import ObjectRun, StepRun
from pmpc_reconcile.execute.trouble import StepFailure
from pmpc_reconcile.kinds import kind
from pmpc_reconcile.live import LiveCluster, SharedInventory
from pmpc_reconcile.plan.model import ObjectAction, Plan, Purpose
from pmpc_reconcile.plan.steps import Step
from pmpc_reconcile.plan.withheld import withheld_secrets
from pmpc_reconcile.records import Records
from pmpc_reconcile.releases import needs_revision
from pmpc_state import JournalStep, Lease, PlanStatus, RevisionStatus, RunStatus


class Executor:
    """Applies plans to one cluster."""

    def __init__(
        self,
        live: LiveCluster,
        records: Records,
        *,
        emit: EventSink,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]],
        patience: Patience,
    ) -> None:
        self.live = live
        self.records = records
        self.emit = emit
        self.now = now
        self.sleep = sleep
        self.patience = patience

    async def apply(self, plan: Plan, lease: Lease) -> ApplyReport:
        """Apply a plan under a lease for its release.

        Raises:
            PlanRefused: It was applied already.
            LeaseLost: Another process took over; nothing more was written.
        """
        self.emit(ApplyStarted(plan.id, plan.release, len(plan.steps)))
        await self.records.claim_plan(plan)
        revision = await self._begin_revision(plan)
        run_id, earlier = await self._begin_run(plan, lease)
        work = _Work(self, plan, run_id, earlier, lease)
        try:
            results = await run_steps(plan.steps, work.run, work.skip)
        except BaseExceptionGroup as group:  # such as a lost lease: the first one says it all
            raise group.exceptions[0] from group
        await work.keeper.settle_quiet_objects()
        report = await self._end(plan, run_id, revision, results, work.waiting_for_restart())
        done, failed, skipped = (len(part) for part in (report.done, report.failed, report.skipped))
        self.emit(ApplyEnded(plan.id, done, failed, skipped, report.revision))
        return report

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

    async def _end(
        self,
        plan: Plan,
        run_id: str,
        revision: int | None,
        results: Sequence[StepResult],
        restart: tuple[str, ...],
    ) -> ApplyReport:
        report = ApplyReport(
            plan_id=plan.id,
            release=plan.release,
            results=tuple(results),
            conflicts=tuple(item.address for item in plan.conflicts),
            revision=revision,
            restart_required=restart,
        )
        whole = report.ok and not report.conflicts
        some = bool(report.done)
        run_status = RunStatus.DONE if report.ok else RunStatus.PARTIAL
        if not report.ok and not some:
            run_status = RunStatus.FAILED
        await self.records.run(
            lambda: self.records.state.writer().journal.finish(run_id, run_status)
        )
        if revision is not None:
            status = RevisionStatus.APPLIED if whole else RevisionStatus.PARTIAL
            if not report.ok and not some:
                status = RevisionStatus.FAILED
            await self.records.end_revision(plan.release, revision, status)
        if plan.purpose is Purpose.DELETE and report.ok:
            await self.records.mark_deleted(plan.release)
        plan_status = {
            RunStatus.DONE: PlanStatus.APPLIED,
            RunStatus.PARTIAL: PlanStatus.PARTIAL,
        }.get(run_status, PlanStatus.FAILED)
        await self.records.end_plan(plan, plan_status)
        detail = {"plan": plan.id, "done": len(report.done), "failed": len(report.failed)}
        await self.records.audit(plan.purpose.value, plan.release, detail)
        return report


class _Work:
    """The steps of one application, with what they share."""

    def __init__(
        self,
        executor: Executor,
        plan: Plan,
        run_id: str,
        earlier: tuple[JournalStep, ...],
        lease: Lease,
    ) -> None:
        self._executor = executor
        self._plan = plan
        self._run_id = run_id
        self._earlier = earlier
        self._lease = lease
        self._positions = {step.id: number for number, step in enumerate(plan.steps)}
        self._reserved: set[int] = set()
        self._inventory = SharedInventory(executor.live.inventory, executor.now)
        self.objects = {
            item.address: ObjectRun(item, vmid=item.vmid, node=item.node) for item in plan.objects
        }
        for entry in earlier:
            self._remember_vmid(entry)
        self.keeper = OwnershipKeeper(executor.records, plan, self.objects)

    def _remember_vmid(self, entry: JournalStep) -> None:
        target = self.objects.get(entry.address)
        chosen = entry.intent.get("vmid")
        if target is not None and target.vmid is None and chosen is not None:
            target.vmid = int(chosen)
            self._reserved.add(int(chosen))

    def waiting_for_restart(self) -> tuple[str, ...]:
        """Return the objects whose options wait for a restart: as read last, else as planned."""
        return tuple(
            address for address, target in self.objects.items() if _waits_for_restart(target)
        )

    async def keep(self) -> None:
        """Renew the lease.

        Raises:
            LeaseLost: Another process took over.
        """
        records, lease = self._executor.records, self._lease
        seconds = self._executor.patience.lease
        await records.run(lambda: records.state.writer().leases.renew(lease, seconds=seconds))

    def skip(self, step: Step, reason: str) -> StepResult:
        """Note that a step is not run."""
        self._executor.emit(StepSkipped(step.id, step.address, reason))
        return StepResult(step.id, step.address, step.summary, Outcome.SKIPPED, reason)

    async def run(self, step: Step) -> StepResult:
        """Drive one step; what goes wrong becomes data."""
        from proxmox_client import PveError

        executor = self._executor
        await self.keep()
        run = self._step_run(step)
        earlier = run.journal.adopt(self._earlier)
        run.resumed = bool(earlier)
        executor.emit(StepStarted(step.id, step.address, step.summary, run.resumed))
        started = executor.now()
        reason = ""
        try:
            await drive(goal_for(step), run, earlier)
            await self.keeper.step_done(step)
        except StepFailure as error:
            reason = str(error)
        except PveError as error:
            reason = str(error)
        seconds = executor.now() - started
        if reason:
            executor.emit(StepFailed(step.id, step.address, reason))
        else:
            executor.emit(StepDone(step.id, step.address, seconds, tuple(run.warnings)))
        return StepResult(
            step.id,
            step.address,
            step.summary,
            Outcome.FAILED if reason else Outcome.DONE,
            reason,
            tuple(run.upids),
            tuple(run.warnings),
            seconds,
            run.resumed,
            run.wrote,
        )

    def _step_run(self, step: Step) -> StepRun:
        executor = self._executor
        journal = StepJournal(
            executor.records, self._run_id, step.id, step.address, self._positions[step.id]
        )
        return StepRun(
            step=step,
            plan=self._plan,
            target=self.objects[step.address],
            others=self.objects,
            live=executor.live,
            inventory=self._inventory,
            journal=journal,
            emit=executor.emit,
            now=executor.now,
            sleep=executor.sleep,
            patience=executor.patience,
            reserved=self._reserved,
            keep=self.keep,
        )


def _waits_for_restart(target: ObjectRun) -> bool:
    guest, item = target.seen, target.item
    if guest is None:
        return bool(item.restart)
    pending = pending_options(kind(item.kind), guest.running_config, guest.config, item.desired)
    return guest.running and bool(pending)


def refuse_unless_applicable(plan: Plan) -> None:
    """Refuse a plan that must not be applied as it is.

    Raises:
        PlanRefused: It has errors, or lacks the secrets it would have to send.
    """
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
