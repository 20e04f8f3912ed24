"""Rules of hooks: what may be done to guests before and after something, and to which.

A guest's hooks are about itself. Those of a release, a pool or settings name their guests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

STORAGE: Final = r"[A-Za-z][A-Za-z0-9._-]*"
SECONDS: Final = {"type": "integer", "min": 1, "max": 86_400}

CHANGED: Final = "changed"
ALL: Final = "all"

_ACTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "snapshot": {"keep": {"type": "integer", "min": 1}},
    "backup": {
        "storage": {"type": "string", "required": True, "regex": STORAGE},
        "mode": {"type": "string", "allowed": ["snapshot", "suspend", "stop"]},
    },
    "shutdown": {},
    "stop": {},
    "start": {},
    "waitFor": {
        "state": {"type": "string", "required": True, "allowed": ["running", "stopped", "agent"]},
        "timeout": SECONDS,
    },
    "run": {
        "command": {
            "type": "list",
            "required": True,
            "minlength": 1,
            "schema": {"type": "string"},
        },
        "timeout": SECONDS,
    },
}
_AFTERWARDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "dropBackups": {
        "storage": {"type": "string", "required": True, "regex": STORAGE},
        "keep": {"type": "integer", "min": 1, "required": True},
    },
}
"""When the guest is gone there is nothing to take a snapshot or a backup of."""

_GUESTS: Final[Mapping[str, Any]] = {
    "type": ["string", "list"],
    "check_with": "hook_guests",
    "empty": False,
}
_NAMED: Final[Mapping[str, Any]] = {
    "type": "list",
    "minlength": 1,
    "required": True,
    "schema": {"type": "string", "check_with": "guest_address"},
}


def _listed(
    actions: Mapping[str, Mapping[str, Any]], guests: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the rule of a list of hooks, each of which does one thing."""
    more = {} if guests is None else {"guests": guests}
    schema = {
        name: {"type": "dict", "schema": {**given, **more}} for name, given in actions.items()
    }
    entry = {"type": "dict", "minlength": 1, "maxlength": 1, "schema": schema}
    return {"type": "list", "schema": entry}


def _moments(before: Mapping[str, Any], afterwards: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "dict",
        "schema": {
            "preApply": before,
            "postApply": before,
            "preDelete": before,
            "postDelete": afterwards,
        },
    }


GUEST_HOOKS: Final = _moments(_listed(_ACTIONS), _listed(_AFTERWARDS))
"""Hooks of a guest."""
RELEASE_HOOKS: Final = _moments(_listed(_ACTIONS, _GUESTS), _listed(_AFTERWARDS, _GUESTS))
"""Hooks of a release: when it is deleted, so are its guests."""
POOL_HOOKS: Final = _moments(_listed(_ACTIONS, _GUESTS), _listed(_ACTIONS, _GUESTS))
"""Hooks of a pool: its members may stay when it is deleted."""
SETTINGS_HOOKS: Final = _moments(_listed(_ACTIONS, _NAMED), _listed(_ACTIONS, _NAMED))
"""Hooks of settings, which have no guests of their own: each names some."""
