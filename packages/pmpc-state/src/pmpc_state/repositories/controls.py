"""What people told the reconcile loop, and the conditions it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Unpack

from sqlalchemy import ColumnElement, and_, select

from pmpc_state.database.transactions import Reading, Writing
from pmpc_state.filters import table_of
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.clusters import ensure_cluster, find_cluster_id
from pmpc_state.repositories.paging import Listing
from pmpc_state.schema import cluster, condition, control
from pmpc_state.values import Choice, ConditionRecord, Control, Page

CONTROLS: Final = table_of(Control, "controls", ("release", "address"))
CONDITIONS: Final = table_of(ConditionRecord, "conditions", ("release", "address", "type"))


class ControlReader:
    """Reads controls and conditions."""

    def __init__(self, access: Reading) -> None:
        self._access = access

    def list(
        self, cluster_name: str, *, limit: int | None = None, **choice: Unpack[Choice]
    ) -> Page[Control]:
        """Return everything said about a cluster, the widest first.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        query = (
            select(
                cluster.c.name.label("cluster"),
                control.c.release,
                control.c.address,
                control.c.suspended,
                control.c.self_heal,
                control.c.reason,
                control.c.actor,
                control.c.changed_at,
            )
            .join(cluster, cluster.c.id == control.c.cluster_id)
            .where(cluster.c.name == cluster_name)
        )
        listing = Listing(CONTROLS, query, ("release", "address"), lambda row: Control(**row))
        with self._access.reading() as connection:
            return listing.page(connection, limit, choice)

    def conditions(
        self,
        cluster_name: str,
        release: str | None = None,
        *,
        limit: int | None = None,
        **choice: Unpack[Choice],
    ) -> Page[ConditionRecord]:
        """Return the conditions last seen, by release, address and type.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        query = (
            select(
                cluster.c.name.label("cluster"),
                condition.c.release,
                condition.c.address,
                condition.c.type,
                condition.c.status,
                condition.c.reason,
                condition.c.message,
                condition.c.changed_at,
                condition.c.seen_at,
            )
            .join(cluster, cluster.c.id == condition.c.cluster_id)
            .where(cluster.c.name == cluster_name)
        )
        if release is not None:
            query = query.where(condition.c.release == release)
        usual = ("release", "address", "type")
        listing = Listing(CONDITIONS, query, usual, lambda row: ConditionRecord(**row))
        with self._access.reading() as connection:
            return listing.page(connection, limit, choice)


class ControlWriter(ControlReader):
    """Writes controls and conditions."""

    def __init__(self, access: Writing, clock: Clock) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock

    def set(
        self,
        cluster_name: str,
        release: str = "",
        address: str = "",
        *,
        suspended: bool | None = None,
        self_heal: bool | None = None,
        reason: str = "",
        actor: str,
    ) -> None:
        """Say what the loop may do with a cluster, a release or an object.

        A flag left out keeps what was said before; a row that says nothing is gone.

        Args:
            cluster_name: The cluster.
            release: The release; empty for every release.
            address: The object; empty for the whole release.
            suspended: Leave it alone, or go on.
            self_heal: Undo drift, or only report it.
            reason: Why.
            actor: Who says so.
        """
        with self._writes.writing() as connection:
            number = ensure_cluster(connection, cluster_name, self._clock)
            here = _row(number, release, address)
            old = connection.execute(
                select(control.c.suspended, control.c.self_heal).where(here)
            ).one_or_none()
            before = (None, None) if old is None else (old.suspended, old.self_heal)
            values = {
                "suspended": before[0] if suspended is None else suspended,
                "self_heal": before[1] if self_heal is None else self_heal,
                "reason": reason,
                "actor": actor,
                "changed_at": self._clock(),
            }
            if old is None:
                connection.execute(
                    control.insert().values(
                        cluster_id=number, release=release, address=address, **values
                    )
                )
            else:
                connection.execute(control.update().where(here).values(**values))

    def forget(self, cluster_name: str, release: str = "", address: str = "") -> None:
        """Take back everything said about exactly this cluster, release or object."""
        with self._writes.writing() as connection:
            number = find_cluster_id(connection, cluster_name)
            if number is not None:
                connection.execute(control.delete().where(_row(number, release, address)))

    def observe(
        self,
        cluster_name: str,
        release: str,
        found: Mapping[str, Mapping[str, tuple[str, str, str]]],
        *,
        whole: bool = True,
    ) -> None:
        """Record the conditions of a release's objects.

        Args:
            cluster_name: The cluster.
            release: The release.
            found: For each address the conditions: type to (status, reason, message).
            whole: Forget addresses that are not in `found`; False records some objects only.
        """
        with self._writes.writing() as connection:
            number = ensure_cluster(connection, cluster_name, self._clock)
            mine = and_(condition.c.cluster_id == number, condition.c.release == release)
            rows = connection.execute(
                select(
                    condition.c.address,
                    condition.c.type,
                    condition.c.status,
                    condition.c.changed_at,
                ).where(mine)
            )
            before = {(row.address, row.type): (row.status, row.changed_at) for row in rows}
            now = self._clock()
            fresh: list[dict[str, object]] = []
            for address, types in found.items():
                for name, (status, reason, message) in types.items():
                    old = before.get((address, name))
                    fresh.append(
                        {
                            "cluster_id": number,
                            "release": release,
                            "address": address,
                            "type": name,
                            "status": status,
                            "reason": reason,
                            "message": message,
                            "changed_at": old[1] if old and old[0] == status else now,
                            "seen_at": now,
                        }
                    )
            gone = mine if whole else and_(mine, condition.c.address.in_(list(found)))
            connection.execute(condition.delete().where(gone))
            if fresh:
                connection.execute(condition.insert(), fresh)


def _row(number: int, release: str, address: str) -> ColumnElement[bool]:
    return and_(
        control.c.cluster_id == number,
        control.c.release == release,
        control.c.address == address,
    )
