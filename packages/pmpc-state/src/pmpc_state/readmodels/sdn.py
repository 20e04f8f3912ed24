"""Software-defined networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import column, option
from pmpc_state.readmodels.base import ReadModel


@attrs.frozen(kw_only=True)
class SdnZone(ReadModel):
    """A zone.

    Attributes:
        nodes: Where it is; empty for all nodes.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("sdn-zone",)

    zone: Annotated[str, column(Place.KEY)]
    type: str | None
    nodes: tuple[str, ...]
    bridge: str | None
    tag: int | None
    mtu: int | None
    peers: tuple[str, ...]
    controller: str | None
    fabric: str | None
    ipam: str | None
    dns: str | None
    dhcp: str | None
    dnszone: str | None
    reversedns: str | None
    mac: str | None
    exitnodes: tuple[str, ...]
    vlan_protocol: Annotated[str | None, option("vlan-protocol")]
    vrf_vxlan: Annotated[int | None, option("vrf-vxlan")]
    vxlan_port: Annotated[int | None, option("vxlan-port")]
    advertise_subnets: Annotated[bool | None, option("advertise-subnets")]


@attrs.frozen(kw_only=True)
class SdnSubnet:
    """A subnet of a vnet.

    Attributes:
        config: All its options.
    """

    cidr: str | None
    gateway: str | None
    snat: bool
    config: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class SdnVnet(ReadModel):
    """A vnet with its subnets."""

    KINDS: ClassVar[tuple[str, ...]] = ("sdn-vnet",)

    vnet: Annotated[str, column(Place.KEY)]
    zone: str | None
    type: str | None
    tag: int | None
    alias: str | None
    vlanaware: bool | None
    isolate_ports: Annotated[bool | None, option("isolate-ports")]
    subnets: tuple[Mapping[str, Any], ...]

    @property
    def typed_subnets(self) -> tuple[SdnSubnet, ...]:
        """Its subnets with types."""
        return tuple(
            SdnSubnet(
                cidr=one.get("cidr"),
                gateway=one.get("gateway"),
                snat=str(one.get("snat", "")).lower() in ("1", "true"),
                config=one,
            )
            for one in self.subnets
        )


@attrs.frozen(kw_only=True)
class SdnController(ReadModel):
    """A routing controller."""

    KINDS: ClassVar[tuple[str, ...]] = ("sdn-controller",)

    controller: Annotated[str, column(Place.KEY)]
    type: str | None
    asn: int | None
    node: Annotated[str | None, option("node")]
    nodes: tuple[str, ...]
    peers: tuple[str, ...]
    ebgp: bool | None
    ebgp_multihop: Annotated[int | None, option("ebgp-multihop")]
    loopback: str | None
    fabric: str | None
    isis_domain: Annotated[str | None, option("isis-domain")]
    isis_ifaces: Annotated[tuple[str, ...], option("isis-ifaces")]
    isis_net: Annotated[str | None, option("isis-net")]


@attrs.frozen(kw_only=True)
class SdnIpam(ReadModel):
    """Where addresses are managed."""

    KINDS: ClassVar[tuple[str, ...]] = ("sdn-ipam",)

    ipam: Annotated[str, column(Place.KEY)]
    type: str | None
    url: str | None
    section: int | None
    fingerprint: str | None


@attrs.frozen(kw_only=True)
class SdnDns(ReadModel):
    """Where names of guests are registered."""

    KINDS: ClassVar[tuple[str, ...]] = ("sdn-dns",)

    dns: Annotated[str, column(Place.KEY)]
    type: str | None
    url: str | None
    ttl: int | None
    reversemaskv6: int | None
    fingerprint: str | None


@attrs.frozen(kw_only=True)
class SdnFabric(ReadModel):
    """A fabric: an underlay the nodes route in."""

    KINDS: ClassVar[tuple[str, ...]] = ("sdn-fabric",)

    id: Annotated[str, column(Place.KEY)]
    protocol: str | None
    ip_prefix: str | None
    ip6_prefix: str | None
    area: str | None
    csnp_interval: float | None
    hello_interval: float | None


@attrs.frozen(kw_only=True)
class SdnFabricNode(ReadModel):
    """A node in a fabric."""

    KINDS: ClassVar[tuple[str, ...]] = ("sdn-fabric-node",)

    fabric_id: str
    node_id: str
    protocol: str | None
    ip: str | None
    ip6: str | None
    interfaces: tuple[str, ...]
    role: str | None
    endpoint: str | None


@attrs.frozen(kw_only=True)
class SdnPrefixList(ReadModel):
    """A list of prefixes routes are filtered by."""

    KINDS: ClassVar[tuple[str, ...]] = ("sdn-prefix-list",)

    id: Annotated[str, column(Place.KEY)]
    entries: tuple[str, ...]


@attrs.frozen(kw_only=True)
class SdnRouteMapEntry(ReadModel):
    """An entry of a route map."""

    KINDS: ClassVar[tuple[str, ...]] = ("sdn-route-map-entry",)

    route_map_id: Annotated[str, option("route-map-id")]
    order: int | None
    action: str | None
    match: tuple[str, ...]
    set: tuple[str, ...]
    call: str | None
    exit_action: Annotated[str | None, option("exit-action")]
