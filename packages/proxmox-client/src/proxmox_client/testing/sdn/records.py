"""Staged objects that newer versions keep: fabrics and their nodes, prefix lists, route maps.

Unlike zones and their kin they have no ``type``, lists are lists, and ``delete`` is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.sdn.state import Objects, SdnState, pending_view, sdn

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_NOT_FIELDS = frozenset(("lock-token", "digest", "delete", "pending", "running", "verbose"))


def fields(call: Call, *left_out: str) -> dict[str, Any]:
    """Pick an object's own fields from the parameters; an empty list is none."""
    return {
        name: value
        for name, value in call.params.items()
        if name not in _NOT_FIELDS and name not in left_out and value != []
    }


def view(cluster: SimulatedCluster, call: Call, section: str) -> tuple[Objects, str | None]:
    """Return the objects a call asks for (staged, running or both), and their digest."""
    state = sdn(cluster)
    staged, running = state.staged[section], state.running.get(section, {})
    if call.get("pending"):
        return pending_view(section, staged, running), None
    if call.get("running"):
        return running, None
    return staged, state.digest(section)


def writing(cluster: SimulatedCluster, call: Call, section: str, prefix: str) -> SdnState:
    """Check lock and digest before a change and return what to change.

    Raises:
        PveFault: Somebody else holds the lock, or the digest is stale.
    """
    state = sdn(cluster)
    state.check_token(call.get("lock-token"), prefix)
    check_digest(call.sent.get("digest"), state.digest(section), prefix=f"{prefix}: ")
    return state


def merged(entry: Mapping[str, Any], changes: Mapping[str, Any], removed: Iterable[str]) -> Any:
    """Return an entry with changes, without what is removed."""
    return {**{k: v for k, v in entry.items() if k not in set(removed)}, **changes}


def found(objects: Objects, name: str, text: str, prefix: str = "") -> dict[str, Any]:
    """Return an object.

    Raises:
        PveFault: Status 500 with a text: it is not there.
    """
    entry = objects.get(name)
    if entry is None:
        raise PveFault(500, f"{prefix}: {text}" if prefix else text)
    return entry
