"""Whether a server is new, or old, enough for a call: since and until against its version.

Pure functions over what the operation itself knows; the full facts are not loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from proxmox_client.errors import VersionUnsupported

if TYPE_CHECKING:
    from proxmox_client.wire.operation import Operation

OLDEST: Final = "7.4"
"""The first version whose API is known; what it has is taken for always there."""
_RELEASE: Final = re.compile(r"(\d+)\.(\d+)")
_Limit = tuple[str | None, str, str | None]


def matters(op: Operation[Any], params: Mapping[str, object]) -> bool:
    """Whether some supported version lacks the operation or a parameter that is given."""
    return any(_limits(op, params))


def check(op: Operation[Any], params: Mapping[str, object], version: str) -> None:
    """Refuse a call the server lacks.

    Args:
        op: What is to be called.
        params: What is to be sent, by the names handed to the operation; None is not sent.
        version: The server's, as `GET /version` states it: `8.4.1`.

    Raises:
        VersionUnsupported: The server is too old or too new for it.
    """
    server = _release(version)
    if server is None:
        return
    for name, since, until in _limits(op, params):
        what = "" if name is None else f"{name} "
        if server < (_release(since) or server):
            raise VersionUnsupported(op.id, f"{what}needs PVE {since}, this server is {version}")
        if until is not None and server > (_release(until) or server):
            why = f"{what}needs PVE {until} or older, this server is {version}"
            raise VersionUnsupported(op.id, why)


def _limits(op: Operation[Any], params: Mapping[str, object]) -> Iterator[_Limit]:
    """Yield what has limits: None for the operation itself, then parameters."""
    if op.since != OLDEST or op.until is not None:
        yield None, op.since, op.until
    for name, since, until in op.dated:
        if params.get(name) is not None:
            yield name, since, until


def _release(version: str) -> tuple[int, int] | None:
    found = _RELEASE.match(version)
    return (int(found[1]), int(found[2])) if found else None
