"""Storages, and the images that lie on them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.diagnostics import Severity
from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.live.storages import has_volume, read_storage
from pmpc_reconcile.planning.linking import SHARED_TYPES, is_shared
from pmpc_reconcile.plans.images import plan_image
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.situation import Built, Situation
from pmpc_reconcile.plans.storages import plan_storage, remove_storage
from pmpc_reconcile.values.images import volume_of

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.records import ManagedRecord


class StoragePlanning:
    """Plans storages."""

    def __init__(self, live: LiveCluster) -> None:
        self._live = live

    async def plan(
        self,
        situation: Situation,
        manifest: Manifest,
        record: ManagedRecord | None,
        *,
        adopted: bool = False,
    ) -> Built:
        """Return what makes a storage or brings it to its manifest."""
        row = await read_storage(self._live, manifest.name)
        return plan_storage(situation, manifest, row, record, adopted=adopted)

    async def remove(self, situation: Situation, record: ManagedRecord) -> Built:
        """Return what takes a storage of ours out of the configuration."""
        return remove_storage(situation, record, await read_storage(self._live, record.key))


class ImagePlanning:
    """Plans images."""

    def __init__(self, live: LiveCluster) -> None:
        self._live = live

    async def plan(
        self,
        situation: Situation,
        manifest: Manifest,
        record: ManagedRecord | None,
        *,
        adopted: bool = False,
    ) -> Built:
        """Return what fetches an image to where it is missing."""
        volume = volume_of(manifest.spec)
        if record is not None and record.key != volume:
            built = await self.plan(situation, manifest, None, adopted=adopted)
            return _left_behind(built, manifest, record)
        named: tuple[str, ...] = tuple(manifest.spec.get("nodes", ()))
        if stray := next((node for node in named if node not in situation.inventory.nodes), None):
            return _refused(manifest, f"the cluster has no node {stray}", "spec.nodes")
        if named and not any(situation.inventory.reachable(node) for node in named):
            reason = f"{manifest.address} is unknown: {', '.join(named)} does not answer"
            note = manifest.diagnose(reason, "spec.nodes", severity=Severity.WARNING)
            item = ObjectPlan(str(manifest.address), ObjectAction.UNKNOWN, notes=(reason,))
            return Built(item, (), (note,))
        wanted = await self._wanted(situation, manifest)
        if not wanted:
            reason = f"no node that answers has storage {manifest.spec['storage']}"
            return _refused(manifest, reason, "spec.storage")
        asked = {
            *wanted,
            *(path.removeprefix("nodes.") for path in (record.owned if record else ())),
        }
        there = await self._there(situation, volume, asked)
        return plan_image(
            situation,
            str(manifest.address),
            volume,
            wanted,
            there,
            situation.resolutions_for(manifest),
            record,
            adopted=adopted,
        )

    async def remove(self, situation: Situation, record: ManagedRecord) -> Built:
        """Return what removes an image where we fetched it."""
        nodes = [path.removeprefix("nodes.") for path in record.owned]
        there = await self._there(situation, record.key, nodes)
        return plan_image(situation, record.address, record.key, (), there, {}, record)

    async def _wanted(self, situation: Situation, manifest: Manifest) -> list[str]:
        """Return the nodes that shall have it: one is enough where the storage is shared."""
        name = str(manifest.spec["storage"])
        inventory = situation.inventory
        having = sorted(
            node for node in inventory.storages.get(name, ()) if inventory.reachable(node)
        )
        named = [node for node in manifest.spec.get("nodes", ()) if inventory.reachable(node)]
        row = await read_storage(self._live, name)
        if row is None:
            declared = situation.declared.get(f"Storage/{name}")
            shared = declared is not None and is_shared(declared)
        else:
            shared = str(row.get("shared", 0)) == "1" or row.get("type") in SHARED_TYPES
        return (named or having)[:1] if shared else named or having

    async def _there(
        self, situation: Situation, volume: str, nodes: Iterable[str]
    ) -> tuple[str, ...]:
        """Return which nodes have it; where the storage is not configured, nothing is on it."""
        row = await read_storage(self._live, volume.partition(":")[0])
        if row is None:
            return ()
        allowed = str(row.get("nodes") or "").split(",") if row.get("nodes") else None
        asked = [
            node
            for node in sorted(set(nodes))
            if situation.inventory.reachable(node) and (allowed is None or node in allowed)
        ]
        found = await asyncio.gather(*(has_volume(self._live, node, volume) for node in asked))
        return tuple(node for node, is_there in zip(asked, found, strict=True) if is_there)


def _refused(manifest: Manifest, reason: str, path: str) -> Built:
    problem = manifest.diagnose(reason, path)
    item = ObjectPlan(str(manifest.address), ObjectAction.REFUSED, notes=(reason,))
    return Built(item, (), (problem,))


def _left_behind(built: Built, manifest: Manifest, record: ManagedRecord) -> Built:
    """Say that the file an image was before stays where it was fetched, and is nobody's now."""
    nodes = ", ".join(sorted(path.removeprefix("nodes.") for path in record.owned))
    if not nodes:
        return built
    reason = f"{record.key} stays on {nodes}: the manifest is about another file now"
    note = manifest.diagnose(reason, "spec.url", severity=Severity.WARNING)
    item = attrs.evolve(built.item, notes=(*built.item.notes, reason))
    return Built(item, built.steps, (*built.diagnostics, note))
