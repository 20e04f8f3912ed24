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

from pmpc_reconcile.adopting import Adoptable, Wanted, write_manifests
from pmpc_reconcile.applying import apply_plan
from pmpc_reconcile.archive import Archive, manifests_in
from pmpc_reconcile.errors import (
    ClientRequired,
    InputInvalid,
)
from pmpc_reconcile.events import EventSink, ignore_event
from pmpc_reconcile.execute.executor import Course
from pmpc_reconcile.execute.listening import Listener
from pmpc_reconcile.execute.recovery import abandon_open_runs
from pmpc_reconcile.execute.report import ApplyReport
from pmpc_reconcile.execute.schedule import Brake
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.execute.work import Means
from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.manifests import Manifest, load_text, manifest_from_document
from pmpc_reconcile.planner import Planner
from pmpc_reconcile.planning.request import Request, release_of
from pmpc_reconcile.plans.caps import MOST_DELETED
from pmpc_reconcile.plans.model import ObjectAction, Plan, Purpose
from pmpc_reconcile.releases import check_release_name, rollback_target
from pmpc_reconcile.risk import Risk

if TYPE_CHECKING:
    from pmpc_reconcile.contexts import Context
    from pmpc_reconcile.staleness import StaleObject
    from pmpc_state import State
    from proxmox_client import AsyncClient

_WORDS = ("ours", "theirs", "ignore")
_NOTHING: Mapping[str, str] = {}


