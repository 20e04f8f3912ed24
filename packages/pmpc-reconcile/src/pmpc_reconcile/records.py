"""What is remembered between runs, and the one place where async code crosses to the database.

The state database is synchronous on purpose; every method here runs one short transaction in a
thread. Values come back in this package's words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from pmpc_reconcile.blame import last_changes
from pmpc_reconcile.blame_settings import settings_changes
from pmpc_reconcile.diff import Claim
from pmpc_reconcile.errors import PlanNotFound, PlanRefused, ReleaseNotFound
from pmpc_reconcile.identity import Evidence
from pmpc_reconcile.locate import Recorded
from pmpc_reconcile.plans.codec import PLAN_VERSION, plan_from_dict, plan_to_dict
from pmpc_reconcile.plans.model import Blame, ObjectPlan, Plan
from pmpc_reconcile.values import FieldValue, Secret, SecretMark
from pmpc_state import (
    NotRecorded,
    PlanRecord,
    PlanStatus,
    Release,
    Revision,
    RevisionStatus,
    StaleStatus,
)

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest
    from pmpc_state import OwnedField, State

T = TypeVar("T")

MARKER = "marker"
"""Name under which an object's marker id stands in its recorded identity."""


@attrs.frozen
class ManagedRecord:
    """What is remembered of one object.

    Attributes:
        address: The object.
        kind: `qemu`, `lxc` or `pool`.
        key: vmid or name of the pool.
        identity: Marker id and traits, as recorded.
        owned: Fields we applied, with the values we gave them.
    """

    address: str
    kind: str
    key: str
    identity: Mapping[str, str]
    owned: Mapping[str, FieldValue]

    @property
    def marker_id(self) -> str:
        """Return the id in its marker."""
        return self.identity.get(MARKER, "")

    def recorded_guest(self) -> Recorded | None:
        """Return what locating a guest needs; None for other kinds."""
        if self.kind not in ("qemu", "lxc"):
            return None
        evidence = Evidence.from_record(self.identity)
        return Recorded(self.address, self.kind, int(self.key), self.marker_id, evidence)


