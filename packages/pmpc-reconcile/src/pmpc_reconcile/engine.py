"""The engine: plan, apply, roll back, delete. Everything async; `blocking` is the sync door.

engine = Reconciler(client, state, "home")
plan = await engine.plan(load("stack/"), "shop")
print(plan.explain())
report = await engine.apply(plan)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from pmpc_reconcile.adopting import Adoptable, write_manifests
from pmpc_reconcile.diagnostics import Diagnostic, warning
from pmpc_reconcile.errors import (
    ClientRequired,
    InputInvalid,
    PlanNotFound,
    PlanRefused,
    PlanStale,
    PlanTooRisky,
    ReleaseNotFound,
)
from pmpc_reconcile.events import EventSink, ignore_event
from pmpc_reconcile.execute.executor import Executor, refuse_unless_applicable
from pmpc_reconcile.execute.recovery import abandon_open_runs
from pmpc_reconcile.execute.report import ApplyReport
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.manifests import Manifest, load_text, manifest_from_document
from pmpc_reconcile.plan.model import Plan, Purpose
from pmpc_reconcile.planner import Planner, Request
from pmpc_reconcile.records import Records
from pmpc_reconcile.releases import needs_revision, rollback_target
from pmpc_reconcile.risk import Risk
from pmpc_state import LeaseHeld, PlanStatus, Revision, this_process

if TYPE_CHECKING:
    from pmpc_state import PlanRecord, State
    from proxmox_client import AsyncClient

_WORDS = ("ours", "theirs", "ignore")
_NOTHING: Mapping[str, str] = {}


class Reconciler:
    """Brings one cluster to what manifests say.

    Args:
        client: Connection to the cluster; None where only records are read.
        state: The state database.
        cluster: Name of the cluster in it.
        now: Wall clock in seconds since the epoch.
        sleep: How to wait.
        on_event: Gets progress.
        actor: Who acts, for journal and audit log.
        patience: Deadlines of the executor.
    """

    def __init__(
        self,
        client: AsyncClient | None,
        state: State,
        cluster: str,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_event: EventSink = ignore_event,
        actor: str = "local",
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._now = now
        self._sleep = sleep
        self._emit = on_event
        self._patience = patience or Patience()
        self.cluster = cluster
        self.records = Records(state, cluster, actor)

    # -- planning -----------------------------------------------------------------------------

    async def plan(
        self,
        manifests: Sequence[Manifest],
        release: str = "default",
        *,
        resolve: Mapping[str, str] = _NOTHING,
        prune: bool = False,
        restart: Collection[str] = (),
        save: bool = True,
    ) -> Plan:
        """Return what would bring the cluster to the manifests; nothing is changed.

        Args:
            manifests: What is wanted.
            release: The release they belong to.
            resolve: How to settle conflicts: `config.cores` or
                `VirtualMachine/web-1:config.cores` to `ours`, `theirs` or `ignore`.
            prune: Delete objects of the release that the manifests do not have. An empty set of
                manifests never prunes.
            restart: Addresses of guests of the policy `on-demand` to restart if options wait for
                it; `*` for every one.
            save: Store the plan so that it can be applied by its id.

        Raises:
            ManifestInvalid: Two manifests are about one object.
            InputInvalid: A resolution is not understood.
            PveError: The cluster cannot be read.
        """
        if prune and not manifests:
            raise InputInvalid(
                "there are no manifests, and pruning would delete everything of the release; "
                "use delete for that"
            )
        request = Request(
            release,
            tuple(manifests),
            resolutions=_resolutions(resolve),
            prune=prune,
            restart=frozenset(restart),
        )
        return await self._planned(request, save=save)

    async def adopt(
        self,
        names: Sequence[str] = (),
        kinds: Sequence[str] = (),
        release: str = "default",
        *,
        save: bool = False,
    ) -> tuple[Adoptable, Plan]:
        """Return manifests of guests nobody manages, and the plan that makes them ours.

        The plan is the proof: its steps only put our marker into the description. Applying it
        adopts the guests; nothing is changed before.

        Args:
            names: Names or vmids of guests; none for every guest that is no template.
            kinds: Names of kinds; none for every kind of guest.
            release: The release they are to belong to.
            save: Store the plan so that it can be applied by its id.

        Raises:
            InputInvalid: There is no such guest, or none that can be adopted.
            PveError: The cluster cannot be read.
        """
        found = await write_manifests(self._live(), names, kinds)
        if not found.vmids:
            raise InputInvalid("; ".join(("there is no guest to adopt", *found.left)))
        request = Request(
            release, load_text(found.text, name="adopted"), note="adopt", adopted=found.vmids
        )
        return found, await self._planned(request, save=save)

    async def rollback(
        self,
        release: str,
        revision: int | None = None,
        *,
        resolve: Mapping[str, str] = _NOTHING,
        save: bool = True,
    ) -> Plan:
        """Return the plan that brings a release back to an earlier revision, as a new revision.

        It is compared with what is there now, and only fields of ours are written. Objects that
        came later stay.

        Args:
            release: The release.
            revision: Its number; the last one applied before the newest by default.
            resolve: How to settle conflicts, as for `plan`.
            save: Store the plan.

        Raises:
            ReleaseNotFound: There is no such release or revision.
        """
        await self._require(release)
        target = rollback_target(release, await self.records.revisions(release), revision)
        request = Request(
            release,
            _manifests(target),
            purpose=Purpose.ROLLBACK,
            note=f"rollback to {target.number}",
            resolutions=_resolutions(resolve),
        )
        return await self._planned(request, save=save)

    async def delete(self, release: str, *, save: bool = True) -> Plan:
        """Return the plan that deletes every object of a release that is provably ours.

        Raises:
            ReleaseNotFound: There is no such release.
        """
        await self._require(release)
        request = Request(release, (), purpose=Purpose.DELETE, note="delete", prune=True)
        return await self._planned(request, save=save)

    async def _planned(self, request: Request, *, save: bool) -> Plan:
        import attrs

        live = self._live()
        warnings = await self._settle(live, request.release)
        planner = Planner(live, self.records, self._emit, self._now)
        plan = await planner.plan(attrs.evolve(request, warnings=warnings))
        if save:
            await self.records.save_plan(plan)
        return plan

    async def _settle(self, live: LiveCluster, release: str) -> tuple[Diagnostic, ...]:
        """Let what a crashed run began come to its end, so that the plan sees the truth."""
        try:
            await abandon_open_runs(live, self.records, release, self._patience)
        except LeaseHeld as held:
            return (
                warning(
                    f"release {release} is being applied by {held.holder}; "
                    "what this plan saw may be half done"
                ),
            )
        return ()

    # -- doing --------------------------------------------------------------------------------

    async def apply(
        self,
        plan: Plan,
        on_event: EventSink | None = None,
        *,
        max_risk: Risk = Risk.DESTRUCTIVE,
    ) -> ApplyReport:
        """Do what a plan says and report what became of each step.

        A plan that a crash interrupted is taken up where it was. Objects in conflict are left
        alone; other objects go on.

        Args:
            plan: The plan.
            on_event: Gets progress; the engine's own sink by default.
            max_risk: Refuse a plan that is riskier.

        Raises:
            PlanRefused: It has errors or was applied already.
            PlanTooRisky: It is riskier than allowed.
            PlanStale: The release got another revision after the plan was made.
            LeaseHeld: Another process is applying the release.
            LeaseLost: Another process took over.
        """
        self._check_risk(plan, max_risk)
        refuse_unless_applicable(plan)
        if plan.cluster != self.cluster:
            raise PlanRefused(f"plan {plan.id} is for cluster {plan.cluster!r}")
        await self._check_base(plan)
        await self._ensure_saved(plan)
        emit = on_event or self._emit
        quiet = await self._nothing_to_do(plan)
        if quiet is not None:
            return quiet
        executor = Executor(
            self._live(),
            self.records,
            emit=emit,
            now=self._now,
            sleep=self._sleep,
            patience=self._patience,
        )
        writer = self.records.state.writer()
        name, seconds = lease_name(self.cluster, plan.release), self._patience.lease
        lease = await self.records.run(
            lambda: writer.leases.acquire(name, holder=this_process(), seconds=seconds)
        )
        try:
            await self._check_base(plan)  # again: until now another process could apply
            return await executor.apply(plan, lease)
        finally:
            await self.records.run(lambda: writer.leases.release(lease))

    def _check_risk(self, plan: Plan, allowed: Risk) -> None:
        risky = [step for step in plan.steps if step.risk.rank > allowed.rank]
        if risky:
            raise PlanTooRisky(
                f"plan {plan.id} is {plan.risk.value}, and only {allowed.value} is allowed",
                [f"{step.summary} ({step.risk.value})" for step in risky],
            )

    async def _check_base(self, plan: Plan) -> None:
        revisions = await self.records.revisions(plan.release)
        newest = revisions[-1] if revisions else None
        number = newest.number if newest else None
        if number == plan.base_revision or (newest is not None and newest.plan_id == plan.id):
            return
        raise PlanStale(
            f"plan {plan.id} was made against revision {plan.base_revision or 'none'} of release "
            f"{plan.release}, which is at {number} now; make a new plan"
        )

    async def _ensure_saved(self, plan: Plan) -> None:
        try:
            await self.records.plan_record(plan.id)
        except PlanNotFound:
            await self.records.save_plan(plan)

    async def _nothing_to_do(self, plan: Plan) -> ApplyReport | None:
        """Return the report of a plan that neither writes nor records anything, else None."""
        if plan.steps or any(item.record for item in plan.objects):
            return None
        revisions = await self.records.revisions(plan.release)
        if needs_revision(plan, revisions[-1] if revisions else None):
            return None
        await self.records.claim_plan(plan)
        await self.records.end_plan(plan, PlanStatus.APPLIED)
        return ApplyReport(
            plan.id,
            plan.release,
            (),
            conflicts=tuple(item.address for item in plan.conflicts),
            restart_required=tuple(item.address for item in plan.objects if item.restart),
        )

    # -- remembering --------------------------------------------------------------------------

    async def stored_plan(self, plan_id: str) -> Plan:
        """Return a stored plan by its id or the beginning of it.

        Raises:
            PlanNotFound: There is none.
        """
        return await self.records.load_plan(plan_id)

    async def stored_plans(
        self, release: str | None = None, limit: int = 100
    ) -> tuple[PlanRecord, ...]:
        """Return stored plans with their status, newest first."""
        return await self.records.plans(release, limit)

    async def history(self, release: str | None = None) -> tuple[Revision, ...]:
        """Return the revisions of a release, oldest first; of every release the newest one.

        Raises:
            ReleaseNotFound: There is no such release.
        """
        if release is not None:
            revisions = await self.records.revisions(release)
            if not revisions:
                raise ReleaseNotFound(f"release {release!r} was never applied")
            return revisions
        found: list[Revision] = []
        for item in await self.records.releases():
            found.extend((await self.records.revisions(item.name))[-1:])
        return tuple(found)

    async def manifests_of(self, release: str) -> tuple[Manifest, ...]:
        """Return the manifests of the newest revision of a release, without secrets.

        Raises:
            ReleaseNotFound: There is no such release.
        """
        await self._require(release)
        return _manifests(await self.records.revision(release))

    async def _require(self, release: str) -> None:
        if await self.records.release(release) is None:
            known = [item.name for item in await self.records.releases() if not item.deleted_at]
            there = f"known are {', '.join(known)}" if known else "there are none yet"
            raise ReleaseNotFound(f"there is no release {release!r}; {there}")

    def _live(self) -> LiveCluster:
        if self._client is None:
            raise ClientRequired(f"this needs a connection to cluster {self.cluster!r}")
        return LiveCluster(self._client)


def lease_name(cluster: str, release: str) -> str:
    """Return the name of the lease under which a release is applied."""
    return f"apply/{cluster}/{release}"


def _manifests(revision: Revision) -> tuple[Manifest, ...]:
    return tuple(manifest_from_document(dict(document)) for document in revision.manifests)


def _resolutions(resolve: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for key, word in resolve.items():
        if word not in _WORDS:
            raise InputInvalid(f"cannot resolve {key} with {word!r}: use {', '.join(_WORDS)}")
        address, colon, path = key.partition(":")
        found.setdefault(address if colon else "", {})[path if colon else key] = word
    return found
