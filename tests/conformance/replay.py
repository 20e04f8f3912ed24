"""Replay the recorded exchanges against the simulator and sum up area by area."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.state import Storage
from proxmox_client.values import Upid
from tests.conformance.answers import exchanges
from tests.conformance.replay_compare import differences
from tests.conformance.replay_session import Answer, Session

RULES = Path(__file__).with_name("replay_rules.json")
ONE_NODE_START = 1_795_358_468.0
THREE_NODE_START = 1_795_360_203.0
# Holds by itself: whether a task is simulated shows in the exchange that starts it.
_ORPHAN = "asks about a task whose start is not in the recording, is excluded or differs"
# Seconds after the first request when the recorded nodes told the others about their guests.
_TICKS = {"pve1": 4.0, "pve2": 1.5, "pve3": 4.2}
_EVERYTHING = "backup,images,import,iso,rootdir,snippets,vztmpl"


@attrs.define
class Exclusion:
    """Exchanges that are not compared, and why.

    Attributes:
        reason: In words.
        area: File it holds for; empty for all.
        method: HTTP method; empty for all.
        path: Regular expression for the whole path.
        numbers: Numbers of exchanges (`n`); empty for all.
        unsimulated: It holds only where the simulator says that it does not simulate the operation.
        differing: How many of its exchanges really differ.
    """

    reason: str
    area: str = ""
    method: str = ""
    path: str = ".*"
    numbers: tuple[int, ...] = ()
    unsimulated: bool = False
    differing: int = 0
    seen: int = 0

    def covers(self, area: str, record: dict[str, Any], answer: Answer) -> bool:
        """Whether an exchange is among them."""
        return (
            (not self.unsimulated or "does not simulate" in answer.reason)
            and self.area in ("", area)
            and self.method in ("", record["method"])
            and (not self.numbers or record["n"] in self.numbers)
            and re.fullmatch(self.path, str(record["path"]).partition("?")[0]) is not None
        )


@attrs.define
class AreaResult:
    """How one file went."""

    area: str
    exchanges: int = 0
    replayed: int = 0
    excluded: Counter[str] = attrs.field(factory=Counter[str])
    mismatches: list[str] = attrs.field(factory=list[str])

    def to_dict(self) -> dict[str, Any]:
        """Return the form the conformance report has."""
        return {
            "exchanges": self.exchanges,
            "replayed": self.replayed,
            "excluded": dict(self.excluded),
            "mismatches": self.mismatches,
        }


@attrs.frozen
class Report:
    """How the whole replay went."""

    areas: tuple[AreaResult, ...]
    stale: tuple[str, ...]


@functools.cache
def rules() -> dict[str, Any]:
    """Read the rules: order of the files, hints, exclusions."""
    document: dict[str, Any] = json.loads(RULES.read_text(encoding="utf-8"))
    return document


def one_node_cluster() -> SimulatedCluster:
    """Make the server the one-node files were recorded from, as it was before them."""
    cluster = SimulatedCluster(nodes=("pve1",), storages=(), start=ONE_NODE_START)
    node = cluster.nodes["pve1"]
    node.address = "192.0.2.2"
    node.booted = ONE_NODE_START - 4215
    cluster.storages["local"] = Storage(
        "local", "dir", {"path": "/var/lib/vz", "content": _EVERYTHING}
    )
    cluster.storages["local2"] = Storage(
        "local2", "dir", {"path": "/mnt/storage2", "content": _EVERYTHING}
    )
    root = cluster.access.users["root@pam"]
    root.password = "a-password"
    root.fields["email"] = "root@example.com"
    _common_volumes(cluster, "pve1")
    cluster.add_volume("local", "local:iso/debian-13-netinst.iso", 1_048_576)
    cluster.add_volume("local", "local:snippets/user.yaml", 14)
    cluster.add_volume("local", "local:vztmpl/my.tar.gz", 300_000)
    return cluster


def three_node_cluster() -> SimulatedCluster:
    """Make the cluster the files below `cluster/` were recorded from."""
    names = ("pve1", "pve2", "pve3")
    cluster = SimulatedCluster(nodes=names, storages=(), start=THREE_NODE_START)
    for name, path, content in (
        ("local", "/var/lib/vz", _EVERYTHING),
        ("local2", "/mnt/local2", "images,rootdir"),
        ("shared", "/mnt/shared", "backup,images,iso,rootdir"),
    ):
        options = {"path": path, "content": content}
        if name == "shared":
            options["shared"] = "1"
        cluster.storages[name] = Storage(name, "dir", options)
    cluster.access.users["root@pam"].password = "a-password"
    for node in names:
        cluster.nodes[node].booted = THREE_NODE_START - 5950
        cluster.nodes[node].phase = (THREE_NODE_START + _TICKS[node]) % 10
        _common_volumes(cluster, node)
        cluster.add_volume("local", "local:iso/debian-13-netinst.iso", 1_048_576, node=node)
    return cluster


def _common_volumes(cluster: SimulatedCluster, node: str) -> None:
    volid = "local:vztmpl/alpine-3.20-mini_20260101_amd64.tar.gz"
    cluster.add_volume("local", volid, 1_032_947, node=node)


def run() -> Report:
    """Replay everything."""
    exclusions = [
        Exclusion(**{**entry, "numbers": tuple(entry.get("numbers", ()))})
        for entry in rules()["exclusions"]
    ]
    results = [
        result
        for cluster, areas in (
            (one_node_cluster(), rules()["order"]["one_node"]),
            (three_node_cluster(), rules()["order"]["three_nodes"]),
        )
        for result in _run_server(cluster, areas, exclusions)
    ]
    stale = tuple(
        f"{entry.area or 'all'} {entry.method} {entry.path} {list(entry.numbers) or ''}:"
        f" {entry.seen} exchanges, {entry.differing} differ ({entry.reason})"
        for entry in exclusions
        if not entry.differing
    )
    return Report(tuple(results), stale)


def _run_server(
    cluster: SimulatedCluster, areas: list[str], exclusions: list[Exclusion]
) -> Iterator[AreaResult]:
    session = Session(cluster, rules()["hints"])
    absent = frozenset(rules()["absent"]["names"])
    for area in areas:
        records = [exchange.fields for exchange in exchanges(area)]
        session.begin(_epoch(records))
        result = AreaResult(area, exchanges=len(records))
        for record in records:
            answer = session.play(area, record)
            found = differences(record, answer, absent)
            if session.is_orphan(record):
                result.excluded[_ORPHAN] += 1
                continue
            exclusion = next(
                (entry for entry in exclusions if entry.covers(area, record, answer)), None
            )
            if exclusion is not None:
                exclusion.seen += 1
                exclusion.differing += bool(found)
                result.excluded[exclusion.reason] += 1
                continue
            result.replayed += 1
            if found:
                label = f"{record['n']} {record['method']} {record['path']}"
                result.mismatches.append(f"{label}: {'; '.join(found)}")
        yield result


def _epoch(records: list[dict[str, Any]]) -> float | None:
    """Find when a file began, from the first task whose start and offset are both known."""
    for record in records:
        body = record.get("body")
        data = body.get("data") if isinstance(body, dict) else None
        if "t" in record and isinstance(data, str) and data.startswith("UPID:"):
            return Upid.parse(data).starttime - float(record["t"])
    return None
