"""Releases and their revisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.errors import ReleaseNotFound
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.records.crossing import Crossing
from pmpc_state import NotRecorded, Release, Revision, RevisionStatus

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest


class ReleaseRecords(Crossing):
    """Releases of one cluster."""

    async def release(self, name: str) -> Release | None:
        """Return a release that has not been deleted, None if there is none."""
        found = await self.run(lambda: self.state.reader().releases.find(self.cluster, name))
        return None if found is None or found.deleted_at is not None else found

    async def releases(self, *, deleted: bool = False) -> tuple[Release, ...]:
        """Return every release, those that were deleted only if asked for."""
        return await self.run(
            lambda: self.state.reader().releases.list(self.cluster, deleted=deleted)
        )

    async def revisions(self, name: str) -> tuple[Revision, ...]:
        """Return the revisions of a release, oldest first."""
        found = await self.run(lambda: self.state.reader().releases.revisions(self.cluster, name))
        return tuple(reversed(found))

    async def revision(self, name: str, number: int | None = None) -> Revision:
        """Return one revision, the newest by default.

        Raises:
            ReleaseNotFound: There is none.
        """
        try:
            return await self.run(
                lambda: self.state.reader().releases.revision(self.cluster, name, number)
            )
        except NotRecorded as error:
            raise ReleaseNotFound(str(error)) from error

    async def add_revision(
        self, plan: Plan, documents: Iterable[Mapping[str, Any]], note: str
    ) -> int:
        """Record the next revision of a release and return its number."""
        revision = await self.run(
            lambda: self.state.writer().releases.add_revision(
                self.cluster,
                plan.release,
                documents,
                actor=self.actor,
                action=plan.purpose.value,
                plan_id=plan.id,
                note=note,
            )
        )
        return revision.number

    async def end_revision(self, release: str, number: int, status: RevisionStatus) -> None:
        """Record how far a revision got; the one applied before is superseded."""

        def write() -> None:
            with self.state.transaction() as writer:
                for other in writer.releases.revisions(self.cluster, release):
                    current = other.number != number and other.status is RevisionStatus.APPLIED
                    if current and status is RevisionStatus.APPLIED:
                        writer.releases.set_status(
                            self.cluster, release, other.number, RevisionStatus.SUPERSEDED
                        )
                writer.releases.set_status(self.cluster, release, number, status)

        await self.run(write)

    async def mark_deleted(self, release: str) -> None:
        """Record that a release's objects are gone."""
        await self.run(lambda: self.state.writer().releases.mark_deleted(self.cluster, release))


def documents_of(
    manifests: Iterable[Manifest], fingerprint: Callable[[str], str]
) -> tuple[dict[str, Any], ...]:
    """Return manifests as documents for the record, without secrets."""
    return tuple(manifest.to_document(fingerprint) for manifest in manifests)
