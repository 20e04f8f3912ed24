"""The networks of the cluster and of nodes: read once for a plan, however many manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pmpc_reconcile.diagnostics import warning
from pmpc_reconcile.groups.network.state import NetworkState
from pmpc_reconcile.groups.sdn.state import SdnState
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
        self._state: SdnState | None = None

    async def plan(
        self,
        situation: Situation,
        manifest: Manifest,
        record: ManagedRecord | None,
        *,
        adopted: bool = False,
    ) -> Built:
        """Return what brings the cluster's networks to a manifest."""
        return plan_sdn(
            situation,
            str(manifest.address),
            await self._read(),
            manifest.fields,
            situation.resolutions_for(manifest),
            record,
            adopted=adopted,
        )

    async def remove(self, situation: Situation, record: ManagedRecord) -> Built:
        """Return what takes everything of ours out of the cluster's networks."""
        return plan_sdn(situation, record.address, await self._read(), {}, {}, record)

    async def _read(self) -> SdnState:
        if self._state is None:
            self._state = await read_sdn(self._live)
        return self._state


class NodeNetworkPlanning:
    """Plans the networks of nodes."""

    def __init__(self, live: LiveCluster) -> None:
        self._live = live
        self._states: dict[str, tuple[NetworkState, tuple[str, ...]]] = {}

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
        if not situation.inventory.reachable(node):
            return silent(address, node)
        return plan_network(
            situation,
            address,
            node,
            *await self._read(node),
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
        state, addresses = await self._read(node)
        return plan_network(situation, record.address, node, state, addresses, {}, {}, record)

    async def _read(self, node: str) -> tuple[NetworkState, tuple[str, ...]]:
        if node not in self._states:
            state = await read_network(self._live, node)
            self._states[node] = (state, await management_addresses(self._live, node))
        return self._states[node]


def silent(address: str, node: str) -> Built:
    """Leave an object alone whose node does not answer."""
    reason = f"node {node} does not answer"
    note = warning(f"{address} is unknown: {reason}", address=address)
    return Built(ObjectPlan(address, ObjectAction.UNKNOWN, notes=(reason,)), (), (note,))
