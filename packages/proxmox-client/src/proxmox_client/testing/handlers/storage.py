"""The storage configuration: what storages there are and what may lie on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest, digest_of
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.state import Storage
from proxmox_client.testing.storagetypes import plugins

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

OWN_SERVER = "10.77.0.200"
"""Server of the ready-made storage; it offers whatever it is asked for."""
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
    plugin = plugins()[kind]
    options = {key: text for key, text in call.sent.items() if key not in ("storage", "type")}
    for needed in plugin.required:
        if needed not in options:
            raise PveFault(500, f"missing value for required option '{needed}'")
    _check_options(kind, options, creating=True)
    if name in cluster.storages:
        raise PveFault(500, f"create storage failed: storage ID '{name}' already defined")
    _check_online(cluster, name, kind, options)
    options.setdefault("content", plugin.default_content)
    storage = Storage(name, kind, options)
    cluster.storages[name] = storage
    return {"storage": name, "type": kind}


def _check_options(kind: str, options: dict[str, str], *, creating: bool) -> None:
    plugin = plugins()[kind]
    prefix = "" if creating else "update storage failed: "
    for key in options:
        if key not in plugin.options:
            raise PveFault(500, f"{prefix}unexpected property '{key}'")
        if not creating and key in plugin.fixed:
            raise PveFault(500, f"{prefix}can't change value of fixed parameter '{key}'")
    for content in split_list(options.get("content", "")):
        if content not in plugin.content:
            text = f"storage does not support content type '{content}'"
            raise PveFault(500, prefix + text)


def _check_online(cluster: SimulatedCluster, name: str, kind: str, options: dict[str, str]) -> None:
    """Refuse servers nobody can reach, and what a server does not offer."""
    address = options.get("server") or options.get("portal", "").partition(":")[0]
    if not address or address == OWN_SERVER or kind in ("rbd", "cephfs", "glusterfs"):
        return
    server, prefix = cluster.outside.files.get(address), f"create storage failed: {name}: "
    if kind == "pbs":
        if server is None:
            where = f"{address}:{options.get('port', 8007)}"
            text = f"error fetching datastores - 500 Can't connect to {where} (Connection refused)"
            raise PveFault(500, prefix + text)
        if options["datastore"] not in server.datastores:
            store = options["datastore"]
            text = f"Cannot find datastore '{store}', check permissions and existence!"
            raise PveFault(500, prefix + text)
        return
    if server is None:
        raise PveFault(500, f"create storage failed: storage '{name}' is not online")
    if kind == "nfs" and options["export"] not in server.exports:
        source = f"{address}:{options['export']}"
        text = f"mount error: mount.nfs: access denied by server while mounting {source}"
        raise PveFault(500, f"create storage failed: {text}")
    if kind == "cifs" and options["share"] not in server.shares:
        text = "mount error: mount error(2): No such file or directory"
        raise PveFault(500, f"create storage failed: {text}")


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
        if key not in plugins()[storage.type].options:
            raise PveFault(500, f"{prefix}no such option '{key}'")
        if key in plugins()[storage.type].required:
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
