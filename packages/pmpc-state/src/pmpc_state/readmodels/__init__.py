"""Typed, frozen read models: one class for each kind of what a cluster holds.

Belongs here: which fields a kind has, of which types, and where each is kept. Does not belong here:
querying (`repositories.modelled`), and what a manifest says (`pmpc_reconcile.kinds`).

A field names the option or fact it shows, once; the model's values, the fields of filters and sort
orders over it, and the columns of the SQL views follow that, and a test holds them together.
"""

from __future__ import annotations

from pmpc_state.readmodels.access import (
    AclEntry,
    Group,
    Pool,
    Realm,
    RealmSyncJob,
    Role,
    SecondFactor,
    Token,
    User,
)
from pmpc_state.readmodels.base import ReadModel
from pmpc_state.readmodels.catalogue import MODELS, model_of
from pmpc_state.readmodels.firewall import (
    FirewallAlias,
    FirewallIpSet,
    FirewallOptions,
    FirewallRules,
    GuestFirewall,
    NodeFirewallOptions,
    SecurityGroup,
    VnetFirewall,
)
from pmpc_state.readmodels.guests import Container, Guest, GuestSnapshots, VirtualMachine
from pmpc_state.readmodels.hardware import (
    CephConfig,
    CephDaemon,
    CephFlag,
    CephFs,
    CephPool,
    CorosyncNode,
    CorosyncTotem,
    NodeDirectory,
    NodeDisk,
    NodeLvm,
    NodeLvmThin,
    NodeSubscription,
    NodeZfs,
)
from pmpc_state.readmodels.jobs import BackupJob, HaGroup, HaResource, HaRule, ReplicationJob
from pmpc_state.readmodels.nodes import (
    NetworkInterface,
    Node,
    NodeCertificate,
    NodeConfig,
    NodeDns,
    NodeHosts,
    NodeRepositories,
    NodeTime,
)
from pmpc_state.readmodels.reading import field_table, read_model
from pmpc_state.readmodels.sdn import (
    SdnController,
    SdnDns,
    SdnFabric,
    SdnFabricNode,
    SdnIpam,
    SdnPrefixList,
    SdnRouteMapEntry,
    SdnSubnet,
    SdnVnet,
    SdnZone,
)
from pmpc_state.readmodels.settings import (
    AcmeAccount,
    AcmePlugin,
    ClusterOptions,
    CpuModel,
    HardwareMapping,
    MetricServer,
    NotificationEndpoint,
    NotificationMatcher,
)
from pmpc_state.readmodels.storages import Storage, Volume

__all__ = [
    "MODELS",
    "AclEntry",
    "AcmeAccount",
    "AcmePlugin",
    "BackupJob",
    "CephConfig",
    "CephDaemon",
    "CephFlag",
    "CephFs",
    "CephPool",
    "ClusterOptions",
    "Container",
    "CorosyncNode",
    "CorosyncTotem",
    "CpuModel",
    "FirewallAlias",
    "FirewallIpSet",
    "FirewallOptions",
    "FirewallRules",
    "Group",
    "Guest",
    "GuestFirewall",
    "GuestSnapshots",
    "HaGroup",
    "HaResource",
    "HaRule",
    "HardwareMapping",
    "MetricServer",
    "NetworkInterface",
    "Node",
    "NodeCertificate",
    "NodeConfig",
    "NodeDirectory",
    "NodeDisk",
    "NodeDns",
    "NodeFirewallOptions",
    "NodeHosts",
    "NodeLvm",
    "NodeLvmThin",
    "NodeRepositories",
    "NodeSubscription",
    "NodeTime",
    "NodeZfs",
    "NotificationEndpoint",
    "NotificationMatcher",
    "Pool",
    "ReadModel",
    "Realm",
    "RealmSyncJob",
    "ReplicationJob",
    "Role",
    "SdnController",
    "SdnDns",
    "SdnFabric",
    "SdnFabricNode",
    "SdnIpam",
    "SdnPrefixList",
    "SdnRouteMapEntry",
    "SdnSubnet",
    "SdnVnet",
    "SdnZone",
    "SecondFactor",
    "SecurityGroup",
    "Storage",
    "Token",
    "User",
    "VirtualMachine",
    "VnetFirewall",
    "Volume",
    "field_table",
    "model_of",
    "read_model",
]
