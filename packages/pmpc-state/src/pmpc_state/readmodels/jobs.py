"""High availability, backups and replication."""

from __future__ import annotations

from typing import Annotated, ClassVar

import attrs

from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import column, option
from pmpc_state.readmodels.base import ReadModel
from proxmox_client.options import BackupPerformance, Fleecing, PruneBackups


@attrs.frozen(kw_only=True)
class HaResource(ReadModel):
    """A guest HA looks after.

    Attributes:
        sid: `vm:100`.
        wanted_state: started, stopped, disabled or ignored.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("ha-resource",)

    sid: Annotated[str, column(Place.KEY)]
    type: str | None
    wanted_state: Annotated[str | None, option("state")]
    ha_group: Annotated[str | None, option("group")]
    max_restart: int | None
    max_relocate: int | None
    failback: bool | None
    auto_rebalance: Annotated[bool | None, option("auto-rebalance")]
    comment: str | None


@attrs.frozen(kw_only=True)
class HaRule(ReadModel):
    """A rule on where resources run (PVE 9).

    Attributes:
        type: node-affinity or resource-affinity.
        resources: `vm:100`, ….
        nodes: With a priority after a colon, if they have one.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("ha-rule",)

    rule: Annotated[str, column(Place.KEY)]
    type: str | None
    resources: tuple[str, ...]
    nodes: tuple[str, ...]
    affinity: str | None
    strict: bool | None
    disabled: Annotated[bool | None, option("disable")]
    order: int | None
    comment: str | None


@attrs.frozen(kw_only=True)
class HaGroup(ReadModel):
    """A group of nodes for HA (PVE 8).

    Attributes:
        nodes: With a priority after a colon, if they have one.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("ha-group",)

    ha_group: Annotated[str, column(Place.KEY)]
    type: str | None
    nodes: tuple[str, ...]
    restricted: bool | None
    nofailback: bool | None
    comment: str | None


@attrs.frozen(kw_only=True)
class BackupJob(ReadModel):
    """A backup job.

    Attributes:
        guests: Vmids; empty with `every_guest` or a pool.
        excluded: Vmids left out of every guest.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("backup-job",)

    id: Annotated[str, column(Place.KEY)]
    enabled: bool | None
    schedule: str | None
    storage: str | None
    mode: str | None
    guests: Annotated[tuple[str, ...], option("vmid")]
    every_guest: Annotated[bool | None, option("all")]
    excluded: Annotated[tuple[str, ...], option("exclude")]
    pool: Annotated[str | None, option("pool")]
    node: Annotated[str | None, option("node")]
    compress: str | None
    zstd: int | None
    bwlimit: int | None
    mailto: tuple[str, ...]
    mailnotification: str | None
    notification_mode: Annotated[str | None, option("notification-mode")]
    notes_template: Annotated[str | None, option("notes-template")]
    prune_backups: Annotated[PruneBackups | None, option("prune-backups")]
    fleecing: Fleecing | None
    performance: BackupPerformance | None
    protected: bool | None
    remove: bool | None
    repeat_missed: Annotated[bool | None, option("repeat-missed")]
    comment: str | None


@attrs.frozen(kw_only=True)
class ReplicationJob(ReadModel):
    """A replication job.

    Attributes:
        target: The node the guest is replicated to.
        rate: In MB/s; None for no limit.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("replication-job",)

    id: Annotated[str, column(Place.KEY)]
    type: str | None
    guests: Annotated[tuple[str, ...], option("guest")]
    source: str | None
    target: str | None
    schedule: str | None
    rate: float | None
    disabled: Annotated[bool | None, option("disable")]
    remove_job: str | None
    comment: str | None
