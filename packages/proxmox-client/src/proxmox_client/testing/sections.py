"""Simple objects by id that stand in one configuration file each and share one digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest, digest_of
from proxmox_client.testing.formats import split_list

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_NOT_OPTIONS = frozenset(("digest", "delete"))
Entries = dict[str, dict[str, Any]]


def entries(cluster: SimulatedCluster, file: str) -> Entries:
    """Return the objects of a file by id."""
    found: Entries = cluster.files.setdefault(f"sections/{file}", {})
    return found


def digest(cluster: SimulatedCluster, file: str) -> str:
    """Return the digest of a file."""
    found = entries(cluster, file)
    return digest_of(json.dumps(found, sort_keys=True) if found else "")


def options(params: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Pick an object's options from a call's parameters."""
    return {
        name: value for name, value in params.items() if name not in _NOT_OPTIONS and name != key
    }


def change(
    cluster: SimulatedCluster,
    file: str,
    name: str,
    params: Mapping[str, Any],
    key: str,
    *,
    prefix: str = "",
) -> None:
    """Change an object that is there: options that are sent win, deleted ones go.

    Raises:
        PveFault: The digest is stale.
    """
    check_digest(params.get("digest"), digest(cluster, file), prefix=prefix)
    entry = entries(cluster, file)[name]
    for option in split_list(params.get("delete", "")):
        entry.pop(option, None)
    entry.update(options(params, key))