class Reconciler(Archive):
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
        approval_from: Plans of this risk and above are applied only when somebody else than who
            made them approved them; None leaves it to the plan.

    Attributes:
        cluster: The cluster's name.
        records: What is remembered of it.
        context: The context it was opened by; None if it was put together by hand.
        closed: Whether connection and database were closed.
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
        approval_from: Risk | None = None,
    ) -> None:
        super().__init__(state, cluster, actor)
        self._client = client
        self._now = now
        self._sleep = sleep
        self._emit = on_event
        self._patience = patience or Patience()
        self._approval_from = approval_from
        self.context: Context | None = None
        self.closed = False

    # -- planning -----------------------------------------------------------------------------

    async def plan(
        self,
        manifests: Sequence[Manifest],
        release: str | None = None,
        *,
        resolve: Mapping[str, str] = _NOTHING,
        prune: bool = False,
        most_deleted: int | None = MOST_DELETED,
        restart: Collection[str] = (),
        needs_approval: bool = False,
        save: bool = True,
        go_on_with: Callable[[Plan], bool] | None = None,
    ) -> Plan:
        """Return what would bring the cluster to the manifests; nothing is changed.

        Args:
            manifests: What is wanted.
            release: The release they belong to; by default the one that a manifest of the kind
                `Release` among them names, else `default`.
            resolve: How to settle conflicts: `config.cores` or
                `VirtualMachine/web-1:config.cores` to `ours`, `theirs` or `ignore`.
            prune: Delete objects of the release that the manifests do not have. An empty set of
                manifests never prunes.
            most_deleted: Most objects that pruning deletes; None for any number.
            restart: Addresses of guests of the policy `on-demand` to restart if options wait for
                it; `*` for every one.
            needs_approval: Let it be applied only after somebody else approved it.
            save: Store the plan so that it can be applied by its id.
            go_on_with: Says of a plan whose application a crash cut off that it is to be gone on
                with; others are closed, and the new plan sees what they did.

        Raises:
            RunCutOff: There is such a plan to be gone on with.
            ManifestInvalid: Two manifests are about one object.
            InputInvalid: A resolution is not understood, or nothing is declared by an address to
                restart.
            PveError: The cluster cannot be read.
        """
        _refuse_strays("restart", restart, {str(manifest.address) for manifest in manifests})
        if prune and not manifests:
            raise InputInvalid(
                "there are no manifests, and pruning would delete everything of the release; "
                "use delete for that"
            )
        request = Request(
            release_of(manifests, release),
            tuple(manifests),
            resolutions=_resolutions(resolve),
            prune=prune,
            most_deleted=most_deleted,
            restart=frozenset(restart),
        )
        return await self._planned(
            request, save=save, needs_approval=needs_approval, go_on_with=go_on_with
        )

    async def adopt(
        self,
        names: Sequence[str] = (),
        kinds: Sequence[str] = (),
        release: str = "default",
        *,
        save: bool = False,
    ) -> tuple[Adoptable, Plan]:
        """Return manifests of what nobody manages, and the plan that makes it ours.

        The plan is the proof: its steps only put our marker into a guest's description, and it has
        none for other kinds. Applying it adopts them; nothing is changed before.

        Args:
            names: Names or vmids of guests, or of what else is adopted; none for every guest that
                is no template. What the release itself manages is taken as it is now: what others
                changed or added is ours from then on.
            kinds: Names of kinds; none for every kind of guest.
            release: The release they are to belong to.
            save: Store the plan so that it can be applied by its id.

        Raises:
            InputInvalid: There is no such guest, or none that can be adopted.
            PveError: The cluster cannot be read.
        """
        managed = (await self.records.managed(release)).values()
        own = {(item.kind, item.key): item.address for item in managed}
        taken = (await self.records.claims(release)).keys()
        wanted = Wanted(names, kinds, release, own, taken)
        found = await write_manifests(self._live(), wanted)
        if not found.vmids and not found.taken:
            raise InputInvalid("; ".join(("there is nothing to adopt", *found.left)))
        request = Request(
            release,
            load_text(found.text, name="adopted"),
            note="adopt",
            adopted=found.vmids,
            taken=found.taken,
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
        revisions = await self.records.revisions(release)
        if not revisions:  # one that was deleted has revisions, and is there again afterwards
            await self._require(release)
        target = rollback_target(release, revisions, revision)
        request = Request(
            release,
            manifests_in(target),
            purpose=Purpose.ROLLBACK,
            note=f"rollback to {target.number}",
            resolutions=_resolutions(resolve),
        )
        return await self._planned(request, save=save)

    async def delete(self, release: str, *, keep: Collection[str] = (), save: bool = True) -> Plan:
        """Return the plan that deletes every object of a release that is provably ours.

        Args:
            release: The release.
            keep: Addresses of objects that stay and are nobody's afterwards; `*` for all.
            save: Store the plan.

        Raises:
            ReleaseNotFound: There is no such release.
            InputInvalid: An address to keep is none of the release's objects.
        """
        await self._require(release)
        _refuse_strays("keep", keep, await self.records.managed(release))
        request = Request(
            release, (), purpose=Purpose.DELETE, note="delete", prune=True, keep=frozenset(keep)
        )
        return await self._planned(request, save=save)

    async def _planned(
        self,
        request: Request,
        *,
        save: bool,
        needs_approval: bool = False,
        go_on_with: Callable[[Plan], bool] | None = None,
    ) -> Plan:
        import attrs

        check_release_name(request.release)
        live = self._live()
        # What a crashed run began comes to its end, so that the plan sees the truth.
        left = await abandon_open_runs(
            live, self.records, request.release, self._patience, go_on_with
        )
        planner = Planner(live, self.records, self._emit, self._now)
        plan = await planner.plan(attrs.evolve(request, warnings=left.warnings))
        plan = attrs.evolve(left.told_in(plan), needs_approval=needs_approval, made_on=self)
        if save:
            await self.records.save_plan(plan)
        return plan

    # -- doing --------------------------------------------------------------------------------

    async def apply(
        self,
        plan: Plan,
        on_event: EventSink | None = None,
        *,
        max_risk: Risk = Risk.DESTRUCTIVE,
        atomic: bool = False,
        brake: Brake | None = None,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> ApplyReport:
        """Do what a plan says and report what became of each step.

        A plan that a crash interrupted is taken up where it was. Objects in conflict are left
        alone; other objects go on.

        Args:
            plan: The plan.
            on_event: Gets progress; the engine's own sink by default. What it raises stops the
                plan as a brake does and is raised when nothing runs any more.
            max_risk: Refuse a plan that is riskier.
            atomic: All or nothing: if a step fails, what was done is undone. A plan that nothing
                could undo is refused.
            brake: Pull it to stop: steps that run come to their end, no further one begins.
            check: Called when nobody else can write any more and nothing is written yet; what it
                raises ends the application.

        Raises:
            PlanRefused: It has errors, was applied already, or could not be undone.
            PlanTooRisky: It is riskier than allowed.
            PlanStale: The release got another revision after the plan was made.
            LeaseHeld: Another process is applying the release.
            LeaseLost: Another process took over.
        """
        course = Course(atomic, brake or Brake(), self._approval_from, check)
        listener = Listener(on_event or self._emit, course.brake)
        means = Means(
            self._live(), self.records, listener, self._now, self._sleep, self._patience
        )  # fmt: skip
        report = await apply_plan(means, plan, course, max_risk=max_risk)
        if listener.error is not None:
            raise listener.error
        return report

    # -- looking ------------------------------------------------------------------------------

    async def stale(self, plan: Plan) -> tuple[StaleObject, ...]:
        """Return the objects of a plan that moved, changed or went since it was made."""
        from pmpc_reconcile.staleness import settings_of, stale_objects, stale_settings

        found = await stale_objects(self._live(), plan)
        if not settings_of(plan):
            return found
        given = tuple(manifest_from_document(dict(one)) for one in plan.documents)
        prune = any(item.action is ObjectAction.DELETE for item in plan.objects)
        request = Request(plan.release, given, purpose=plan.purpose, prune=prune)
        now = await Planner(self._live(), self.records, ignore_event, self._now).plan(request)
        return (*found, *stale_settings(plan, now))

    def _live(self) -> LiveCluster:
        if self._client is None:
            raise ClientRequired(f"this needs a connection to cluster {self.cluster!r}")
        return LiveCluster(self._client)


def _refuse_strays(verb: str, named: Collection[str], known: Collection[str]) -> None:
    """Refuse addresses that mean nothing: a typing mistake would delete what was to be kept.

    Raises:
        InputInvalid: There are some.
    """
    from pmpc_reconcile.diagnostics import did_you_mean

    for address in sorted(set(named) - {"*", *known}):
        shown = sorted(known)[:5] or ["nothing"]
        there = ", ".join((*shown, *(["…"] if len(known) > len(shown) else ())))
        hint = did_you_mean(address, known) or f"there is {there}"
        raise InputInvalid(f"cannot {verb} {address}: there is no such object; {hint}")


def _resolutions(resolve: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for key, word in resolve.items():
        if word not in _WORDS:
            raise InputInvalid(f"cannot resolve {key} with {word!r}: use {', '.join(_WORDS)}")
        address, colon, path = key.partition(":")
        found.setdefault(address if colon else "", {})[path if colon else key] = word
    return found
