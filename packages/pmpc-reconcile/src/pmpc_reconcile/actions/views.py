"""Values several actions answer with: what a person wants to know of an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class ResourceView:
    """One object as last observed.

    Attributes:
        kind: `node`, `qemu`, `lxc`, `storage`, `content`, `pool` or `task`.
        key: Its natural key, such as `100` or `pve1`.
        name: Its name, empty if it has none.
        node: Where it is, None if it belongs to the cluster.
        status: Its status as last seen, such as `running`; `unknown` if its node was not reachable.
        config: Its configuration in the API's own names; empty in lists unless asked for.
        facts: Volatile facts: usage, uptime, lock.
        since: Since when the configuration is as shown, ISO 8601 in UTC.
    """

    kind: str
    key: str
    name: str
    node: str | None
    status: str
    config: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    facts: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    since: str | None = None


@attrs.frozen
class FieldDifference:
    """One field with two values.

    Attributes:
        path: The field, such as `cores`.
        old: Value before, None if it was absent.
        new: Value after, None if it is absent.
    """

    path: str
    old: Any
    new: Any


@attrs.frozen
class SnapshotView:
    """A named time in the history of a cluster.

    Attributes:
        name: Its name.
        time: When it was taken, ISO 8601 in UTC.
        digest: Root hash over everything observed then.
    """

    name: str
    time: str
    digest: str


@attrs.frozen
class RevisionView:
    """One revision of a release.

    Attributes:
        release: The release.
        revision: Counted from 1.
        time: When it was recorded, ISO 8601 in UTC.
        status: `pending`, `applied`, `partial`, `failed` or `superseded`.
        description: What made it: `apply`, `rollback to 1`, `delete`.
        objects: Addresses of its objects.
    """

    release: str
    revision: int
    time: str
    status: str
    description: str
    objects: tuple[str, ...]
