"""Managed objects and field ownership: what each release applied, and to what.

A value whose option is secret by name, or that is a fingerprint already, is kept as a fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Unpack

from sqlalchemy import Connection, Select, select

from pmpc_state.canonical import SecretKey, is_fingerprint, is_secret
from pmpc_state.database.transactions import Reading, Writing
from pmpc_state.filters import table_of
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.paging import Listing
from pmpc_state.repositories.releases import find_release_id, release_id
from pmpc_state.schema import cluster, field_owner, managed, release
from pmpc_state.values import Choice, Identity, ManagedObject, OwnedField, Page

OBJECTS: Final = table_of(ManagedObject, "managed objects", ("address", "key"))
FIELDS: Final = table_of(OwnedField, "owned fields", ("address", "path"))


class OwnershipReader:
    """Reads who owns what."""

    def __init__(self, access: Reading) -> None:
        self._access = access

    def objects(
        self,
        cluster_name: str,
        release_name: str | None = None,
        *,
        limit: int | None = None,
        **choice: Unpack[Choice],
    ) -> Page[ManagedObject]:
        """Return the objects of one release, or of every release of a cluster, by address.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        query = _objects().where(cluster.c.name == cluster_name)
        if release_name is not None:
            query = query.where(release.c.name == release_name)
        with self._access.reading() as connection:
            return _listed(query).page(connection, limit, choice)

    def owners(self, cluster_name: str, kind: str, key: str) -> tuple[ManagedObject, ...]:
        """Return every claim on an observed object: `owners("lab", "qemu", "100")`."""
        query = _objects().where(
            cluster.c.name == cluster_name, managed.c.kind == kind, managed.c.key == key
        )
        with self._access.reading() as connection:
            return _listed(query).page(connection, None, {})

    def fields(
        self,
        cluster_name: str,
        release_name: str,
        address: str | None = None,
        *,
        limit: int | None = None,
        **choice: Unpack[Choice],
    ) -> Page[OwnedField]:
        """Return the fields a release owns, of one object or of all, by address and path.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        with self._access.reading() as connection:
            query = select(
                field_owner.c.address,
                field_owner.c.path,
                field_owner.c.applied,
                field_owner.c.fingerprint,
                field_owner.c.recorded_at,
            ).where(
                field_owner.c.release_id == find_release_id(connection, cluster_name, release_name)
            )
            if address is not None:
                query = query.where(field_owner.c.address == address)
            listing = Listing(FIELDS, query, ("address", "path"), lambda row: OwnedField(**row))
            return listing.page(connection, limit, choice)


class OwnershipWriter(OwnershipReader):
    """Records who owns what."""

    def __init__(self, access: Writing, clock: Clock, key: SecretKey) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock
        self._key = key

    def record(
        self,
        cluster_name: str,
        release_name: str,
        address: str,
        *,
        kind: str,
        key: str,
        identity: Identity,
        fields: Mapping[str, Any],
    ) -> None:
        """Record an object of a release with exactly these fields, in place of any before.

        Args:
            cluster_name: The cluster.
            release_name: The release; it must have a revision.
            address: Address of the object in the manifests.
            kind: Observed kind: qemu, lxc, pool …
            key: Natural key: vmid, pool name.
            identity: Evidence that finds the object again.
            fields: Path to the value that was applied, or to its fingerprint.

        Raises:
            NotRecorded: The release is not there.
            ValueError: A field has no value.
        """
        rows = [self._field(path, value) for path, value in fields.items()]
        with self._writes.writing() as connection:
            owner = release_id(connection, cluster_name, release_name)
            _forget(connection, owner, address)
            stamp = self._clock()
            connection.execute(
                managed.insert().values(
                    release_id=owner,
                    address=address,
                    kind=kind,
                    key=key,
                    identity=dict(identity),
                    recorded_at=stamp,
                )
            )
            common = {"release_id": owner, "address": address, "recorded_at": stamp}
            if rows:
                connection.execute(field_owner.insert(), [{**common, **row} for row in rows])

    def forget(self, cluster_name: str, release_name: str, address: str) -> None:
        """Drop an object and its fields from what a release manages; a missing one is fine.

        Raises:
            NotRecorded: The release is not there.
        """
        with self._writes.writing() as connection:
            _forget(connection, release_id(connection, cluster_name, release_name), address)

    def _field(self, path: str, value: Any) -> dict[str, Any]:
        if value is None:
            msg = f"cannot record {path}: an owned field has a value"
            raise ValueError(msg)
        if is_fingerprint(value):
            return {"path": path, "applied": None, "fingerprint": value}
        if is_secret(path.rpartition(".")[2]):
            return {"path": path, "applied": None, "fingerprint": self._key.fingerprint(value)}
        return {"path": path, "applied": value, "fingerprint": None}


def _objects() -> Select[*tuple[Any, ...]]:
    return (
        select(
            cluster.c.name.label("cluster"),
            release.c.name.label("release"),
            managed.c.address,
            managed.c.kind,
            managed.c.key,
            managed.c.identity,
            managed.c.recorded_at,
        )
        .join(release, release.c.id == managed.c.release_id)
        .join(cluster, cluster.c.id == release.c.cluster_id)
    )


def _listed(query: Select[*tuple[Any, ...]]) -> Listing[ManagedObject]:
    return Listing(OBJECTS, query, ("release", "address"), lambda row: ManagedObject(**row))


def _forget(connection: Connection, owner: int, address: str) -> None:
    for table in (field_owner, managed):
        connection.execute(
            table.delete().where(table.c.release_id == owner, table.c.address == address)
        )
