"""The reconcile loop: look at each release now and then, report drift, undo it where told to.

Level-based: a piece of work names an object, and whoever takes it up plans afresh. Writing is the
engine's business, under the release's lease with its fencing token and its journal; so a worker
that was replaced writes nothing more, whichever queue brought the work.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

import attrs

from pmpc_reconcile.conditions import Condition, conditions_of_plan
from pmpc_reconcile.controllers import judging
from pmpc_reconcile.controllers.budget import disruption
from pmpc_reconcile.controllers.interrupted import (
    HEAL,
    GivenUp,
    interrupted,
    refuse_if_others_wrote,
    runs_of,
)
from pmpc_reconcile.controllers.news import Healed, Looked, NewsSink, Postponed, ignore_news
from pmpc_reconcile.controllers.policy import policy_for
from pmpc_reconcile.controllers.settings import LoopSettings
from pmpc_reconcile.controllers.work import LOOK, Again, Queue, Work
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.errors import (
    PlanRefused,
    PlanStale,
    PlanTooRisky,
    QueueUnreachable,
    ReconcileError,
    ReleaseNotFound,
    RunCutOff,
)
from pmpc_reconcile.manifests import Manifest
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.plans.restrict import restricted
from pmpc_reconcile.risk import Risk
from pmpc_state import Control, LeaseHeld, LeaseLost, RunStatus, StateError

log = logging.getLogger(__name__)

ManifestSource = Callable[[str], Awaitable[Sequence[Manifest]]]
"""Returns the manifests of a release; by default those of its newest revision."""


class ReconcileLoop:
    """Keeps the releases of one cluster as they were declared.

    Args:
        engine: Plans and applies.
        queue: Brings the work.
        settings: How to go about it.
        manifests: Where a release's manifests come from.
        on_news: Gets told what happens.
        chance: Source of jitter.
        now: Wall clock in seconds, which tells the processes of a cluster what period it is.
    """

    def __init__(
        self,
        engine: Reconciler,
        queue: Queue,
        settings: LoopSettings | None = None,
        *,
        manifests: ManifestSource | None = None,
        on_news: NewsSink = ignore_news,
        chance: random.Random | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._records = engine.records
        self._queue = queue
        self._settings = settings or LoopSettings()
        self._manifests = manifests or engine.manifests_of
        self._tell = on_news
        self._now = now
        self._chance = chance or random.Random()  # noqa: S311 (jitter, no secret)

    async def run(self, stop: asyncio.Event) -> None:
        """Look and heal until `stop` is set; an apply that was begun then is finished."""
        ticking = asyncio.create_task(self._tick(stop))
        try:
            await self._queue.run(self.handle, stop, workers=self._settings.workers)
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking

    async def look_at_all(self, moment: int | None = None) -> None:
        """Put a look at every release into the queue.

        Args:
            moment: Number of the period, so that of all processes only one does; None for now.
        """
        for release in await self._records.releases():
            look = Work(self._engine.cluster, release.name)
            if moment is None:
                await self._queue.put(look)
            else:
                await self._queue.put_once(look, moment)

    async def handle(self, work: Work, failures: int) -> Again | None:
        """Do a piece of work; what goes wrong becomes another try later."""
        from proxmox_client import PveError

        given_up = GivenUp()
        try:
            again = await self._finish_interrupted(work, failures, given_up)
            if again is not None:
                return again
            if work.address == LOOK:
                await self.look(work.release, given_up=given_up)
                return None
            return await self._heal(work, failures, given_up)
        except (LeaseHeld, LeaseLost) as error:
            return self._wait(work, str(error))
        except (PlanStale, RunCutOff):  # others were at it while we looked
            return Again(0.0)
        except ReleaseNotFound:
            return None  # it was deleted since
        except (ReconcileError, StateError, PveError) as error:
            return self._failed(work, failures, str(error))
        except Exception as error:  # one object must not stop the loop for the others
            log.exception("cannot reconcile %s", work.key)
            return self._failed(work, failures, f"unexpected {type(error).__name__}: {error}")

    async def look(
        self, release: str, *, heal: bool = True, given_up: GivenUp | None = None
    ) -> Plan:
        """Compare a release with the cluster, record conditions and ask for what needs healing.

        Args:
            release: The release.
            heal: False to only look, whatever was said.
            given_up: Healings that were cut off and cannot be gone on with; None for all.

        Raises:
            RunCutOff: There is another one, to be gone on with first.
        """
        plan = await self._engine.plan(
            await self._manifests(release),
            release,
            save=False,
            go_on_with=given_up.spares if given_up is not None else None,
        )
        controls = await self._controls()
        recorded = await self._records.managed(release)
        found = conditions_of_plan(plan, recorded)
        policies = {
            item.address: policy_for(controls, release, item.address) for item in plan.objects
        }
        await self._observe(
            release,
            {address: judging.told(found[address], policies[address]) for address in found},
            whole=True,
        )
        due = judging.due_restarts(plan)
        drifted = tuple(
            item.address
            for item in plan.objects
            if item.action in judging.HEALABLE and item.address not in due
        )
        healing = tuple(
            address for address in drifted if heal and judging.may_heal(policies[address])
        )
        restarting = [address for address in due if heal and not policies[address].suspended]
        for address in (*healing, *restarting):
            await self._queue.put(Work(self._engine.cluster, release, address))
        refused = tuple(item.address for item in plan.objects if item.action in judging.HELPLESS)
        self._tell(Looked(release, len(plan.objects), drifted, healing, refused))
        return plan

    # -- healing ------------------------------------------------------------------------------

    async def _heal(self, work: Work, failures: int, given_up: GivenUp) -> Again | None:
        controls = await self._controls()
        policy = policy_for(controls, work.release, work.address)
        if policy.suspended:
            return None
        seen = await runs_of(self._records, work.release)
        part = await self._part(work, given_up)
        item = part.find(work.address)
        if item is None or item.action not in judging.HEALABLE:
            return None
        if not policy.self_heal and work.address not in judging.due_restarts(part):
            return None
        held_back = judging.suspended(part, controls)
        if held_back:
            return self._failed(work, failures, f"it needs {', '.join(held_back)}, suspended")
        if judging.risky(part, self._settings.max_risk):
            return await self._too_risky(work, failures, part)
        return await self._carry_out(work, failures, part, seen)

    async def _finish_interrupted(
        self, work: Work, failures: int, given_up: GivenUp
    ) -> Again | None:
        """Go on with the healing that a dead worker left in the middle; then all is as usual."""
        part = await interrupted(self._records, work.release)
        if part is None:
            return None
        given_up.plans.add(part.id)
        if judging.risky(part, self._settings.max_risk):
            return None
        if judging.suspended(part, await self._controls()):
            return None
        healed = attrs.evolve(work, address=part.note.removeprefix(HEAL))
        try:
            return await self._carry_out(healed, failures, part, None)
        except LeaseHeld:  # somebody is at it: a look does no harm meanwhile
            given_up.plans.discard(part.id)
        except PlanRefused:  # it cannot be taken up any more: a plan of now goes on
            pass
        return None

    async def _carry_out(
        self, work: Work, failures: int, part: Plan, seen: Mapping[str, RunStatus] | None
    ) -> Again | None:
        if part.risk.rank < Risk.DISRUPTIVE.rank:
            return await self._apply(work, failures, part, seen)
        places, seconds = self._settings.disruptions, self._settings.lease
        async with disruption(self._records, places, seconds) as free:
            if not free:
                return self._wait(work, "the disruption budget is used up")
            return await self._apply(work, failures, part, seen)

    async def _part(self, work: Work, given_up: GivenUp) -> Plan:
        """Plan the one object, taking the manifest's side where somebody changed a field."""
        manifests = await self._manifests(work.release)
        plan = await self._engine.plan(
            manifests, work.release, save=False, go_on_with=given_up.spares
        )
        item = plan.find(work.address)
        if item is not None and item.conflicts:
            ours = {f"{work.address}:{change.path}": "ours" for change in item.conflicts}
            plan = await self._engine.plan(
                manifests, work.release, resolve=ours, save=False, go_on_with=given_up.spares
            )
        return attrs.evolve(restricted(plan, {work.address}), note=f"{HEAL}{work.address}")

    async def _apply(
        self, work: Work, failures: int, part: Plan, seen: Mapping[str, RunStatus] | None
    ) -> Again | None:
        """Apply a plan; a new one only if nobody has applied any since those runs were seen."""

        async def check() -> None:
            if seen is not None:
                await refuse_if_others_wrote(self._records, work.release, seen)

        report = await self._engine.apply(part, max_risk=part.risk, check=check)  # judged above
        if not report.ok:
            return self._failed(work, failures, judging.why(report))
        self._tell(Healed(work.release, work.address, report.writes))
        await self._queue.put(Work(work.cluster, work.release))
        return None

    async def _too_risky(self, work: Work, failures: int, part: Plan) -> Again:
        refusal = PlanTooRisky(
            f"healing would be {part.risk.value}, and only {self._settings.max_risk.value} is "
            "allowed; apply the release yourself, or allow the loop more",
            [step.summary for step in judging.risky(part, self._settings.max_risk)],
        )
        return self._failed(work, failures, str(refusal))

    # -- records ------------------------------------------------------------------------------

    async def _controls(self) -> tuple[Control, ...]:
        records = self._records
        return await records.run(lambda: records.state.reader().controls.list(records.cluster))

    async def _observe(
        self, release: str, found: dict[str, tuple[Condition, ...]], *, whole: bool
    ) -> None:
        records = self._records
        rows = {
            address: {
                condition.type.value: (condition.status.value, condition.reason, condition.message)
                for condition in conditions
            }
            for address, conditions in found.items()
        }
        await records.run(
            lambda: records.state.writer().controls.observe(
                records.cluster, release, rows, whole=whole
            )
        )

    # -- waiting ------------------------------------------------------------------------------

    async def _tick(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.look_at_all(int(self._now() // self._settings.every))
            except (
                StateError,
                QueueUnreachable,
            ):  # the database is away for now; the next tick may find it back
                log.exception("cannot read the releases of %s", self._engine.cluster)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._settings.every)

    def _failed(self, work: Work, failures: int, reason: str) -> Again:
        return self._later(
            work, self._settings.backoff.pause(failures + 1, self._chance), reason, True
        )

    def _wait(self, work: Work, reason: str) -> Again:
        return self._later(work, self._settings.turn * (0.5 + self._chance.random()), reason, False)

    def _later(self, work: Work, seconds: float, reason: str, failed: bool) -> Again:
        self._tell(Postponed(work.release, work.address, reason, seconds, failed))
        return Again(seconds, failed)
