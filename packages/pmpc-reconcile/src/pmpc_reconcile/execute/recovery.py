"""After a crash: let the tasks it left come to their end, then close its run.

Nothing is called again here. A plan made afterwards finds what was made by its marker; the same
plan applied again takes up its run instead (`executor`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import attrs

from pmpc_reconcile.diagnostics import Diagnostic, warning
from pmpc_reconcile.errors import PlanNotFound, RunCutOff
from pmpc_reconcile.execute.begun import tasks_begun
from pmpc_reconcile.execute.goals import network, sdn
from pmpc_reconcile.execute.journal import SEPARATOR
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.plans.steps import HOOK_STEPS, Step
from pmpc_reconcile.records import Records, lease_name
from pmpc_state import (
    JournalRun,
    JournalStep,
    Lease,
    LeaseHeld,
    PlanStatus,
    RevisionStatus,
    RunStatus,
    StepPhase,
    this_process,
)

_HAPPENED = (StepPhase.UPID, StepPhase.DONE, StepPhase.VERIFIED)


@attrs.frozen
class Abandoned:
    """What became of the runs that were open.

    Attributes:
        warnings: Why what a plan sees may be half done.
        hooks: Steps of hooks that were not run, each with the id of its plan.
    """

    warnings: tuple[Diagnostic, ...] = ()
    hooks: tuple[tuple[str, Step], ...] = ()

    def told_in(self, plan: Plan) -> Plan:
        """Return the plan with a warning about each hook that it does not run either."""
        planned = {step.id for step in plan.steps}
        lost = tuple(
            warning(
                f"plan {plan_id} was cut off before it could {step.summary}, and this plan does "
                "not: what that hook goes with was done",
                address=step.address,
            )
            for plan_id, step in self.hooks
            if step.id not in planned
        )
        return attrs.evolve(plan, diagnostics=(*plan.diagnostics, *lost))


async def abandon_open_runs(
    live: LiveCluster,
    records: Records,
    release: str,
    patience: Patience,
    go_on_with: Callable[[Plan], bool] | None = None,
) -> Abandoned:
    """Settle and close the runs of a release that nobody works on any more.

    Args:
        live: The cluster.
        records: Its records.
        release: The release.
        patience: How long to wait for what was begun.
        go_on_with: Says which plans are not to be closed, but gone on with.

    Raises:
        RunCutOff: There is a run of such a plan.
    """

    def left_open() -> tuple[JournalRun, ...]:
        reader = records.state.reader()
        return reader.journal.runs(records.cluster, release=release, status=RunStatus.RUNNING)

    runs = await records.run(left_open)
    if not runs:
        return Abandoned()
    writer = records.state.writer()
    name = lease_name(records.cluster, release)
    try:
        lease = await records.run(
            lambda: writer.leases.acquire(name, holder=this_process(), seconds=patience.lease)
        )
    except LeaseHeld as held:
        text = f"release {release} is being applied by {held.holder}; "
        return Abandoned((warning(f"{text}what this plan saw may be half done"),))
    hooks: list[tuple[str, Step]] = []
    try:
        # Whoever held the lease until now may have ended them: they are read under it again.
        runs = await records.run(left_open)
        if go_on_with is not None:
            for run in runs:
                await _refuse_to_abandon(records, run, go_on_with)
        for run in runs:
            hooks += await _abandon(live, records, run, lease, patience)
    finally:
        await records.run(lambda: writer.leases.release(lease))
    return Abandoned(hooks=tuple(hooks))


async def _refuse_to_abandon(
    records: Records, run: JournalRun, go_on_with: Callable[[Plan], bool]
) -> None:
    if run.plan_id is None:
        return
    with suppress(PlanNotFound):
        if go_on_with(await records.load_plan(run.plan_id)):
            raise RunCutOff(f"plan {run.plan_id} was cut off by a crash and can be gone on with")


async def _abandon(
    live: LiveCluster, records: Records, run: JournalRun, lease: Lease, patience: Patience
) -> list[tuple[str, Step]]:
    writer = records.state.writer()
    written = await records.run(lambda: writer.journal.steps(run.id))
    steps = tuple([await _settled(live, step, patience) for step in written])
    await sdn.abandon_staged(live, steps)
    await network.abandon_staged(live, steps)

    def close() -> None:
        writer.journal.resume(run.id, lease)
        writer.journal.finish(run.id, RunStatus.ABANDONED)

    await records.run(close)
    await _close(records, run)
    return await _hooks_not_run(records, run, steps)


async def _hooks_not_run(
    records: Records, run: JournalRun, steps: tuple[JournalStep, ...]
) -> list[tuple[str, Step]]:
    if run.plan_id is None:
        return []
    try:
        plan = await records.load_plan(run.plan_id)
    except PlanNotFound:
        return []
    happened = {step.step.partition(SEPARATOR)[0] for step in steps if step.phase in _HAPPENED}
    hooks = [step for step in plan.steps if isinstance(step, HOOK_STEPS)]
    return [(plan.id, step) for step in hooks if step.id not in happened]


async def _settled(live: LiveCluster, step: JournalStep, patience: Patience) -> JournalStep:
    """Wait for what a step began and return it, as failed if its task did."""
    from proxmox_client import TaskFailed

    if not step.open:
        return step
    if step.upid is None:
        for upid in await tasks_begun(live, step.intent):
            await live.client.task(upid).wait(timeout=patience.task)
        return step
    result = await live.client.task(step.upid).wait(timeout=patience.task)
    failed = isinstance(result, TaskFailed)
    return attrs.evolve(step, phase=StepPhase.FAILED) if failed else step


async def _close(records: Records, run: JournalRun) -> None:
    for revision in await records.revisions(run.release):
        if revision.plan_id == run.plan_id and revision.status is RevisionStatus.PENDING:
            await records.end_revision(run.release, revision.number, RevisionStatus.FAILED)
    if run.plan_id is not None:
        plan_id = run.plan_id
        await records.run(
            lambda: records.state.writer().plans.set_status(plan_id, PlanStatus.FAILED)
        )
