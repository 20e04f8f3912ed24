"""Disks of nodes, what is made of them, Ceph, and how the cluster itself talks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import column, option
from pmpc_state.readmodels.base import ReadModel
from pmpc_state.readmodels.nodes import OnNode


@attrs.frozen(kw_only=True)
class NodeSubscription(OnNode):
    """The subscription of a node; its key is a fingerprint."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-subscription",)

    subscription: Annotated[str | None, option("status")]
    level: str | None
    product: Annotated[str | None, option("productname")]
    sockets: int | None
    serverid: str | None
    registered: Annotated[str | None, option("regdate")]
    next_due: Annotated[str | None, option("nextduedate")]
    message: str | None


@attrs.frozen(kw_only=True)
class NodeDisk(OnNode):
    """A disk of a node.

    Attributes:
        used: What for: LVM, ZFS, partitions ….
    """

    KINDS: ClassVar[tuple[str, ...]] = ("node-disk",)

    devpath: str
    type: str | None
    vendor: str | None
    model: str | None
    serial: str | None
    wwn: str | None
    size_bytes: Annotated[int | None, option("size")]
    rpm: int | None
    gpt: bool | None
    mounted: bool | None
    used: str | None
    parent: str | None
    osdid: int | None


@attrs.frozen(kw_only=True)
class NodeDirectory(OnNode):
    """A file system a node mounts for storages."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-directory",)

    path: str
    device: str | None
    type: str | None
    options: str | None
    unitfile: str | None


@attrs.frozen(kw_only=True)
class NodeLvm(OnNode):
    """A volume group of a node."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-lvm",)

    volume_group: Annotated[str, option("name")]
    size_bytes: Annotated[int | None, option("size")]
    physical_volumes: Annotated[tuple[Mapping[str, Any], ...], option("children")]


@attrs.frozen(kw_only=True)
class NodeLvmThin(OnNode):
    """A thin pool of a node."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-lvmthin",)

    volume_group: Annotated[str, option("vg")]
    logical_volume: Annotated[str, option("lv")]
    size_bytes: Annotated[int | None, option("lv_size")]
    metadata_size_bytes: Annotated[int | None, option("metadata_size")]


@attrs.frozen(kw_only=True)
class NodeZfs(OnNode):
    """A ZFS pool of a node."""

    KINDS: ClassVar[tuple[str, ...]] = ("node-zfs",)

    zpool: Annotated[str, option("name")]
    size_bytes: Annotated[int | None, option("size")]


@attrs.frozen(kw_only=True)
class CorosyncNode(ReadModel):
    """A member of the cluster."""

    KINDS: ClassVar[tuple[str, ...]] = ("corosync-node",)

    name: Annotated[str, column(Place.KEY)]
    nodeid: int | None
    votes: Annotated[int | None, option("quorum_votes")]
    ring0: Annotated[str | None, option("ring0_addr")]
    ring1: Annotated[str | None, option("ring1_addr")]


@attrs.frozen(kw_only=True)
class CorosyncTotem(ReadModel):
    """How the members of the cluster talk."""

    KINDS: ClassVar[tuple[str, ...]] = ("corosync-totem",)

    cluster_name: str | None
    interface: Mapping[str, Any] | None
    ip_version: str | None
    link_mode: str | None
    secauth: str | None
    token: int | None
    version: int | None


@attrs.frozen(kw_only=True)
class CephFlag(ReadModel):
    """A flag of Ceph."""

    KINDS: ClassVar[tuple[str, ...]] = ("ceph-flag",)

    name: Annotated[str, column(Place.KEY)]
    value: bool | None


@attrs.frozen(kw_only=True)
class CephPool(ReadModel):
    """A pool of Ceph.

    Attributes:
        copies: How many there are of everything; `min_copies` must be there for writing.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("ceph-pool",)

    name: Annotated[str, column(Place.KEY)]
    type: str | None
    copies: Annotated[int | None, option("size")]
    min_copies: Annotated[int | None, option("min_size")]
    pg_num: int | None
    pg_num_min: int | None
    pg_autoscale_mode: str | None
    crush_rule: int | None
    crush_rule_name: str | None
    target_size: int | None
    target_size_ratio: float | None
    application_metadata: Mapping[str, Any] | None


@attrs.frozen(kw_only=True)
class CephFs(ReadModel):
    """A CephFS."""

    KINDS: ClassVar[tuple[str, ...]] = ("ceph-fs",)

    name: Annotated[str, column(Place.KEY)]
    data_pools: tuple[str, ...]
    metadata_pool: str | None


@attrs.frozen(kw_only=True)
class CephDaemon(ReadModel):
    """A monitor, manager or metadata server of Ceph."""

    KINDS: ClassVar[tuple[str, ...]] = ("ceph-mon", "ceph-mgr", "ceph-mds")

    name: Annotated[str, column(Place.KEY)]
    host: str | None
    addr: str | None
    fs_name: str | None
    version: Annotated[str | None, option("ceph_version_short")]
    direxists: bool | None
    service: bool | None


@attrs.frozen(kw_only=True)
class CephConfig(ReadModel):
    """An entry of Ceph's configuration database."""

    KINDS: ClassVar[tuple[str, ...]] = ("ceph-config",)

    section: str | None
    mask: str | None
    name: Annotated[str, option("name")]
    value: str | None
    level: str | None
    can_update_at_runtime: bool | None
