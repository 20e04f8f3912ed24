"""Whether a server is new, or old, enough for a call: since and until against its version.

Pure functions over what the operation itself knows, and a table of words; the full facts are not
loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from proxmox_client.errors import VersionUnsupported
from proxmox_client.wire.params import flatten

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
    given = [name for name in op.worded if params.get(name) is not None]
    if given:
        yield from _word_limits(op, {name: params[name] for name in given})


def _word_limits(op: Operation[Any], params: Mapping[str, object]) -> Iterator[_Limit]:
    """Yield the limits of words and of property strings' keys that are in use."""
    from proxmox_client.api.words import WORDS  # large: only where such a parameter is given

    for name, value in params.items():
        used = set(_used(op, name, value))
        for limited, spec, since, until in WORDS[op.id]:
            if limited == name and spec in used:
                what = f"{name}{spec}" if spec.startswith("=") else f"{spec} in {name}"
                yield what, since or OLDEST, until


def _used(op: Operation[Any], name: str, value: object) -> Iterator[str]:
    """Yield what a value holds: `=word`, and `key` and `key=word` of property strings."""
    try:
        pairs = tuple(flatten({name: value}, families=op.families, text_lists=op.text_lists))
    except ValueError:  # it cannot be sent, and building the request says why
        return
    for _, text in pairs:
        yield f"={text}"
        for entry in text.split(","):
            key, separator, word = entry.partition("=")
            if separator:
                yield key
                yield f"{key}={word}"
            else:
                yield f"={entry}"


def _release(version: str) -> tuple[int, int] | None:
    found = _RELEASE.match(version)
    return (int(found[1]), int(found[2])) if found else None
