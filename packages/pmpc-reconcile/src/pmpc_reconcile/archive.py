"""What is remembered of a cluster's releases: plans, approvals, revisions. Needs no connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pmpc_reconcile.approvals import Approval, approvals_of, approve
from pmpc_reconcile.errors import ReleaseNotFound
from pmpc_reconcile.manifests import Manifest, manifest_from_document
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.records import Records
from pmpc_state import Revision

if TYPE_CHECKING:
    from pmpc_state import PlanRecord, State


class Archive:
    """Remembers one cluster.

    Args:
        state: The state database.
        cluster: Name of the cluster in it.
        actor: Who acts, for the audit log.
    """

    def __init__(self, state: State, cluster: str, actor: str) -> None:
        self.cluster = cluster
        self.records = Records(state, cluster, actor)

    async def stored_plan(self, plan_id: str) -> Plan:
        """Return a stored plan by its id or the beginning of it.

        Raises:
            PlanNotFound: There is none.
        """
        return await self.records.load_plan(plan_id)

    async def approve(self, plan_id: str, note: str = "") -> Plan:
        """Say that a stored plan of somebody else may be applied, and return it.

        Raises:
            PlanNotFound: There is none.
            PlanRefused: The same actor made it, or it was applied already.
        """
        return await approve(self.records, plan_id, note)

    async def approvals(self, plan: Plan) -> tuple[Approval, ...]:
        """Return who approved exactly this plan."""
        return await approvals_of(self.records, plan)

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
        for item in await self.records.releases(deleted=True):
            found.extend((await self.records.revisions(item.name))[-1:])
        return tuple(found)

    async def manifests_of(self, release: str) -> tuple[Manifest, ...]:
        """Return the manifests of the newest revision of a release, without secrets.

        Raises:
            ReleaseNotFound: There is no such release.
        """
        await self._require(release)
        return manifests_in(await self.records.revision(release))

    async def _require(self, release: str) -> None:
        if await self.records.release(release) is None:
            known = [item.name for item in await self.records.releases()]
            there = f"known are {', '.join(known)}" if known else "there are none yet"
            raise ReleaseNotFound(f"there is no release {release!r}; {there}")


def manifests_in(revision: Revision) -> tuple[Manifest, ...]:
    """Return the manifests of a revision, without secrets."""
    return tuple(manifest_from_document(dict(document)) for document in revision.manifests)
