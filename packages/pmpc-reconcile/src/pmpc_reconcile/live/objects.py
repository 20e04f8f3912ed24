"""Single objects as read from their own configuration: this, not a list, proves what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pmpc_reconcile.identity import Evidence, Marker, evidence_of, read_marker, strip_marker


@attrs.frozen
class GuestObject:
    """A guest as its node describes it.

    Attributes:
        vmid: Its id.
        guest: `qemu` or `lxc`.
        node: The node that answered.
        config: Its options in PVE's own keys, pending values merged; no digest.
        running_config: The options it runs with; the same as `config` when it does not run.
        digest: Digest of the configuration file.
        running: Whether it runs.
        pool: Its pool.
    """

    vmid: int
    guest: str
    node: str
    config: Mapping[str, Any] = attrs.field(repr=False)
    running_config: Mapping[str, Any] = attrs.field(repr=False)
    digest: str
    running: bool
    pool: str | None = None

    @property
    def description(self) -> str | None:
        """Return its description as stored, marker included."""
        value = self.config.get("description")
        return None if value is None else str(value)

    @property
    def marker(self) -> Marker | None:
        """Return whose it is by its description."""
        return read_marker(self.description)

    @property
    def evidence(self) -> Evidence:
        """Return the traits that tell it from others."""
        return evidence_of(self.config)

    @property
    def own_config(self) -> dict[str, Any]:
        """Return its options with the marker line taken out of the description."""
        config = dict(self.config)
        own = strip_marker(self.description)
        if own:
            config["description"] = own
        else:
            config.pop("description", None)
        return config

    @property
    def lock(self) -> str | None:
        """Return the lock in its configuration."""
        value = self.config.get("lock")
        return None if value is None else str(value)

    @property
    def state(self) -> str:
        """Return `running` or `stopped`."""
        return "running" if self.running else "stopped"

    @property
    def protected(self) -> bool:
        """Return whether its protection flag forbids deleting it."""
        return str(self.config.get("protection", 0)) in ("1", "True", "true")


@attrs.frozen
class PoolObject:
    """A pool as described by the server.

    Attributes:
        name: Its id.
        comment: Its comment as stored, marker included.
        guests: vmids of its members.
        storages: Storages among its members.
    """

    name: str
    comment: str = ""
    guests: frozenset[int] = frozenset()
    storages: frozenset[str] = frozenset()

    @property
    def marker(self) -> Marker | None:
        """Return whose it is by its comment."""
        return read_marker(self.comment)
