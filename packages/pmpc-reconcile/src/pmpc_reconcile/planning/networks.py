"""The networks of the cluster and of nodes: one manifest each, because they commit as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pmpc_reconcile.diagnostics import warning
from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.live.network import management_addresses, read_network
from pmpc_reconcile.live.sdn import read_sdn
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.networks import plan_network, plan_sdn
from pmpc_reconcile.plans.situation import Built, Situation

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.records import ManagedRecord


class SdnPlanning:
    """Plans the cluster's networks."""

    def __init__(self, live: LiveCluster) -> None:
        self._live = live
        self._planned: str | None = None

    async def plan(
        self,
        situation: Situation,
        manifest: Manifest,
        record: ManagedRecord | None,
        *,
        adopted: bool = False,
    ) -> Built:
        """Return what brings the cluster's networks to a manifest."""
        address = str(manifest.address)
        if self._planned is not None:
            return twice(manifest, self._planned, "the cluster's networks")
        self._planned = address
        return plan_sdn(
            situation,
            address,
            await read_sdn(self._live),
            manifest.fields,
            situation.resolutions_for(manifest),
            record,
            adopted=adopted,
        )

    async def remove(self, situation: Situation, record: ManagedRecord) -> Built:
        """Return what takes everything of ours out of the cluster's networks."""
        return plan_sdn(situation, record.address, await read_sdn(self._live), {}, {}, record)


class NodeNetworkPlanning:
    """Plans the networks of nodes."""

    def __init__(self, live: LiveCluster) -> None:
        self._live = live
        self._planned: dict[str, str] = {}

    async def plan(
        self,
        situation: Situation,
        manifest: Manifest,
        record: ManagedRecord | None,
        *,
        adopted: bool = False,
    ) -> Built:
        """Return what brings a node's network to a manifest."""
        address, node = str(manifest.address), str(manifest.spec["node"])
        if node in self._planned:
            return twice(manifest, self._planned[node], f"the interfaces of {node}")
        self._planned[node] = address
        if not situation.inventory.reachable(node):
            return silent(address, node)
        return plan_network(
            situation,
            address,
            node,
            await read_network(self._live, node),
            await management_addresses(self._live, node),
            manifest.fields,
            situation.resolutions_for(manifest),
            record,
            adopted=adopted,
        )

    async def remove(self, situation: Situation, record: ManagedRecord) -> Built:
        """Return what takes everything of ours out of a node's network."""
        node = record.key.partition("/")[2]
        if not situation.inventory.reachable(node):
            return silent(record.address, node)
        state = await read_network(self._live, node)
        addresses = await management_addresses(self._live, node)
        return plan_network(situation, record.address, node, state, addresses, {}, {}, record)


def silent(address: str, node: str) -> Built:
    """Leave an object alone whose node does not answer."""
    reason = f"node {node} does not answer"
    note = warning(f"{address} is unknown: {reason}", address=address)
    return Built(ObjectPlan(address, ObjectAction.UNKNOWN, notes=(reason,)), (), (note,))


def twice(manifest: Manifest, other: str, what: str) -> Built:
    """Refuse a second manifest about something that is applied as a whole."""
    reason = f"{what} are applied as a whole, and {other} declares them already"
    problem = manifest.diagnose(reason, hint="put both into one manifest")
    item = ObjectPlan(str(manifest.address), ObjectAction.REFUSED, notes=(reason,))
    return Built(item, (), (problem,))
