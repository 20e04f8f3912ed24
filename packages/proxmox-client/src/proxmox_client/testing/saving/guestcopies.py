"""Guests made from what a cluster said about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from proxmox_client.testing.guests import drives
from proxmox_client.testing.guests.guest import Guest, Snapshot
from proxmox_client.testing.guests.options import Kind
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.saving.wirevalues import fields, rows
from proxmox_client.testing.validation import text_of

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_CONFIG = re.compile(r"/nodes/([^/]+)/(qemu|lxc)/(\d+)/config")
_NOT_OPTIONS = frozenset(("digest", "parent", "lxc", "snaptime", "snapstate", "vmstate"))


def make(cluster: SimulatedCluster, answers: Mapping[str, Any]) -> Iterator[str]:
    """Put every guest whose configuration is known on its node; yield what could not be made."""
    states = _states(answers)
    # A guest that moved was read at several nodes: what was read last counts.
    for path, found in reversed(list(answers.items())):
        place = _CONFIG.fullmatch(path)
        if place is None or not isinstance(found, dict):
            continue
        node, kind, vmid = place[1], cast("Kind", place[2]), int(place[3])
        if vmid in cluster.guests or node not in cluster.nodes:
            continue
        if states and states.get(vmid, (node,))[0] != node:
            continue
        try:
            _guest(cluster, answers, path.removesuffix("/config"), node, kind, vmid)
        except (PveFault, ValueError) as error:
            cluster.guests.pop(vmid, None)
            yield f"guest {vmid}: {error}"
            continue
        if states.get(vmid, ("", "stopped"))[1] == "running":
            cluster.guests[vmid].begin(10_000 + vmid, cluster.nodes[node].booted + 60)
        cluster.broadcast.tell(cluster.guests[vmid])


def _states(answers: Mapping[str, Any]) -> dict[int, tuple[str, str]]:
    """Return node and status of the guests that were listed."""
    return {
        int(row["vmid"]): (str(row["node"]), str(row.get("status", "stopped")))
        for row in rows(answers.get("/cluster/resources"))
        if row.get("type") in ("qemu", "lxc") and "vmid" in row
    }


def _guest(
    cluster: SimulatedCluster,
    answers: Mapping[str, Any],
    path: str,
    node: str,
    kind: Kind,
    vmid: int,
) -> None:
    config = _options(answers[f"{path}/config"])
    disks = {
        name: text
        for name, text in config.items()
        if drives.holds_volume(kind, name) and not _is_listed(cluster, kind, node, name, text)
    }
    # Only to make the volumes that no storage listed.
    cluster.add_vm(node, vmid, disks) if kind == "qemu" else cluster.add_container(
        node, vmid, disks
    )
    guest = cluster.guests[vmid]
    guest.config = config
    guest.parent = answers[f"{path}/config"].get("parent")
    guest.born = cluster.nodes[node].booted
    _take_pending(guest, answers.get(f"{path}/pending"))
    _take_snapshots(guest, answers, path)


def _is_listed(cluster: SimulatedCluster, kind: Kind, node: str, name: str, text: str) -> bool:
    drive = drives.parse_drive(name, text)
    return drive.storage is None or cluster.volumes.find(node, drive.volid) is not None


def _options(found: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: text_of(value)
        for name, value in found.items()
        if name not in _NOT_OPTIONS and value is not None and not isinstance(value, list | dict)
    }


def _take_pending(guest: Guest, found: object) -> None:
    for row in rows(found):
        if "pending" in row:
            guest.pending[row["key"]] = text_of(row["pending"])
        if row.get("delete"):
            guest.pending_delete[row["key"]] = row["delete"] == 2


def _take_snapshots(guest: Guest, answers: Mapping[str, Any], path: str) -> None:
    for row in rows(answers.get(f"{path}/snapshot")):
        name = str(row["name"])
        if name == "current":
            continue
        found = fields(answers.get(f"{path}/snapshot/{name}/config"))
        config = _options(found) if found else dict(guest.config)
        config.pop("description", None)
        guest.snapshots[name] = Snapshot(
            name,
            config,
            int(row.get("snaptime", 0)),
            str(row.get("description", "")).strip(),
            row.get("parent"),
            found.get("vmstate"),
        )
