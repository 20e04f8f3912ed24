"""Changing an object guarded by its digest: somebody else's change is never overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from proxmox_client.errors import DigestMismatch
from proxmox_client.flows.call import Session, perform_raw
from proxmox_client.flows.effects import Flow
from proxmox_client.flows.guests import ask_guest
from proxmox_client.wire.params import to_text

_ROUNDS: Final = 5
_Read = Callable[[], Flow[Any]]
_Write = Callable[[Mapping[str, object]], Flow[Any]]


def update(session: Session, path: str, changes: Mapping[str, object]) -> Flow[bool]:
    """Read an object, write the changes with its digest, and read again where somebody was faster.

    It goes on only while the other one changed other keys; a change of the same keys is a
    `DigestMismatch` for the caller to look at.

    Args:
        session: Who asks.
        path: An object with a digest: a guest's `…/config`, `/storage/local`, …
        changes: New values by PVE's names; None deletes the key.

    Returns:
        False where there was nothing to change, so that nothing was written.

    Raises:
        DigestMismatch: Somebody changed the same keys, or others too often.
        ApiError: As everywhere.
    """
    return _update(
        lambda: perform_raw(session, "GET", path, {}),
        lambda params: perform_raw(session, "PUT", path, params),
        changes,
    )


def update_guest(session: Session, vmid: int, changes: Mapping[str, object]) -> Flow[bool]:
    """Do the same to the configuration of a guest, on whichever node it is.

    Args:
        session: Who asks.
        vmid: The guest.
        changes: New values by PVE's names; None deletes the key.
    """
    return _update(
        lambda: ask_guest(session, vmid, "GET", "/config", {}),
        lambda params: ask_guest(session, vmid, "PUT", "/config", params),
        changes,
    )


def _update(read: _Read, write: _Write, changes: Mapping[str, object]) -> Flow[bool]:
    first: dict[str, Any] | None = None
    clash: DigestMismatch | None = None
    for left in reversed(range(_ROUNDS)):
        data: object = yield from read()
        live = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
        first = live if first is None else first
        if clash is not None and any(live.get(key) != first.get(key) for key in changes):
            raise clash
        gone = [key for key, value in changes.items() if value is None and key in live]
        kept = {key: value for key, value in changes.items() if value is not None}
        if not gone and all(_is(live, key, value) for key, value in kept.items()):
            return False
        params = {**kept, "digest": live.get("digest"), "delete": ",".join(gone) or None}
        try:
            yield from write(params)
        except DigestMismatch as error:
            if not left:
                raise
            clash = error
        else:
            return True
    raise AssertionError("the last round returns or raises")


def _is(live: Mapping[str, Any], key: str, value: object) -> bool:
    return key in live and to_text(live[key]) == to_text(value)
