"""Which task a request starts: its type and its id, as they stand in the UPID.

From the tasks in the recordings of PVE 9.2 (one node and three). Where a guest is managed by HA,
power and migration start another kind of task; both are listed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

_GUEST: Final = r"/nodes/(?P<node>[^/]+)/(?P<kind>qemu|lxc)/(?P<id>\d+)"
_STORAGE: Final = r"/nodes/(?P<node>[^/]+)/storage/[^/]+"
_PREFIX: Final = {"qemu": "qm", "lxc": "vz"}
_RULES: Final = tuple(
    (method, re.compile(pattern), types)
    for method, pattern, types in (
        ("POST", _GUEST + r"/status/start", ("*start", "hastart")),
        ("POST", _GUEST + r"/status/stop", ("*stop", "hastop")),
        ("POST", _GUEST + r"/status/shutdown", ("*shutdown", "hastop")),
        ("POST", _GUEST + r"/status/reboot", ("*reboot",)),
        ("POST", _GUEST + r"/status/reset", ("*reset",)),
        ("POST", _GUEST + r"/status/resume", ("*resume",)),
        ("POST", _GUEST + r"/status/suspend", ("*suspend", "qmpause")),
        ("POST", _GUEST + r"/clone", ("*clone",)),
        ("POST", _GUEST + r"/config", ("*config",)),
        ("POST", _GUEST + r"/migrate", ("qmigrate", "vzmigrate", "hamigrate")),
        ("POST", _GUEST + r"/move_disk", ("qmmove",)),
        ("POST", _GUEST + r"/move_volume", ("move_volume",)),
        ("POST", _GUEST + r"/snapshot", ("*snapshot",)),
        ("DELETE", _GUEST + r"/snapshot/[^/]+", ("*delsnapshot",)),
        ("POST", _GUEST + r"/snapshot/[^/]+/rollback", ("*rollback",)),
        ("POST", _GUEST + r"/template", ("*template",)),
        ("PUT", _GUEST + r"/resize", ("resize",)),
        ("DELETE", _GUEST, ("*destroy",)),
        ("POST", r"/nodes/(?P<node>[^/]+)/(?P<kind>qemu|lxc)", ("*create", "*restore")),
        ("POST", r"/nodes/(?P<node>[^/]+)/vzdump", ("vzdump",)),
        ("POST", r"/nodes/(?P<node>[^/]+)/(?P<types>startall|stopall|suspendall)", ()),
        ("PUT", r"/nodes/(?P<node>[^/]+)/network", ("srvreload",)),
        # the node asked takes the file and carries it to the other one: its name is not in the path
        ("POST", r"/nodes/[^/]+/storage/[^/]+/upload", ("imgcopy",)),
        ("POST", _STORAGE + r"/download-url", ("download",)),
        ("DELETE", _STORAGE + r"/content/.+", ("imgdel",)),
        ("DELETE", _STORAGE + r"/prunebackups", ("prunebackups",)),
    )
)


@attrs.frozen
class TaskTrace:
    """What a request's task looks like.

    Attributes:
        node: Where it runs; None where it is the node that was asked, whichever that is.
        types: Its possible types.
        id: What it is about; None where the request does not say.
    """

    node: str | None
    types: frozenset[str]
    id: str | None


def trace_of(method: str, address: str, sent: Mapping[str, str]) -> TaskTrace | None:
    """Return what the task of a request looks like; None where it starts none.

    Args:
        method: HTTP method.
        address: Filled path.
        sent: The parameters.
    """
    for wanted, pattern, types in _RULES:
        match = pattern.fullmatch(address) if wanted == method else None
        if match is None:
            continue
        found = match.groupdict()
        prefix = _PREFIX.get(found.get("kind") or "", "")
        named = types or (found["types"],)
        guest = found.get("id") or (sent.get("vmid") if found.get("kind") else None)
        return TaskTrace(
            found.get("node"), frozenset(name.replace("*", prefix) for name in named), guest
        )
    return None
