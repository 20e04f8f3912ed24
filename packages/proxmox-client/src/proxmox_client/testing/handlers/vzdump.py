"""Backing up guests of a node, and looking at what a backup holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.backups.archive import archive_of
from proxmox_client.testing.backups.vzdump import start
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.guestwork import privileges
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_DEFAULTS = {
    "all": 0, "bwlimit": 0, "compress": "0", "fleecing": {"enabled": 0}, "ionice": 7,
    "lockwait": 180, "mailnotification": "always", "mode": "snapshot", "notification-mode": "auto",
    "performance": {"max-workers": 16, "pbs-entries-max": 1048576}, "pigz": 0,
    "prune-backups": "keep-all=1", "quiet": 0, "remove": 1, "stdexcludes": 1, "stop": 0,
    "stopwait": 10, "zstd": 1,
}  # fmt: skip


@handles("POST", "/nodes/{node}/vzdump")
def vzdump(cluster: SimulatedCluster, call: Call) -> str:
    """Back up guests of this node; answers ``OK`` without a task if all live elsewhere."""
    vmids = _wanted(cluster, call)
    here = [
        vmid
        for vmid in vmids
        if vmid not in cluster.guests or cluster.guests[vmid].node == call.node
    ]
    if vmids and not here:
        return "OK"
    privileges.require_space(cluster, call.identity, call.get("storage", "local"))
    for vmid in here:
        privileges.require_guest(cluster, call.identity, vmid, ["VM.Backup"])
    options = {key: text for key, text in call.sent.items() if key not in ("all", "pool")}
    return start(cluster, call.node, here, options, call.identity.authid)


def _wanted(cluster: SimulatedCluster, call: Call) -> list[int]:
    if "vmid" in call:
        return [int(text) for text in split_list(str(call["vmid"]))]
    excluded = {int(text) for text in split_list(str(call.get("exclude", "")))}
    if "pool" in call:
        pool = cluster.pools.get(call["pool"])
        if pool is None:
            raise PveFault(500, f"pool '{call['pool']}' does not exist")
        return sorted(pool.guests - excluded)
    if not call.get("all"):
        raise PveFault.parameters({"vmid": "property is missing"})
    mine = (guest.vmid for guest in cluster.guests.values() if guest.node == call.node)
    return sorted(set(mine) - excluded)


@handles("GET", "/nodes/{node}/vzdump/defaults")
def defaults(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return what a backup does unless told otherwise."""
    name = call.get("storage", "local")
    storage = cluster.volumes.usable(name, call.node)
    folder = f"{storage.options.get('path', f'/mnt/pve/{name}')}/dump"
    answer: dict[str, Any] = {**_DEFAULTS, "storage": name, "dumpdir": folder}
    return answer | {
        key: storage.options[key] for key in ("prune-backups",) if key in storage.options
    }


@handles("GET", "/nodes/{node}/vzdump/extractconfig")
def extract_configuration(cluster: SimulatedCluster, call: Call) -> str:
    """Return the configuration in a backup."""
    volume, archive = archive_of(cluster, call.node, call["volume"])
    if volume.vmid is not None:
        privileges.require_guest(cluster, call.identity, volume.vmid, ["VM.Backup"])
    if archive is None:
        raise PveFault(500, f"unable to extract configuration from '{volume.volid}'")
    return archive.text
