"""One method of one path of the PVE API, as a value."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")


class Safety(enum.Enum):
    """What a second sending of the same request would do."""

    READ = "read"
    """Changes nothing: may be sent again."""
    IDEMPOTENT = "idempotent"
    """Ends in the same state however often it is done."""
    UNSAFE = "unsafe"
    """A second time does something else, or fails."""


@attrs.frozen
class Operation(Generic[T]):
    """One method of one path, with what a client has to know to call it.

    Attributes:
        id: Path segments without placeholders, then the method: `nodes.qemu.config.get`.
        method: `GET`, `POST`, `PUT` or `DELETE`.
        path: Template below `/api2/json`: `/nodes/{node}/qemu/{vmid}/config`.
        decode: Turns the value under `data` into the typed result.
        safety: What a second sending would do.
        starts_task: The answer is a UPID (or, rarely, the text `OK`).
        protected: The front server forwards it to the privileged daemon.
        allow_token: False where PVE wants a ticket.
        since: First PVE version that has it.
        until: Last PVE version that has it; None while it lives.
        required: Names of parameters that have to be sent beside the path's own.
        families: Indexed families among the parameters (`net` for net0, net1, …).
        text_lists: Parameters with a `-list` format, sent joined by commas.
        encoded: Parameters that PVE wants percent-encoded by the caller.
        worded: Parameters whose words or keys some versions lack: see `api/words.py`.
        dated: Parameters of some versions only: name, first version, last version or None.
    """

    id: str
    method: str
    path: str
    decode: Callable[[Any], T]
    safety: Safety
    starts_task: bool = False
    protected: bool = False
    allow_token: bool = True
    since: str = "7.4"
    until: str | None = None
    required: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    text_lists: tuple[str, ...] = ()
    encoded: tuple[str, ...] = ()
    worded: tuple[str, ...] = ()
    dated: tuple[tuple[str, str, str | None], ...] = ()
