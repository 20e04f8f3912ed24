"""Firewalls: of the cluster, of nodes and of guests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import column, option
from pmpc_state.readmodels.base import ReadModel

Rules = tuple[Mapping[str, Any], ...]
"""Rules in their order, in PVE's option names."""


@attrs.frozen(kw_only=True)
class FirewallOptions(ReadModel):
    """The firewall of the cluster."""

    KINDS: ClassVar[tuple[str, ...]] = ("firewall-options",)

    enabled: Annotated[bool | None, option("enable")]
    ebtables: bool | None
    policy_in: str | None
    policy_out: str | None
    policy_forward: str | None
    log_ratelimit: str | None


@attrs.frozen(kw_only=True)
class FirewallRules(ReadModel):
    """The rules of the cluster, or of a node.

    Attributes:
        node: The node; None for those of the cluster.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("firewall-rules", "node-firewall-rules")

    node: Annotated[str | None, column(Place.NODE)]
    rules: Annotated[Rules, option("entries")]


@attrs.frozen(kw_only=True)
class FirewallIpSet(ReadModel):
    """A named set of networks."""

    KINDS: ClassVar[tuple[str, ...]] = ("firewall-ipset",)

    name: Annotated[str, column(Place.KEY)]
    members: Rules
    comment: str | None


@attrs.frozen(kw_only=True)
class FirewallAlias(ReadModel):
    """A named network."""

    KINDS: ClassVar[tuple[str, ...]] = ("firewall-alias",)

    name: Annotated[str, column(Place.KEY)]
    cidr: str | None
    ipversion: int | None
    comment: str | None


@attrs.frozen(kw_only=True)
class SecurityGroup(ReadModel):
    """A named list of rules."""

    KINDS: ClassVar[tuple[str, ...]] = ("firewall-group",)

    group: Annotated[str, column(Place.KEY)]
    rules: Rules
    comment: str | None


@attrs.frozen(kw_only=True)
class NodeFirewallOptions(ReadModel):
    """The firewall of a node."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-firewall-options",)

    node: Annotated[str | None, column(Place.NODE)]
    enabled: Annotated[bool | None, option("enable")]
    nftables: bool | None
    ndp: bool | None
    nosmurfs: bool | None
    tcpflags: bool | None
    protection_synflood: bool | None
    log_level_in: str | None
    log_level_out: str | None
    log_level_forward: str | None
    log_nf_conntrack: bool | None
    nf_conntrack_max: int | None
    nf_conntrack_allow_invalid: bool | None
    smurf_log_level: str | None
    tcp_flags_log_level: str | None


@attrs.frozen(kw_only=True)
class VnetFirewall(ReadModel):
    """The firewall of a vnet."""

    KINDS: ClassVar[tuple[str, ...]] = ("vnet-firewall",)

    vnet: Annotated[str, column(Place.KEY)]
    enabled: Annotated[bool | None, option("options.enable")]
    policy_forward: Annotated[str | None, option("options.policy_forward")]
    options: Mapping[str, Any]
    rules: Rules


@attrs.frozen(kw_only=True)
class GuestFirewall(ReadModel):
    """The firewall of a guest, whole.

    Attributes:
        guest: Its address: `qemu/100`.
        options: All its options.
        aliases: Each with its `name`.
        ipsets: Each with its `name` and `members`.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("guest-firewall",)

    guest: Annotated[str, column(Place.KEY)]
    enabled: Annotated[bool | None, option("options.enable")]
    policy_in: Annotated[str | None, option("options.policy_in")]
    policy_out: Annotated[str | None, option("options.policy_out")]
    options: Mapping[str, Any]
    rules: Rules
    aliases: Rules
    ipsets: Rules
