"""The staged and the running configuration of the cluster's networks."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import attrs

from proxmox_client.testing.digest import digest_of
from proxmox_client.testing.request import PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Objects = dict[str, dict[str, Any]]
STAGED = ("zones", "vnets", "subnets", "controllers", "fabrics", "fabric-nodes",
          "prefix-lists", "route-maps")  # fmt: skip
"""What waits for an apply; IPAM and DNS servers count at once."""
_AT = " at /usr/share/perl5/PVE/Network/SDN.pm line 291."


def _staged() -> dict[str, Objects]:
    sections: dict[str, Objects] = {section: {} for section in STAGED}
    return sections | {"dns": {}, "ipams": {"pve": {"type": "pve"}}}


def _running() -> dict[str, Objects]:
    return {section: {} for section in STAGED}


@attrs.define
class SdnState:
    """All of it.

    Attributes:
        staged: Objects by section and id as they are edited.
        running: The sections that were applied last.
        token: Who holds the global lock says this; None if nobody does.
        version: How often it was applied.
    """

    staged: dict[str, Objects] = attrs.field(factory=_staged)
    running: dict[str, Objects] = attrs.field(factory=_running)
    token: str | None = None
    version: int = 0

    def digest(self, section: str) -> str:
        """Return the digest of a section's file; the ready-made IPAM stands in none."""
        objects = self.staged[section]
        if objects == {"pve": {"type": "pve"}}:
            return digest_of("")
        return digest_of(json.dumps(objects, sort_keys=True) if objects else "")

    def check_token(self, token: str | None, prefix: str) -> None:
        """Refuse who does not hold the lock while somebody does.

        Raises:
            PveFault: Status 500.
        """
        if self.token is not None and token != self.token:
            raise PveFault(500, f"{prefix}: invalid lock token provided!{_AT}")

    def commit(self) -> None:
        """Make the staged configuration the running one."""
        self.running = copy.deepcopy({section: self.staged[section] for section in STAGED})
        self.version += 1

    def roll_back(self) -> None:
        """Make the running configuration the staged one."""
        self.staged |= copy.deepcopy(self.running)

    def has_pending(self) -> bool:
        """Whether anything waits for an apply."""
        return any(self.staged[section] != self.running[section] for section in STAGED)


def sdn(cluster: SimulatedCluster) -> SdnState:
    """Return the cluster's networks."""
    state: SdnState = cluster.files.setdefault("sdn", SdnState())
    return state


def pending_view(section: str, staged: Objects, running: Objects) -> Objects:
    """Merge running and staged objects the way ``pending=1`` shows them."""
    view: Objects = {}
    for name in sorted(running.keys() | staged.keys()):
        old, new = running.get(name), staged.get(name)
        row: dict[str, Any] = dict(old or {})
        if new is not None and "type" in new:
            row["type"] = new["type"]
        if state := _state(old, new):
            row |= {"state": state, "pending": _difference(old or {}, new or {}, state)}
        view[name] = row
    return view


def _state(old: dict[str, Any] | None, new: dict[str, Any] | None) -> str | None:
    if old is None:
        return "new"
    if new is None:
        return "deleted"
    return "changed" if old != new else None


def _difference(old: dict[str, Any], new: dict[str, Any], state: str) -> dict[str, Any]:
    if state == "deleted":
        return {}
    changed = {key: value for key, value in new.items() if old.get(key) != value and key != "type"}
    return changed | {key: "deleted" for key in old if key not in new}
