"""A cluster made from what a cluster said: the answers of its API, by path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from proxmox_client.testing.clock import START
from proxmox_client.testing.routing import POINT_RELEASES
from proxmox_client.testing.saving import configuring, guestcopies
from proxmox_client.testing.saving.wirevalues import fields, rows
from proxmox_client.testing.state import Storage, Volume
from proxmox_client.testing.validation import text_of

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Answers = Mapping[str, Any]
"""What stands under `data`, by path without query."""
_VERSIONS = tuple(POINT_RELEASES)
_NOT_OPTIONS = frozenset(("storage", "type", "digest"))


@attrs.frozen
class Copy:
    """A cluster made from answers, and what could not be taken over.

    Attributes:
        cluster: The cluster.
        left_out: A line for each object that could not be made, with the reason.
    """

    cluster: SimulatedCluster
    left_out: tuple[str, ...] = ()


def from_answers(answers: Answers) -> Copy:
    """Make a cluster that says what the answers say, as far as it can.

    Raises:
        ValueError: The answers name no node.
    """
    from proxmox_client.testing.cluster import SimulatedCluster

    names = _nodes(answers)
    cluster = SimulatedCluster(names, _version(answers), storages=(), start=_time(answers))
    for name in names:
        _fill_node(cluster, name, answers)
    for row in rows(answers.get("/storage")):
        options = {key: text_of(part) for key, part in row.items() if key not in _NOT_OPTIONS}
        cluster.storages[row["storage"]] = Storage(row["storage"], row["type"], options)
    for name in names:
        for row in rows(answers.get(f"/nodes/{name}/storage")):
            _fill_storage(cluster, name, row, answers)
    left_out = [*guestcopies.make(cluster, answers), *configuring.make(cluster, answers)]
    return Copy(cluster, tuple(left_out))


def _version(answers: Answers) -> str:
    """Return the version to serve: the one that answered, or the nearest that is known."""
    release = str(fields(answers.get("/version")).get("release", _VERSIONS[-1]))
    if release in _VERSIONS:
        return release
    return _VERSIONS[0] if release.startswith(("7.", "8.")) else _VERSIONS[-1]


def _nodes(answers: Answers) -> tuple[str, ...]:
    listed = {
        str(row.get("name") or row.get("node"))
        for path in ("/cluster/status", "/cluster/resources", "/nodes")
        for row in rows(answers.get(path))
        if row.get("type", "node") == "node"
    }
    asked = {path.split("/")[2] for path in answers if path.startswith("/nodes/")}
    asked.discard("localhost")
    names = tuple(sorted(listed or asked))
    if not names:
        raise ValueError("cannot make a cluster: the answers name no node")
    return names


def _time(answers: Answers) -> float:
    times = [
        float(fields(found)["time"])
        for path, found in answers.items()
        if path.endswith("/time") and "time" in fields(found)
    ]
    return max(times, default=START)


def _fill_node(cluster: SimulatedCluster, name: str, answers: Answers) -> None:
    node = cluster.nodes[name]
    for row in rows(answers.get("/cluster/status")):
        if row.get("name") == name and row.get("ip"):
            node.address = str(row["ip"])
    if found := fields(answers.get(f"/nodes/{name}/status")):
        node.cpus = int(found.get("cpuinfo", {}).get("cpus", node.cpus))
        node.memory = int(found.get("memory", {}).get("total", node.memory))
        node.disk = int(found.get("rootfs", {}).get("total", node.disk))
        node.booted = cluster.clock.now() - float(found.get("uptime", 3600))
    if dns := fields(answers.get(f"/nodes/{name}/dns")):
        node.files["dns"] = dict(dns)
    if interfaces := rows(answers.get(f"/nodes/{name}/network")):
        node.files["network"] = {
            row["iface"]: {key: part for key, part in row.items() if key != "iface"}
            for row in interfaces
        }


def _fill_storage(
    cluster: SimulatedCluster, node: str, row: Mapping[str, Any], answers: Answers
) -> None:
    name = str(row["storage"])
    if name not in cluster.storages:
        options = {"content": str(row.get("content", "images"))}
        if row.get("shared"):
            options["shared"] = "1"
        cluster.storages[name] = Storage(name, str(row["type"]), options)
    storage = cluster.storages[name]
    for entry in rows(answers.get(f"/nodes/{node}/storage/{name}/content")):
        cluster.volumes.put(_volume(entry, "" if storage.shared else node))
    if row.get("total"):
        storage.total = int(row["total"])
        storage.base_used = 0
        listed = cluster.volumes.used(storage, node)
        storage.base_used = max(0, int(row.get("used", 0)) - listed)


def _volume(entry: Mapping[str, Any], node: str) -> Volume:
    size = int(entry.get("size", 0))
    return Volume(
        str(entry["volid"]),
        node,
        str(entry["content"]),
        str(entry.get("format", "raw")),
        size,
        float(entry.get("ctime", START)),
        used=int(entry.get("used", size)),
        vmid=None if entry.get("vmid") is None else int(entry["vmid"]),
        parent=entry.get("parent"),
        notes=entry.get("notes"),
        protected=bool(entry.get("protected")),
    )
