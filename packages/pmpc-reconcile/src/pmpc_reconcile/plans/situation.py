"""What planning works with: everything that was read, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.diff import Claim
from pmpc_reconcile.live import Inventory
from pmpc_reconcile.plans.model import Blame, ObjectPlan
from pmpc_reconcile.plans.steps import Step

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.records import ManagedRecord
    from pmpc_reconcile.values import Fields, FieldValue, SecretMark

Claims = Mapping[tuple[str, str], Mapping[str, Sequence[Claim]]]


@attrs.frozen
class Situation:
    """What is the same for every object of a plan.

    Attributes:
        release: The release.
        inventory: What the cluster lists.
        claims: Fields that other releases own: by kind and key, path to releases and values.
        resolutions: How to settle conflicts: by address, path to `ours`, `theirs`, `ignore`.
        fingerprint: Makes the keyed fingerprint of a secret.
        new_id: Makes a random marker id.
        creations: By address, the id of the step that makes the object.
        vmids: By address, the vmid of a guest that exists.
        moment: When the plan is made, in seconds since the epoch.
        restart: Addresses whose restart was asked for; `*` stands for all.
        images: Images that new guests need and the nodes that have them; None where that could
            not be read.
        declared: The manifests of the plan, by address.
        begun: Fields of settings that an apply was about which did not end well: ours where they
            are there.
        managed: What is remembered of the release's objects, by address.
        behind: By address, the options whose value waits for the cloud-init drive, whosever.
    """

    release: str
    inventory: Inventory
    claims: Claims
    resolutions: Mapping[str, Mapping[str, str]]
    fingerprint: Callable[[str], str]
    new_id: Callable[[], str]
    creations: Mapping[str, str] = attrs.field(factory=dict[str, str])
    vmids: Mapping[str, int] = attrs.field(factory=dict[str, int])
    images: Mapping[str, frozenset[str]] | None = None
    moment: float = 0.0
    restart: frozenset[str] = frozenset()
    declared: Mapping[str, Manifest] = attrs.field(factory=dict[str, "Manifest"])
    begun: Mapping[str, Fields] = attrs.field(factory=dict[str, "Fields"])
    managed: Mapping[str, ManagedRecord] = attrs.field(factory=dict[str, "ManagedRecord"])
    behind: Mapping[str, frozenset[str]] = attrs.field(factory=dict[str, frozenset[str]])

    @cached_property
    def declared_about(self) -> Mapping[tuple[str, str], Sequence[str]]:
        """Return by kind and thing the addresses of the settings that are declared about it."""
        from pmpc_reconcile.plans.beside import thing_of

        found: dict[tuple[str, str], list[str]] = {}
        for address, manifest in self.declared.items():
            if manifest.kind_data.flat:
                thing = thing_of(self, manifest)
                found.setdefault((manifest.kind, thing), []).append(address)
        return found

    @cached_property
    def pools_said(self) -> Mapping[str, Sequence[tuple[str, Manifest, str]]]:
        """Return for each guest, by address or vmid, the pools said, by whom and at which path."""
        from pmpc_reconcile.plans.membership import pools_said

        return pools_said(self)

    @cached_property
    def managed_about(self) -> Mapping[tuple[str, str], Sequence[str]]:
        """Return by kind and key the addresses of what is remembered about it."""
        found: dict[tuple[str, str], list[str]] = {}
        for address, record in self.managed.items():
            found.setdefault((address.partition("/")[0], record.key), []).append(address)
        return found

    def restart_asked(self, manifest: Manifest) -> bool:
        """Return whether somebody asked for a restart of an object."""
        return bool({"*", str(manifest.address)} & self.restart)

    def resolutions_for(self, manifest: Manifest) -> Mapping[str, str]:
        """Return how conflicts of an object are settled: the plan's word over the manifest's."""
        asked = {**self.resolutions.get("", {}), **self.resolutions.get(str(manifest.address), {})}
        return {**manifest.resolutions, **asked}


@attrs.frozen
class Built:
    """What planning one object gave.

    Attributes:
        item: Its entry in the plan.
        steps: Its steps.
        diagnostics: What is wrong or worth a warning.
    """

    item: ObjectPlan
    steps: Sequence[Step] = ()
    diagnostics: Sequence[Diagnostic] = ()


def with_blame(built: Built, blame: Mapping[str, Blame]) -> Built:
    """Return the same with the names of those who changed conflicting fields."""
    theirs = {
        change.path: blame[option]
        for change in built.item.conflicts
        if (option := change.path.split(".")[1] if "." in change.path else change.path) in blame
    }
    return attrs.evolve(built, item=attrs.evolve(built.item, theirs=theirs))


def remembered(
    fields: Mapping[str, FieldValue], fingerprint: Callable[[str], str]
) -> dict[str, FieldValue]:
    """Return fields as they look when read back from the records: secrets as fingerprints."""
    from pmpc_reconcile.values import Secret, SecretMark

    def seen(value: FieldValue) -> FieldValue | SecretMark:
        return SecretMark(fingerprint(value.text)) if isinstance(value, Secret) else value

    return {path: seen(value) for path, value in fields.items()}


def is_recorded(
    record: ManagedRecord | None,
    key: str,
    marker_id: str,
    owned: Mapping[str, FieldValue],
    fingerprint: Callable[[str], str],
) -> bool:
    """Return whether the records already say what they would say after this plan."""
    return (
        record is not None
        and record.key == key
        and record.marker_id == marker_id
        and dict(record.owned) == remembered(owned, fingerprint)
    )
