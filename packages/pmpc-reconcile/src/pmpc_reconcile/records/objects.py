"""What is remembered of objects: which are managed, and whose their fields are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from pmpc_reconcile.diff import Claim, read_before
from pmpc_reconcile.identity import Evidence
from pmpc_reconcile.locate import Recorded
from pmpc_reconcile.records.crossing import Crossing
from pmpc_reconcile.values import ABSENT, FieldValue, Secret, SecretMark

if TYPE_CHECKING:
    from pmpc_state import OwnedField

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

    @property
    def before(self) -> dict[str, FieldValue]:
        """Return what fields were before this release, of settings that always exist."""
        return read_before(self.identity)

    def recorded_guest(self) -> Recorded | None:
        """Return what locating a guest needs; None for other kinds."""
        if self.kind not in ("qemu", "lxc"):
            return None
        evidence = Evidence.from_record(self.identity)
        return Recorded(self.address, self.kind, int(self.key), self.marker_id, evidence)


class ObjectRecords(Crossing):
    """Managed objects and owned fields of one cluster."""

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
                    before = read_before(item.identity)
                    for field in reader.ownership.fields(self.cluster, item.release, item.address):
                        was = before.get(field.path, ABSENT)
                        claim = Claim(item.release, _owned_value(field), was)
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


def _owned_value(field: OwnedField) -> FieldValue:
    if field.fingerprint is not None:
        return SecretMark(field.fingerprint)
    value: FieldValue = field.applied
    return value
