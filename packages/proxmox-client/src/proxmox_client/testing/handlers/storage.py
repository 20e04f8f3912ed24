"""The storage configuration: what storages there are and what may lie on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest, digest_of
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.state import Storage
from proxmox_client.testing.storagetypes import PLUGINS

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_NUMBERS = ("disable", "shared", "maxfiles", "max-protected-backups", "saferemove", "sparse")


def _digest(cluster: SimulatedCluster) -> str:
    rows = [[storage.name, storage.type, storage.options] for storage in cluster.storages.values()]
    return digest_of(json.dumps(rows, sort_keys=True))


def _shown(cluster: SimulatedCluster, storage: Storage) -> dict[str, Any]:
    row: dict[str, Any] = {"storage": storage.name, "type": storage.type}
    for name, text in storage.options.items():
        row[name] = int(text) if name in _NUMBERS and text.isdecimal() else text
    if storage.type == "nfs":
        row.setdefault("path", f"/mnt/pve/{storage.name}")
    return row | {"digest": _digest(cluster)}


@handles("GET", "/storage")
def list_storages(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the configured storages the caller may see."""
    wanted = ["Datastore.Audit", "Datastore.AllocateSpace"]
    return [
        _shown(cluster, storage)
        for storage in cluster.storages.values()
        if call.get("type") in (None, storage.type)
        and cluster.access.allows(call.identity, f"/storage/{storage.name}", wanted, any_of=True)
    ]


@handles("GET", "/storage/{storage}")
def read_storage(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one storage's configuration."""
    return _shown(cluster, cluster.volumes.storage(call["storage"]))


@handles("POST", "/storage")
def create_storage(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Configure a new storage."""
    name, kind = call["storage"], call["type"]
    plugin = PLUGINS[kind]
    options = {key: text for key, text in call.sent.items() if key not in ("storage", "type")}
    for needed in plugin.required:
        if needed not in options:
            raise PveFault(500, f"missing value for required option '{needed}'")
    _check_options(kind, options, creating=True)
    if name in cluster.storages:
        raise PveFault(500, f"create storage failed: storage ID '{name}' already defined")
    _check_online(name, kind, options)
    options.setdefault("content", plugin.default_content)
    storage = Storage(name, kind, options)
    cluster.storages[name] = storage
    return {"storage": name, "type": kind}


def _check_options(kind: str, options: dict[str, str], *, creating: bool) -> None:
    plugin = PLUGINS[kind]
    for key in options:
        if key not in plugin.options or (not creating and key in plugin.fixed):
            raise PveFault(
                500,
                f"unexpected property '{key}'"
                if creating
                else f"can't change value of fixed parameter '{key}'",
            )
    for content in split_list(options.get("content", "")):
        if content not in plugin.content:
            raise PveFault(500, f"storage does not support content type '{content}'")


def _check_online(name: str, kind: str, options: dict[str, str]) -> None:
    """Refuse servers nobody can reach: all network storages but the simulator's own server."""
    server = options.get("server", "")
    if not server or server == "10.77.0.200":
        return
    if kind == "pbs":
        raise PveFault(
            500,
            f"create storage failed: {name}: error fetching datastores - 500 Can't connect to"
            f" {server}:8007 (Connection refused)",
        )
    raise PveFault(500, f"create storage failed: storage '{name}' is not online")


@handles("PUT", "/storage/{storage}")
def update_storage(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Change a storage's configuration, guarded by the digest."""
    prefix = "update storage failed: "
    name = call["storage"]
    storage = cluster.storages.get(name)
    if storage is None:
        raise PveFault(500, f"{prefix}storage '{name}' does not exist")
    check_digest(call.sent.get("digest"), _digest(cluster), prefix=prefix)
    changes = {
        key: text for key, text in call.sent.items() if key not in ("storage", "digest", "delete")
    }
    removed = split_list(call.get("delete", ""))
    for key in removed:
        if key not in PLUGINS[storage.type].options:
            raise PveFault(500, f"{prefix}no such option '{key}'")
        if key in PLUGINS[storage.type].required:
            raise PveFault(500, f"{prefix}unable to delete required option '{key}'")
    _check_options(storage.type, changes, creating=False)
    for key in removed:
        storage.options.pop(key, None)
    storage.options.update(changes)
    return {"storage": name, "type": storage.type}


@handles("DELETE", "/storage/{storage}")
def delete_storage(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a storage from the configuration; what lies there stays."""
    if cluster.storages.pop(call["storage"], None) is None:
        raise PveFault(500, f"delete storage failed: storage '{call['storage']}' does not exist")
