"""After a crash: let the tasks it left come to their end, then close its run.

Nothing is called again here. A plan made afterwards finds what was made by its marker; the same
plan applied again takes up its run instead (`executor`).
"""

from __future__ import annotations

from pmpc_reconcile.execute.goals import network, sdn
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.records import Records, lease_name
from pmpc_state import (
    JournalRun,
    JournalStep,
    Lease,
    PlanStatus,
    RevisionStatus,
    RunStatus,
    this_process,
)


async def abandon_open_runs(
    live: LiveCluster, records: Records, release: str, patience: Patience
) -> None:
    """Settle and close the runs of a release that nobody works on any more.

    Raises:
        LeaseHeld: Somebody does work on them.
    """

    def left_open() -> tuple[JournalRun, ...]:
        reader = records.state.reader()
        return reader.journal.runs(records.cluster, release=release, status=RunStatus.RUNNING)

    runs = await records.run(left_open)
    if not runs:
        return
    writer = records.state.writer()
    name = lease_name(records.cluster, release)
    lease = await records.run(
        lambda: writer.leases.acquire(name, holder=this_process(), seconds=patience.lease)
    )
    try:
        for run in runs:
            await _abandon(live, records, run, lease, patience)
    finally:
        await records.run(lambda: writer.leases.release(lease))


async def _abandon(
    live: LiveCluster, records: Records, run: JournalRun, lease: Lease, patience: Patience
) -> None:
    writer = records.state.writer()
    steps = await records.run(lambda: writer.journal.steps(run.id))
    for step in steps:
        await _settle(live, step, patience)
    await sdn.abandon_staged(live, steps)
    await network.abandon_staged(live, steps)

    def close() -> None:
        writer.journal.resume(run.id, lease)
        writer.journal.finish(run.id, RunStatus.ABANDONED)

    await records.run(close)
    await _close(records, run)


async def _settle(live: LiveCluster, step: JournalStep, patience: Patience) -> None:
    from proxmox_client import PveError

    if not step.open:
        return
    upids = [step.upid] if step.upid else []
    node = step.intent.get("node")
    if not upids and node is not None:
        ids = {str(item) for item in step.intent.get("task_ids", ())}
        try:
            rows = await live.active_tasks(str(node))
        except PveError:
            rows = ()
        upids = [str(row["upid"]) for row in rows if str(row.get("id", "")) in ids]
    for upid in upids:
        await live.client.task(upid).wait(timeout=patience.task)


async def _close(records: Records, run: JournalRun) -> None:
    for revision in await records.revisions(run.release):
        if revision.plan_id == run.plan_id and revision.status is RevisionStatus.PENDING:
            await records.end_revision(run.release, revision.number, RevisionStatus.FAILED)
    if run.plan_id is not None:
        plan_id = run.plan_id
        await records.run(
            lambda: records.state.writer().plans.set_status(plan_id, PlanStatus.FAILED)
        )
