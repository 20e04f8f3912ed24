"""Nodes and what is set up on each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import column, fact, option
from pmpc_state.readmodels.base import ReadModel


@attrs.frozen(kw_only=True)
class Node(ReadModel):
    """A node.

    Attributes:
        status: online, offline or unknown.
        address: Where the cluster reaches it.
        cpus: Processors; `cpu_cores` are those of each of its `cpu_sockets`.
        load_average: Of the last one, five and fifteen minutes.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("node",)

    node: Annotated[str, column(Place.KEY)]
    status: Annotated[str | None, column(Place.STATUS)]
    address: Annotated[str | None, option("address")]
    nodeid: int | None
    version: str | None
    kernel: str | None
    cpu_model: Annotated[str | None, option("cpu.model")]
    cpu_sockets: Annotated[int | None, option("cpu.sockets")]
    cpu_cores: Annotated[int | None, option("cpu.cores")]
    cpus: Annotated[int | None, option("cpu.cpus")]
    cpu_usage: Annotated[float | None, fact("cpu")]
    memory_bytes: Annotated[int | None, option("memory")]
    memory_used_bytes: Annotated[int | None, fact("mem")]
    disk_bytes: Annotated[int | None, fact("maxdisk")]
    disk_used_bytes: Annotated[int | None, fact("disk")]
    uptime_seconds: Annotated[int | None, fact("uptime")]
    load_average: Annotated[tuple[str, ...], fact("loadavg")]
    boot: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class OnNode(ReadModel):
    """A setting each node has for itself."""

    node: Annotated[str | None, column(Place.NODE)]


@attrs.frozen(kw_only=True)
class NetworkInterface(OnNode):
    """A network interface, bridge, bond or VLAN of a node, as configured."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-network",)

    interface: Annotated[str, option("iface")]
    type: str | None
    method: str | None
    method6: str | None
    address: Annotated[str | None, option("address")]
    netmask: str | None
    cidr: str | None
    gateway: str | None
    address6: str | None
    cidr6: str | None
    gateway6: str | None
    autostart: bool | None
    mtu: int | None
    bridge_ports: tuple[str, ...]
    bridge_vlan_aware: bool | None
    bridge_vids: str | None
    bridge_stp: str | None
    bridge_fd: str | None
    bond_slaves: Annotated[tuple[str, ...], option("slaves")]
    bond_mode: str | None
    bond_primary: Annotated[str | None, option("bond-primary")]
    bond_xmit_hash_policy: str | None
    vlan_device: Annotated[str | None, option("vlan-raw-device")]
    vlan_id: Annotated[int | None, option("vlan-id")]
    vxlan_id: Annotated[int | None, option("vxlan-id")]
    ovs_bridge: str | None
    ovs_ports: tuple[str, ...]
    ovs_bonds: tuple[str, ...]
    ovs_tag: int | None
    ovs_options: str | None
    options: tuple[str, ...]
    families: tuple[str, ...]
    comments: str | None


@attrs.frozen(kw_only=True)
class NodeDns(OnNode):
    """Which name servers a node asks."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-dns",)

    search: str | None
    dns1: str | None
    dns2: str | None
    dns3: str | None


@attrs.frozen(kw_only=True)
class NodeHosts(OnNode):
    """The file of host names of a node."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-hosts",)

    data: str | None


@attrs.frozen(kw_only=True)
class NodeTime(OnNode):
    """The time zone of a node."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-time",)

    timezone: str | None


@attrs.frozen(kw_only=True)
class NodeConfig(OnNode):
    """Options of a node itself."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-config",)

    description: str | None
    acme: str | None
    wakeonlan: str | None
    location: str | None
    startall_onboot_delay: Annotated[int | None, option("startall-onboot-delay")]
    ballooning_target: Annotated[int | None, option("ballooning-target")]


@attrs.frozen(kw_only=True)
class NodeCertificate(OnNode):
    """A certificate a node shows.

    Attributes:
        not_before: In seconds since 1970.
        not_after: In seconds since 1970.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("node-certificate",)

    filename: str
    subject: str | None
    issuer: str | None
    names: Annotated[tuple[str, ...], option("san")]
    fingerprint: str | None
    not_before: Annotated[int | None, option("notbefore")]
    not_after: Annotated[int | None, option("notafter")]
    public_key_type: Annotated[str | None, option("public-key-type")]
    public_key_bits: Annotated[int | None, option("public-key-bits")]


@attrs.frozen(kw_only=True)
class NodeRepositories(OnNode):
    """Where a node's packages come from."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-repositories",)

    files: tuple[Mapping[str, Any], ...]
    standard: Annotated[tuple[Mapping[str, Any], ...], option("standard-repos")]
    infos: tuple[Mapping[str, Any], ...]
    errors: tuple[Mapping[str, Any], ...]
