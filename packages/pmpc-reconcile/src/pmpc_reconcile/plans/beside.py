"""Several manifests of one plan about one thing: the cluster's networks, a node's, a firewall.

Each owns what it declares. What several declare the same way they own together; declared in two
ways it is a mistake. What moves from one manifest to another stays ours, with the value it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from pmpc_reconcile.diagnostics import Diagnostic
from pmpc_reconcile.values import same
from pmpc_reconcile.values.images import volume_of

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.plans.situation import Situation
    from pmpc_reconcile.values import Fields, FieldValue

_ORDER: Final = "order"
_NOUNS: Final = {"Sdn": "the cluster's networks", "NodeNetwork": "the network of its node"}


@attrs.frozen
class Beside:
    """What else the plan and the records say about the same thing.

    Attributes:
        declared: Fields of the other manifests, by address.
        owned: Fields the other objects of the release own, as last applied.
        before: What those were before the release, of settings that always exist.
    """

    declared: Mapping[str, Fields] = attrs.field(factory=dict[str, "Fields"])
    owned: Fields = attrs.field(factory=dict[str, "FieldValue"])
    before: Fields = attrs.field(factory=dict[str, "FieldValue"])

    @property
    def paths(self) -> frozenset[str]:
        """Return the fields that other manifests declare; orders are each one's own."""
        return frozenset(
            path for fields in self.declared.values() for path in fields if not is_order(path)
        )

    def owned_with(self, owned: Fields, desired: Fields) -> dict[str, FieldValue]:
        """Return what one object owns once fields went to where they are declared now."""
        kept = {p: value for p, value in owned.items() if p in desired or p not in self.paths}
        come = {
            path: value
            for path, value in self.owned.items()
            if path in desired and path not in owned and not is_order(path)
        }
        return {**come, **kept}


def beside(situation: Situation, address: str, thing: str) -> Beside:
    """Return what others of the release say about the thing an object is about.

    Args:
        situation: What was read.
        address: The object.
        thing: The thing, as `thing_of` names it.
    """
    kind = address.partition("/")[0]
    declared = {
        name: situation.declared[name].fields
        for name in situation.declared_about.get((kind, thing), ())
        if name != address
    }
    owned: dict[str, FieldValue] = {}
    before: dict[str, FieldValue] = {}
    for name in situation.managed_about.get((kind, thing), ()):
        if name != address:
            owned |= situation.managed[name].owned
            before |= situation.managed[name].before
    return Beside(declared, owned, before)


def thing_of(situation: Situation, manifest: Manifest) -> str:
    """Return what a manifest of settings is about, as records name it; its address if unknown."""
    if manifest.kind == "NodeNetwork":
        return f"node/{manifest.spec['node']}"
    if manifest.kind == "Image":
        return volume_of(manifest.spec)
    if manifest.kind == "Firewall" and "node" in manifest.spec:
        return f"node/{manifest.spec['node']}"
    if manifest.kind == "Firewall" and "guest" in manifest.spec:
        guest = manifest.spec["guest"]
        vmid = guest if isinstance(guest, int) else situation.vmids.get(str(guest))
        return f"guest/{guest if vmid is None else vmid}"
    return "cluster"


def clash(situation: Situation, manifest: Manifest) -> Diagnostic | None:
    """Return what a manifest declares differently from one before it about the same thing."""
    address, thing = str(manifest.address), thing_of(situation, manifest)
    for other in situation.declared_about[manifest.kind, thing]:
        if other == address:
            return None
        fields = situation.declared[other].fields
        if manifest.kind == "Image":
            hint = "put the nodes of both into one manifest"
            return manifest.diagnose(f"{other} is about {thing} already", hint=hint)
        for path, value in manifest.fields.items():
            theirs = fields.get(path)
            differs = theirs is not None and not same(manifest.kind_data, path, value, theirs)
            if differs and not is_order(path):
                return _said_twice(manifest, path, value, other, theirs)
    return None


def _said_twice(
    manifest: Manifest, path: str, value: FieldValue, other: str, theirs: FieldValue | None
) -> Diagnostic:
    what = _NOUNS.get(manifest.kind, "the same firewall")
    return manifest.diagnose(
        f"{path} is {value} here and {theirs} in {other}, which is about {what} too",
        f"spec.{path}",
        hint="declare it in one of them, or the same way in both",
    )


def is_order(path: str) -> bool:
    """Return whether a field is the order of a list of rules."""
    return path.rpartition(".")[2] == _ORDER
