"""Write the manifests of pools and settings from what the server shows of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from pmpc_reconcile.documents.written import Written, written
from pmpc_reconcile.groups.firewall.state import Level, Rules
from pmpc_reconcile.identity import strip_marker
from pmpc_reconcile.kinds import Shape, kind, options_of

if TYPE_CHECKING:
    from pmpc_reconcile.groups.network.state import Interfaces
    from pmpc_reconcile.groups.sdn.state import Objects
    from pmpc_reconcile.live import PoolObject

_OWN_PATH: Final = frozenset({"nfs", "cifs", "cephfs", "glusterfs"})
"""Types of storages whose path PVE makes up."""
_CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    "cifs": ("password",),
    "esxi": ("password",),
    "pbs": ("password", "encryption-key"),
    "cephfs": ("keyring",),
    "rbd": ("keyring",),
}
"""Secrets of storages, which PVE never shows, by type."""
_WITNESS: Final[Mapping[str, str]] = {
    "password": "username",
    "keyring": "monhost",
    "encryption-key": "encryption-key",
}
"""The option beside which a secret stands: without it there is none."""


def storage_document(row: Mapping[str, Any]) -> Written:
    """Return the manifest of a storage of what `/storage` shows."""
    options = options_of(kind("Storage"))
    config = {
        name: value
        for name, value in sorted(row.items())
        if (option := options.find(name)) is not None and option.shape is not Shape.SECRET
    }
    if row["type"] in _OWN_PATH:
        config.pop("path", None)
    name = str(row["storage"])
    return written("Storage", name, name, {"type": row["type"], "config": config})


def storage_secrets(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the secrets a storage has and a manifest written from it lacks."""
    return tuple(name for name in _CREDENTIALS.get(str(row["type"]), ()) if row.get(_WITNESS[name]))


def pool_document(pool: PoolObject, name: str | None = None) -> Written:
    """Return the manifest of a pool."""
    comment = strip_marker(pool.comment)
    spec: dict[str, Any] = {"comment": comment} if comment else {}
    if pool.guests:
        spec["guests"] = sorted(pool.guests)
    if pool.storages:
        spec["storage"] = sorted(pool.storages)
    return written("Pool", name or pool.name, pool.name, spec)


def sdn_document(objects: Objects, name: str = "cluster") -> Written:
    """Return the manifest of the cluster's networks."""
    spec = {
        section: {each: dict(options) for each, options in inside.items()}
        for section, inside in objects.items()
        if inside
    }
    return written("Sdn", name, "cluster", spec)


def network_document(node: str, interfaces: Interfaces, name: str | None = None) -> Written:
    """Return the manifest of a node's network."""
    declared = {each: dict(options) for each, options in interfaces.items()}
    spec = {"node": node, "interfaces": declared}
    return written("NodeNetwork", name or node, f"node/{node}", spec)


def firewall_document(key: str, level: Level, name: str | None = None) -> Written:
    """Return the manifest of a level of the firewall.

    Args:
        key: `cluster`, `node/pve1`, `guest/100`.
        level: The level.
        name: Its name among the manifests; `cluster`, `pve1`, `guest-100` by default.
    """
    scope, _, of = key.partition("/")
    head: dict[str, Any] = {"node": of} if scope == "node" else {}
    head |= {"guest": int(of)} if scope == "guest" else {}
    usual = {"node": of, "guest": f"guest-{of}"}.get(scope, "cluster")
    return written("Firewall", name or usual, key, {**head, **_level(level)})


def _level(level: Level) -> dict[str, Any]:
    """Return a level of the firewall in a manifest's words."""
    spec: dict[str, Any] = {
        "options": dict(level.options),
        "aliases": {name: _noted(a.cidr, a.comment) for name, a in level.aliases.items()},
        "ipsets": {
            name: {
                **({"comment": ipset.comment} if ipset.comment else {}),
                "entries": [_entry(cidr, text) for cidr, text in ipset.entries.items()],
            }
            for name, ipset in level.ipsets.items()
        },
        "groups": {
            name: {
                **({"comment": group.comment} if group.comment else {}),
                "rules": list(_rules(group.rules)),
            }
            for name, group in level.groups.items()
        },
        "rules": list(_rules(level.rules)),
    }
    return {name: value for name, value in spec.items() if value}


def _rules(rules: Rules) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for rule in rules:
        if rule.match not in seen:  # a second one of the same match has no effect
            seen.add(rule.match)
            yield {**rule.parameters(), "enable": rule.enabled}


def _entry(cidr: str, text: str) -> str:
    word, _, comment = text.partition(" # ")
    return _noted(f"!{cidr}" if word == "nomatch" else cidr, comment)


def _noted(text: str, comment: str) -> str:
    return f"{text} # {comment}" if comment else text
