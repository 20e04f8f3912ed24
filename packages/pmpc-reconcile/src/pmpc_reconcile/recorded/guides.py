"""What releases remember of an object: whose it is, and what of its manifest only guides us."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import attrs

from pmpc_reconcile.recorded.whole import Whole
from pmpc_reconcile.values.images import volume_of

if TYPE_CHECKING:
    from pmpc_state import ManagedObject, StateReader

GUIDES: Final = ("source", "placement", "restart", "protect", "hooks", "replace", "conflicts")
"""What a spec says that no server shows."""


@attrs.frozen
class Guide:
    """What is remembered of an object.

    Attributes:
        release: The release that manages it; None if none does.
        name: Its name among the manifests; None if no release knows it.
        spec: The last spec a release declared of it; empty if none did.
        secrets: Paths of its fields that are secrets of ours.
        owned: Paths of its fields that are ours.
    """

    release: str | None = None
    name: str | None = None
    spec: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    secrets: tuple[str, ...] = ()
    owned: frozenset[str] = frozenset()

    def guiding(self) -> dict[str, Any]:
        """Return what of its spec only guides us; our secrets are not taken away."""
        found = {name: self.spec[name] for name in GUIDES if name in self.spec}
        if self.secrets:
            kept = dict.fromkeys(self.secrets, "ignore")
            found["conflicts"] = {**kept, **found.get("conflicts", {})}
        return found


def guide_of(
    reader: StateReader, cluster: str, whole: Whole, moment: datetime | None, usual: str
) -> Guide:
    """Return what is remembered of an object.

    Args:
        reader: The record.
        cluster: The cluster.
        whole: The object.
        moment: The last declaration before this one counts; None for the very last.
        usual: Its address where no release manages it any more.
    """
    owners = reader.ownership.owners(cluster, whole.recorded_kind, whole.key)
    owner = max(owners, key=lambda one: one.recorded_at, default=None)
    address = usual if owner is None else owner.address
    for document in _declared(reader, cluster, owner, moment):
        found = f"{document['kind']}/{document['metadata']['name']}"
        spec: Mapping[str, Any] = document.get("spec") or {}
        if whole.kind == "Image" and document["kind"] == "Image":
            matches = volume_of(spec) == whole.key
        else:
            matches = found == address
        if matches:
            break
    else:
        found, spec = address, {}
    if owner is None:
        return Guide(name=found.partition("/")[2] if spec else None, spec=spec)
    fields = reader.ownership.fields(cluster, owner.release, owner.address)
    return Guide(
        release=owner.release,
        name=owner.address.partition("/")[2],
        spec=spec,
        secrets=tuple(one.path for one in fields if one.fingerprint is not None),
        owned=frozenset(one.path for one in fields),
    )


def image_named(
    reader: StateReader, cluster: str, name: str, moment: datetime | None
) -> Whole | None:
    """Return the image a manifest of that name declared then; None if none ever did."""
    for document in _declared(reader, cluster, None, moment):
        if document["kind"] == "Image" and document["metadata"]["name"] == name:
            return Whole("Image", volume_of(document["spec"]))
    return None


def _declared(
    reader: StateReader, cluster: str, owner: ManagedObject | None, moment: datetime | None
) -> Iterator[Mapping[str, Any]]:
    """Return what was declared, the last before a moment first, then what came after it."""
    releases = (
        [one.name for one in reader.releases.list(cluster, deleted=True)]
        if owner is None
        else [owner.release]
    )
    revisions = [one for name in releases for one in reader.releases.revisions(cluster, name)]
    revisions.sort(key=lambda one: one.created_at, reverse=True)
    before = [one for one in revisions if moment is None or one.created_at <= moment]
    after = [one for one in reversed(revisions) if one not in before]
    for revision in (*before, *after):
        yield from revision.manifests
