"""Which read model shows which kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pmpc_state.readmodels import (
    access,
    firewall,
    guests,
    hardware,
    jobs,
    nodes,
    sdn,
    settings,
    storages,
)
from pmpc_state.readmodels.base import ReadModel

_ALL: Final[tuple[type[ReadModel], ...]] = (
    nodes.Node,
    guests.VirtualMachine,
    guests.Container,
    storages.Storage,
    storages.Volume,
    access.Pool,
    access.User,
    access.Token,
    access.SecondFactor,
    access.Group,
    access.Role,
    access.AclEntry,
    access.Realm,
    access.RealmSyncJob,
    settings.ClusterOptions,
    firewall.FirewallOptions,
    firewall.FirewallRules,
    firewall.FirewallIpSet,
    firewall.FirewallAlias,
    firewall.SecurityGroup,
    firewall.NodeFirewallOptions,
    firewall.GuestFirewall,
    firewall.VnetFirewall,
    sdn.SdnZone,
    sdn.SdnVnet,
    sdn.SdnController,
    sdn.SdnIpam,
    sdn.SdnDns,
    sdn.SdnFabric,
    sdn.SdnFabricNode,
    sdn.SdnPrefixList,
    sdn.SdnRouteMapEntry,
    jobs.HaResource,
    jobs.HaRule,
    jobs.HaGroup,
    jobs.BackupJob,
    jobs.ReplicationJob,
    settings.HardwareMapping,
    settings.NotificationEndpoint,
    settings.NotificationMatcher,
    settings.MetricServer,
    settings.AcmeAccount,
    settings.AcmePlugin,
    settings.CpuModel,
    nodes.NetworkInterface,
    nodes.NodeDns,
    nodes.NodeHosts,
    nodes.NodeTime,
    nodes.NodeConfig,
    nodes.NodeCertificate,
    nodes.NodeRepositories,
    hardware.NodeSubscription,
    hardware.NodeDisk,
    hardware.NodeDirectory,
    hardware.NodeLvm,
    hardware.NodeLvmThin,
    hardware.NodeZfs,
    hardware.CorosyncNode,
    hardware.CorosyncTotem,
    hardware.CephFlag,
    hardware.CephPool,
    hardware.CephFs,
    hardware.CephDaemon,
    hardware.CephConfig,
    guests.GuestSnapshots,
)
MODELS: Final[Mapping[str, type[ReadModel]]] = MappingProxyType(
    {kind: model for model in _ALL for kind in model.KINDS}
)
"""By kind."""


def model_of(kind: str) -> type[ReadModel]:
    """Return the read model of a kind; the plain one for a kind that has none of its own."""
    return MODELS.get(kind, ReadModel)
