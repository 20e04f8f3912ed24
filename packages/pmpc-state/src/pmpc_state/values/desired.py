"""What was asked for: releases, revisions, managed objects and the fields they own."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from pmpc_state.values.observed import Identity


class RevisionStatus(enum.Enum):
    """How far applying a revision got."""

    PENDING = "pending"
    APPLIED = "applied"
    PARTIAL = "partial"
    FAILED = "failed"
    SUPERSEDED = "superseded"


@attrs.frozen
class Release:
    """A named set of manifests applied to one cluster.

    Attributes:
        revision: Number of the newest revision, 0 before the first.
        deleted_at: When its objects were deleted; its history stays.
    """

    cluster: str
    name: str
    created_at: datetime
    deleted_at: datetime | None
    revision: int


@attrs.frozen
class Revision:
    """One state of a release's manifests.

    Attributes:
        number: Counts from 1 within the release and never comes back.
        action: apply, rollback or delete.
        manifests: The normalised documents, secrets as references or fingerprints.
    """

    cluster: str
    release: str
    number: int
    created_at: datetime
    actor: str
    action: str
    status: RevisionStatus
    plan_id: str | None
    manifests: tuple[Mapping[str, Any], ...]
    note: str


@attrs.frozen
class ManagedObject:
    """An object a release manages.

    Attributes:
        address: Its address in the manifests: `VirtualMachine/web-1`.
        kind: The observed kind: qemu, lxc, pool …
        key: The natural key: vmid, pool name.
        identity: Evidence that it is ours, as recorded when it was last applied.
    """

    cluster: str
    release: str
    address: str
    kind: str
    key: str
    identity: Identity
    recorded_at: datetime


@attrs.frozen
class OwnedField:
    """A field a release applied; exactly one of `applied` and `fingerprint` is set."""

    address: str
    path: str
    applied: Any
    fingerprint: str | None
    recorded_at: datetime
