"""Storages and the volumes on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import column, fact, option
from pmpc_state.readmodels.base import ReadModel
from proxmox_client.options import PruneBackups


@attrs.frozen(kw_only=True)
class Storage(ReadModel):
    """A storage of the cluster.

    Attributes:
        status: available, partly available, unavailable, disabled or unknown.
        content: What may be kept on it: images, iso, backup ….
        restricted_to: The nodes that may use it; empty for all.
        shared: Whether all nodes see the same.
        on_nodes: How it is on each node.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("storage",)

    storage: Annotated[str, column(Place.KEY)]
    type: str | None
    status: Annotated[str | None, column(Place.STATUS)]
    content: tuple[str, ...]
    restricted_to: Annotated[tuple[str, ...], option("nodes")]
    shared: Annotated[bool, column(Place.SHARED)]
    on_nodes: Annotated[Mapping[str, Any], fact("nodes")]
    disabled: Annotated[bool | None, option("disable")]
    path: str | None
    server: str | None
    export: str | None
    share: str | None
    port: int | None
    portal: str | None
    target: str | None
    vgname: str | None
    thinpool: str | None
    pool: str | None
    monhost: str | None
    datastore: str | None
    namespace: str | None
    username: str | None
    fingerprint: str | None
    format: str | None
    preallocation: str | None
    options: str | None
    subdir: str | None
    domain: str | None
    sparse: bool | None
    krbd: bool | None
    mkdir: bool | None
    is_mountpoint: str | None
    bwlimit: str | None
    prune_backups: Annotated[PruneBackups | None, option("prune-backups")]
    max_protected_backups: Annotated[int | None, option("max-protected-backups")]
    snapshot_as_volume_chain: Annotated[bool | None, option("snapshot-as-volume-chain")]


@attrs.frozen(kw_only=True)
class Volume(ReadModel):
    """A volume, image, template or backup.

    Attributes:
        node: Where it is; None on a shared storage.
        vmid: The guest it belongs to.
        created: When it was made, in seconds since 1970; not for disks of guests.
        verification: What the backup server says of it.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("content",)

    volid: str
    storage: str | None
    node: Annotated[str | None, column(Place.NODE)]
    content: str | None
    subtype: str | None
    format: str | None
    vmid: int | None
    size_bytes: Annotated[int | None, option("size")]
    used_bytes: Annotated[int | None, fact("used")]
    created: Annotated[int | None, option("ctime")]
    parent: str | None
    notes: str | None
    protected: bool | None
    encrypted: str | None
    verification: Annotated[Mapping[str, Any] | None, fact("verification")]
