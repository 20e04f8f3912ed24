"""Options of the cluster, mappings of hardware, notifications, metrics, ACME and CPU models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import column, option
from pmpc_state.readmodels.base import ReadModel


@attrs.frozen(kw_only=True)
class ClusterOptions(ReadModel):
    """The options of the cluster."""

    KINDS: ClassVar[tuple[str, ...]] = ("datacenter-options",)

    keyboard: str | None
    language: str | None
    console: str | None
    email_from: str | None
    http_proxy: str | None
    mac_prefix: str | None
    max_workers: int | None
    description: str | None
    bwlimit: str | None
    fencing: str | None
    migration: Mapping[str, Any] | None
    ha: Mapping[str, Any] | None
    crs: Mapping[str, Any] | None
    next_id: Annotated[Mapping[str, Any] | None, option("next-id")]
    notify: Mapping[str, Any] | None
    replication: Mapping[str, Any] | None
    tag_style: Annotated[Mapping[str, Any] | None, option("tag-style")]
    user_tag_access: Annotated[Mapping[str, Any] | None, option("user-tag-access")]
    webauthn: Mapping[str, Any] | None
    registered_tags: Annotated[tuple[str, ...], option("registered-tags")]
    allowed_tags: Annotated[tuple[str, ...], option("allowed-tags")]


@attrs.frozen(kw_only=True)
class HardwareMapping(ReadModel):
    """A name for hardware or a directory that nodes have.

    Attributes:
        on_nodes: Where it is on each node, as PVE writes it: `node=pve1,path=…`.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("mapping-pci", "mapping-usb", "mapping-dir")

    id: Annotated[str, column(Place.KEY)]
    description: str | None
    on_nodes: Annotated[tuple[str, ...], option("map")]
    mdev: bool | None


@attrs.frozen(kw_only=True)
class NotificationEndpoint(ReadModel):
    """Where notifications are sent."""

    KINDS: ClassVar[tuple[str, ...]] = (
        "notification-sendmail",
        "notification-gotify",
        "notification-smtp",
        "notification-webhook",
    )

    name: Annotated[str, column(Place.KEY)]
    disabled: Annotated[bool | None, option("disable")]
    origin: str | None
    server: str | None
    port: int | None
    mode: str | None
    username: str | None
    url: str | None
    method: str | None
    author: str | None
    from_address: Annotated[str | None, option("from-address")]
    mail_to: Annotated[tuple[str, ...], option("mailto")]
    mail_to_users: Annotated[tuple[str, ...], option("mailto-user")]
    comment: str | None


@attrs.frozen(kw_only=True)
class NotificationMatcher(ReadModel):
    """Which notifications go where.

    Attributes:
        matches: `exact:type=vzdump`, ….
    """

    KINDS: ClassVar[tuple[str, ...]] = ("notification-matcher",)

    name: Annotated[str, column(Place.KEY)]
    disabled: Annotated[bool | None, option("disable")]
    origin: str | None
    mode: str | None
    inverted: Annotated[bool | None, option("invert-match")]
    targets: Annotated[tuple[str, ...], option("target")]
    matches: Annotated[tuple[str, ...], option("match-field")]
    severities: Annotated[tuple[str, ...], option("match-severity")]
    calendars: Annotated[tuple[str, ...], option("match-calendar")]
    comment: str | None


@attrs.frozen(kw_only=True)
class MetricServer(ReadModel):
    """A server metrics are sent to."""

    KINDS: ClassVar[tuple[str, ...]] = ("metric-server",)

    id: Annotated[str, column(Place.KEY)]
    type: str | None
    server: str | None
    port: int | None
    disabled: Annotated[bool | None, option("disable")]


@attrs.frozen(kw_only=True)
class AcmeAccount(ReadModel):
    """An account with a certificate authority."""

    KINDS: ClassVar[tuple[str, ...]] = ("acme-account",)

    name: Annotated[str, column(Place.KEY)]


@attrs.frozen(kw_only=True)
class AcmePlugin(ReadModel):
    """How ACME challenges are answered."""

    KINDS: ClassVar[tuple[str, ...]] = ("acme-plugin",)

    plugin: Annotated[str, column(Place.KEY)]
    type: str | None
    api: str | None
    nodes: tuple[str, ...]
    validation_delay: Annotated[int | None, option("validation-delay")]
    disabled: Annotated[bool | None, option("disable")]


@attrs.frozen(kw_only=True)
class CpuModel(ReadModel):
    """A CPU model of the cluster's own."""

    KINDS: ClassVar[tuple[str, ...]] = ("cpu-model",)

    cputype: Annotated[str, column(Place.KEY)]
    reported_model: Annotated[str | None, option("reported-model")]
    flags: tuple[str, ...]
    hidden: bool | None
    level: int | None
    hv_vendor_id: Annotated[str | None, option("hv-vendor-id")]
    phys_bits: Annotated[str | None, option("phys-bits")]
