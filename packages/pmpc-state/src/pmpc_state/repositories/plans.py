"""Saved plans."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Unpack

from sqlalchemy import Connection, Select, select

from pmpc_state.database.transactions import Reading, Writing
from pmpc_state.errors import AlreadyRecorded, NotRecorded, StaleStatus
from pmpc_state.filters import table_of
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.clusters import ensure_cluster
from pmpc_state.repositories.paging import Listing
from pmpc_state.schema import cluster, plan
from pmpc_state.values import Choice, Page, PlanRecord, PlanStatus

PLANS: Final = table_of(PlanRecord, "plans", ("id", "release"))


class PlanReader:
    """Reads plans."""

    def __init__(self, access: Reading) -> None:
        self._access = access

    def get(self, plan_id: str) -> PlanRecord:
        """Return a plan by its id, or by the beginning of its id if only one begins so.

        Raises:
            NotRecorded: No plan has that id, or several begin so.
        """
        with self._access.reading() as connection:
            return _get(connection, plan_id)

    def list(
        self,
        cluster_name: str,
        *,
        release: str | None = None,
        limit: int | None = 100,
        **choice: Unpack[Choice],
    ) -> Page[PlanRecord]:
        """Return the plans of a cluster or release, newest first.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        query = _plans().where(cluster.c.name == cluster_name)
        if release is not None:
            query = query.where(plan.c.release == release)
        listing = Listing(PLANS, query, ("-created_at", "id"), _record)
        with self._access.reading() as connection:
            return listing.page(connection, limit, choice)


class PlanWriter(PlanReader):
    """Saves plans and moves them through their life."""

    def __init__(self, access: Writing, clock: Clock) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock

    def save(
        self,
        plan_id: str,
        cluster_name: str,
        release: str,
        document: Mapping[str, Any],
        *,
        version: int,
        actor: str,
    ) -> PlanRecord:
        """Save a new plan; its secrets must be references or fingerprints already.

        Raises:
            AlreadyRecorded: A plan has that id.
        """
        with self._writes.writing() as connection:
            taken = connection.execute(select(plan.c.id).where(plan.c.id == plan_id)).first()
            if taken is not None:
                msg = f"cannot save plan {plan_id}: a plan has that id already"
                raise AlreadyRecorded(msg)
            stamp = self._clock()
            connection.execute(
                plan.insert().values(
                    id=plan_id,
                    cluster_id=ensure_cluster(connection, cluster_name, self._clock),
                    release=release,
                    version=version,
                    status=PlanStatus.PLANNED.value,
                    actor=actor,
                    created_at=stamp,
                    updated_at=stamp,
                    document=dict(document),
                )
            )
            return _get(connection, plan_id)

    def set_status(
        self, plan_id: str, status: PlanStatus, *, expected: Collection[PlanStatus] | None = None
    ) -> PlanRecord:
        """Move a plan on, if it is where the caller believes it to be.

        Args:
            plan_id: The plan.
            status: Its new status.
            expected: The statuses it may have now; None for any.

        Raises:
            NotRecorded: There is no such plan.
            StaleStatus: It has another status: somebody else is applying it, or has.
        """
        with self._writes.writing() as connection:
            change = plan.update().where(plan.c.id == plan_id)
            if expected is not None:
                change = change.where(plan.c.status.in_([entry.value for entry in expected]))
            done = connection.execute(change.values(status=status.value, updated_at=self._clock()))
            found = _get(connection, plan_id)
            if done.rowcount == 0:
                msg = f"cannot move plan {plan_id} to {status.value}: it is {found.status.value}"
                raise StaleStatus(msg)
            return found


def _plans() -> Select[*tuple[Any, ...]]:
    return select(
        plan.c.id,
        cluster.c.name.label("cluster"),
        plan.c.release,
        plan.c.version,
        plan.c.status,
        plan.c.actor,
        plan.c.created_at,
        plan.c.updated_at,
        plan.c.document,
    ).join(cluster, cluster.c.id == plan.c.cluster_id)


def _get(connection: Connection, plan_id: str) -> PlanRecord:
    rows = (
        connection.execute(_plans().where(plan.c.id.startswith(plan_id, autoescape=True)).limit(2))
        .mappings()
        .all()
    )
    exact = connection.execute(_plans().where(plan.c.id == plan_id)).mappings().all()
    found = exact or rows
    if not plan_id or not found:
        msg = f"cannot find plan {plan_id or '(no id)'}: `pmpc plan` makes one and prints its id"
        raise NotRecorded(msg)
    if len(found) > 1:
        msg = f"cannot tell which plan {plan_id} means: several ids begin so; give more of it"
        raise NotRecorded(msg)
    return _record({**found[0]})


def _record(row: Mapping[str, Any]) -> PlanRecord:
    columns: dict[str, Any] = {**row, "status": PlanStatus(row["status"])}
    return PlanRecord(**columns)
