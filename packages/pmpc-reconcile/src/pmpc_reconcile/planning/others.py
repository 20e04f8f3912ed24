"""Which planning a kind has that is neither a guest nor a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.planning.firewalls import FirewallPlanning
from pmpc_reconcile.planning.networks import NodeNetworkPlanning, SdnPlanning
from pmpc_reconcile.planning.storages import ImagePlanning, StoragePlanning
from pmpc_reconcile.plans.beside import clash
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.situation import Built, Situation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.records import ManagedRecord


class Planning(Protocol):
    """Plans the objects of one kind within one plan."""

    async def plan(
        self,
        situation: Situation,
        manifest: Manifest,
        record: ManagedRecord | None,
        *,
        adopted: bool = False,
    ) -> Built:
        """Return what brings an object to its manifest."""
        ...

    async def remove(self, situation: Situation, record: ManagedRecord) -> Built:
        """Return what deletes an object, or takes everything of ours out of it."""
        ...


_PLANNINGS: Final[Mapping[str, Callable[[LiveCluster], Planning]]] = {
    "Firewall": FirewallPlanning,
    "Sdn": SdnPlanning,
    "NodeNetwork": NodeNetworkPlanning,
    "Storage": StoragePlanning,
    "Image": ImagePlanning,
}


class OtherKinds:
    """Plans objects of the kinds that are neither guests nor pools, for one plan."""

    def __init__(self, live: LiveCluster) -> None:
        self._plannings = {name: make(live) for name, make in _PLANNINGS.items()}

    def has(self, kind: str) -> bool:
        """Return whether a kind is planned here."""
        return kind in self._plannings

    async def plan(
        self,
        situation: Situation,
        manifest: Manifest,
        record: ManagedRecord | None,
        *,
        adopted: bool = False,
    ) -> Built:
        """Return what brings an object to its manifest."""
        planning = self._plannings[manifest.kind]
        wrong = None if manifest.kind == "Storage" else clash(situation, manifest)
        if wrong is not None:
            notes = (wrong.message,)
            item = ObjectPlan(str(manifest.address), ObjectAction.REFUSED, notes=notes)
            return Built(item, (), (wrong,))
        return await planning.plan(situation, manifest, record, adopted=adopted)

    async def remove(self, situation: Situation, record: ManagedRecord, *, protect: bool) -> Built:
        """Return what deletes an object, or takes everything of ours out of it."""
        kind = record.address.partition("/")[0]
        if protect:
            return _protected(record)
        return await self._plannings[kind].remove(situation, record)


def _protected(record: ManagedRecord) -> Built:
    from pmpc_reconcile.diagnostics import error

    reason = f"{record.address} is protected"
    item = ObjectPlan(record.address, ObjectAction.REFUSED, marker_id=record.marker_id,
                      notes=(reason,))  # fmt: skip
    return Built(item, (), (error(reason, address=record.address),))


def in_order(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Return manifests in the order in which they are planned: by kind, the widest scope last."""
    return sorted(
        manifests, key=lambda item: (item.kind_data.order, item.kind == "Firewall" and _wide(item))
    )


def _wide(manifest: Manifest) -> bool:
    return "node" not in manifest.spec and "guest" not in manifest.spec
