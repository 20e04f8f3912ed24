"""The steps of one application of a plan, with what they share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import attrs

from pmpc_reconcile.diff import pending_options
from pmpc_reconcile.events import EventSink, StepDone, StepFailed, StepSkipped, StepStarted
from pmpc_reconcile.execute.drive import drive
from pmpc_reconcile.execute.goals import goal_for
from pmpc_reconcile.execute.journal import StepJournal
from pmpc_reconcile.execute.lanes import Lanes
from pmpc_reconcile.execute.ownership import OwnershipKeeper
from pmpc_reconcile.execute.report import Outcome, StepResult
from pmpc_reconcile.execute.schedule import Brake, run_steps
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.execute.steprun import ObjectRun, StepRun
from pmpc_reconcile.execute.trouble import StepFailure
from pmpc_reconcile.kinds import kind
from pmpc_reconcile.live import LiveCluster, SharedInventory
from pmpc_reconcile.plans.cold import NEEDS_STOP
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.plans.steps import HOOK_STEPS, CloneGuest, CreateGuest, Step
from pmpc_reconcile.plans.undo import Undo
from pmpc_reconcile.records import Records
from pmpc_state import JournalStep, Lease


@attrs.frozen
class Means:
    """What every application works with.

    Attributes:
        live: The cluster.
        records: What is remembered.
        emit: Gets events.
        now: Wall clock in seconds.
        sleep: How to wait.
        patience: Deadlines.
    """

    live: LiveCluster
    records: Records
    emit: EventSink
    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    patience: Patience


class Work:
    """The steps of one application, with what they share."""

    def __init__(
        self,
        means: Means,
        plan: Plan,
        run_id: str,
        earlier: tuple[JournalStep, ...],
        lease: Lease,
        brake: Brake,
    ) -> None:
        self._means = means
        self._plan = plan
        self._run_id = run_id
        self._earlier = earlier
        self._lease = lease
        self._brake = brake
        self._positions = {step.id: number for number, step in enumerate(plan.steps)}
        self._reserved: set[int] = set()
        self._nodes: dict[str, str | None] = {}
        self.lanes = Lanes(means.patience.pace)
        self._inventory = SharedInventory(means.live.inventory, means.now)
        self.objects = {
            item.address: ObjectRun(item, vmid=item.vmid, node=item.node) for item in plan.objects
        }
        for entry in earlier:
            self._remember_vmid(entry)
        self.keeper = OwnershipKeeper(means.records, plan, self.objects)

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
        records, lease = self._means.records, self._lease
        seconds = self._means.patience.lease
        await records.run(lambda: records.state.writer().leases.renew(lease, seconds=seconds))

    def node_of(self, step: Step) -> str | None:
        """Return the node a step works on, as far as it is known when it is first asked."""
        if step.id not in self._nodes:
            self._nodes[step.id] = self._where(step)
        return self._nodes[step.id]

    def _where(self, step: Step) -> str | None:
        if isinstance(step, CloneGuest):
            return step.template_node
        if isinstance(step, CreateGuest):
            return step.node
        return self.objects[step.address].node

    def skip(self, step: Step, reason: str) -> StepResult:
        """Note that a step is not run."""
        self._means.emit(StepSkipped(step.id, step.address, reason))
        return StepResult(step.id, step.address, step.summary, Outcome.SKIPPED, reason)

    async def run(self, step: Step) -> StepResult:
        """Drive one step; what goes wrong becomes data."""
        await self.keeper.step_begins(step)
        return await self._drive(step, lambda: self.keeper.step_done(step))

    async def take_back(self, undos: Sequence[Undo]) -> tuple[StepResult, ...]:
        """Undo steps that were begun."""
        undone = {undo.step.id: undo.of for undo in undos}
        first = len(self._positions)
        self._positions |= {name: first + number for number, name in enumerate(undone)}

        async def undo(step: Step) -> StepResult:
            return await self._drive(step, lambda: self.keeper.step_undone(step, undone[step.id]))

        steps = [undo.step for undo in undos]
        return await run_steps(steps, undo, self.skip, lanes=self.lanes, node=self.node_of)

    async def _drive(self, step: Step, record: Callable[[], Awaitable[None]]) -> StepResult:
        from proxmox_client import PveError

        means = self._means
        await self.keep()
        run = self._step_run(step)
        earlier = run.journal.adopt(self._earlier)
        run.resumed = bool(earlier)
        means.emit(StepStarted(step.id, step.address, step.summary, run.resumed))
        started = means.now()
        reason = ""
        try:
            if not (isinstance(step, HOOK_STEPS) and run.journal.ended):
                await drive(goal_for(step), run, earlier)
            await record()
        except StepFailure as error:
            reason = str(error)
        except PveError as error:
            reason = str(error)
        seconds = means.now() - started
        if reason:
            means.emit(StepFailed(step.id, step.address, reason))
        else:
            means.emit(StepDone(step.id, step.address, seconds, tuple(run.warnings)))
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
        means = self._means
        journal = StepJournal(
            means.records, self._run_id, step.id, step.address, self._positions[step.id]
        )
        return StepRun(
            step=step,
            plan=self._plan,
            target=self.objects[step.address],
            others=self.objects,
            live=means.live,
            inventory=self._inventory,
            journal=journal,
            emit=means.emit,
            now=means.now,
            sleep=means.sleep,
            patience=means.patience,
            reserved=self._reserved,
            keep=self.keep,
            brake=self._brake,
            lane=self.lanes.of(self.node_of(step)),
        )


def _waits_for_restart(target: ObjectRun) -> bool:
    guest, item = target.seen, target.item
    if guest is None:
        return bool(item.restart)
    pending = pending_options(kind(item.kind), guest.running_config, guest.config, item.desired)
    return guest.running and (bool(pending) or item.waits.startswith(NEEDS_STOP))