class Records:
    """The recorded state of one cluster."""

    def __init__(self, state: State, cluster: str, actor: str) -> None:
        self.state = state
        self.cluster = cluster
        self.actor = actor

    async def run(self, work: Callable[[], T]) -> T:
        """Run one short transaction in a thread; a cancelled caller still sees it ended."""
        under_way = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(under_way)
        except asyncio.CancelledError:
            await asyncio.wait([under_way])
            under_way.exception()  # the caller is going; nobody else would ask for it
            raise

    def fingerprint(self, text: str) -> str:
        """Return the keyed fingerprint that stands for a secret in the database."""
        return self.state.fingerprint(text)

    # -- objects ------------------------------------------------------------------------------

    async def managed(self, release: str) -> dict[str, ManagedRecord]:
        """Return what is remembered of a release's objects, by address."""

        def read() -> dict[str, ManagedRecord]:
            with self.state.reading() as reader:
                objects = reader.ownership.objects(self.cluster, release)
                fields = reader.ownership.fields(self.cluster, release)
            owned: dict[str, dict[str, FieldValue]] = {}
            for field in fields:
                owned.setdefault(field.address, {})[field.path] = _owned_value(field)
            return {
                item.address: ManagedRecord(
                    item.address, item.kind, item.key, item.identity, owned.get(item.address, {})
                )
                for item in objects
            }

        return await self.run(read)

    async def claims(self, release: str) -> dict[tuple[str, str], dict[str, list[Claim]]]:
        """Return which fields other releases own: by kind and key, path to releases and values."""

        def read() -> dict[tuple[str, str], dict[str, list[Claim]]]:
            found: dict[tuple[str, str], dict[str, list[Claim]]] = {}
            with self.state.reading() as reader:
                others = [
                    item
                    for item in reader.ownership.objects(self.cluster)
                    if item.release != release
                ]
                for item in others:
                    paths = found.setdefault((item.kind, item.key), {})
                    for field in reader.ownership.fields(self.cluster, item.release, item.address):
                        claim = Claim(item.release, _owned_value(field))
                        paths.setdefault(field.path, []).append(claim)
            return found

        return await self.run(read)

    async def record(
        self,
        release: str,
        address: str,
        *,
        kind: str,
        key: str,
        identity: Mapping[str, str],
        fields: Mapping[str, FieldValue],
    ) -> None:
        """Remember an object and exactly these fields as ours."""
        plain = {path: self._plain(value) for path, value in fields.items()}
        await self.run(
            lambda: self.state.writer().ownership.record(
                self.cluster,
                release,
                address,
                kind=kind,
                key=key,
                identity=identity,
                fields={path: value for path, value in plain.items() if value is not None},
            )
        )

    async def forget(self, release: str, address: str) -> None:
        """Drop an object from what a release manages."""
        await self.run(lambda: self.state.writer().ownership.forget(self.cluster, release, address))

    def _plain(self, value: FieldValue) -> Any:
        if isinstance(value, Secret):
            return self.fingerprint(value.text)
        return value.fingerprint if isinstance(value, SecretMark) else value

    # -- plans --------------------------------------------------------------------------------

    async def save_plan(self, plan: Plan) -> None:
        """Store a plan."""
        document = plan_to_dict(plan)
        await self.run(
            lambda: self.state.writer().plans.save(
                plan.id,
                self.cluster,
                plan.release,
                document,
                version=PLAN_VERSION,
                actor=self.actor,
            )
        )

    async def load_plan(self, plan_id: str) -> Plan:
        """Return a stored plan by its id or the beginning of it.

        Raises:
            PlanNotFound: There is none.
        """
        return plan_from_dict((await self.plan_record(plan_id)).document)

    async def plan_record(self, plan_id: str) -> PlanRecord:
        """Return a stored plan with its status.

        Raises:
            PlanNotFound: There is none.
        """
        try:
            record = await self.run(lambda: self.state.reader().plans.get(plan_id))
        except NotRecorded as error:
            raise PlanNotFound(str(error)) from error
        if record.cluster != self.cluster:
            raise PlanNotFound(
                f"plan {record.id} is for cluster {record.cluster!r}, not {self.cluster!r}"
            )
        return record

    async def plans(self, release: str | None, limit: int) -> tuple[PlanRecord, ...]:
        """Return stored plans, newest first."""
        return await self.run(
            lambda: self.state.reader().plans.list(self.cluster, release=release, limit=limit)
        )

    async def claim_plan(self, plan: Plan) -> None:
        """Mark a plan as being applied; one left so by a crash may be taken up again.

        Raises:
            PlanRefused: It was applied already.
        """
        allowed = {PlanStatus.PLANNED, PlanStatus.APPLYING}
        try:
            await self.run(
                lambda: self.state.writer().plans.set_status(
                    plan.id, PlanStatus.APPLYING, expected=allowed
                )
            )
        except StaleStatus as error:
            raise PlanRefused(
                f"cannot apply plan {plan.id}: it was applied already; make a new plan"
            ) from error

    async def end_plan(self, plan: Plan, status: PlanStatus) -> None:
        """Record how the application of a plan ended."""
        await self.run(lambda: self.state.writer().plans.set_status(plan.id, status))

    # -- releases -----------------------------------------------------------------------------

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

    # -- audit and blame ----------------------------------------------------------------------

    async def audit(self, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Append a line to the audit log."""
        await self.run(
            lambda: self.state.writer().audit.append(
                actor=self.actor,
                action=action,
                subject=subject,
                cluster=self.cluster,
                detail=detail,
            )
        )

    async def blame(self, kind: str, key: str, options: Iterable[str]) -> dict[str, Blame]:
        """Return who last changed options of an object, as far as it was observed.

        Args:
            kind: `qemu`, `lxc` or `pool`.
            key: Its key.
            options: Option names, such as `cores`.
        """
        wanted = set(options)

        def read() -> dict[str, Blame]:
            return last_changes(self.state, self.cluster, kind, key, wanted)

        return await self.run(read)

    async def settings_blame(self, release: str, item: ObjectPlan) -> dict[str, Blame]:
        """Return who last changed conflicting fields of settings, as far as it was observed."""
        return await self.run(lambda: settings_changes(self.state, self.cluster, release, item))


def lease_name(cluster: str, release: str) -> str:
    """Return the name of the lease under which a release is applied."""
    return f"apply/{cluster}/{release}"


def documents_of(
    manifests: Iterable[Manifest], fingerprint: Callable[[str], str]
) -> tuple[dict[str, Any], ...]:
    """Return manifests as documents for the record, without secrets."""
    return tuple(manifest.to_document(fingerprint) for manifest in manifests)


def _owned_value(field: OwnedField) -> FieldValue:
    if field.fingerprint is not None:
        return SecretMark(field.fingerprint)
    value: FieldValue = field.applied
    return value
