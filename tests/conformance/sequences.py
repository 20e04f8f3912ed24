"""What changed when: a recorded course of events and the simulator's, side by side.

A scene is a stretch of a recorded file; a view is one thing that was polled in it. Both courses
are reduced to changes: they have to be the same changes, in the same order, and each at its time
within the scene's tolerance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from tests.conformance.json_values import as_list, as_object, data_of

# A state that lasts less may have fallen between two polls.
_BRIEF = 2.0


@attrs.frozen
class View:
    """One thing that is looked at.

    Attributes:
        name: For people.
        path: Regular expression for the path that was polled.
        kind: How an answer is reduced to a word: `guest`, `row`, `service`, `workers`, `members`,
            `nodes` or `task`.
        of: What of the answer is looked at, such as the guest's number.
        via: Node that was asked; empty: whichever.
    """

    name: str
    path: str
    kind: str
    of: str = ""
    via: str = ""

    def fits(self, record: dict[str, Any]) -> bool:
        """Whether a record is one look at it."""
        return (
            record["method"] == "GET"
            and self.via in ("", record.get("via"))
            and re.fullmatch(self.path, str(record["path"])) is not None
        )

    def word(self, status: int, body: object) -> str:
        """Reduce an answer to a word."""
        if status != 200:
            return f"refused {status}"
        data = data_of(body)
        fields = as_object(data) or {}
        match self.kind:
            case "guest":
                parts = (fields.get("status"), fields.get("qmpstatus"), fields.get("lock"))
                return " ".join(str(part) for part in parts if part)
            case "task":
                return str(fields.get("exitstatus") or fields.get("status"))
            case _:
                return self._of_rows([as_object(row) or {} for row in as_list(data) or ()])

    def _of_rows(self, rows: list[dict[str, Any]]) -> str:
        nothing: dict[str, Any] = {}
        match self.kind:
            case "row":
                found = next((row for row in rows if str(row.get("vmid")) == self.of), nothing)
                names = ("node", "status", "lock", "hastate")
                return " ".join(str(found[name]) for name in names if found.get(name))
            case "service":
                found = next((row for row in rows if row.get("sid") == self.of), nothing)
                return f"{found.get('node')} {found.get('state')}" if found else "none"
            case "worker":
                found = next((row for row in rows if row.get("id") == self.of), nothing)
                return str(found.get("status", "none")).partition("(")[2].partition(",")[0]
            case "quorum":
                return next((str(row["status"]) for row in rows if row["id"] == "quorum"), "")
            case "nodes":
                return " ".join(sorted(f"{row['node']}={row['status']}" for row in rows))
            case _:
                known = (f"{row['name']}={row.get('online', row.get('quorate'))}" for row in rows)
                return " ".join(sorted(known))


@attrs.frozen
class Scene:
    """A stretch of a file, and what is looked at in it.

    Attributes:
        name: For people and for the test's id.
        area: File.
        begin: Seconds since the file's beginning.
        end: Seconds since the file's beginning.
        views: What is looked at.
        tolerance: By how many seconds the simulator may be early or late.
    """

    name: str
    area: str
    begin: float
    end: float
    views: tuple[View, ...]
    tolerance: float = 2.5


@attrs.frozen
class Seen:
    """What was seen from one moment until another, in seconds since the file's beginning."""

    word: str
    first: float
    last: float


def changes(seen: Iterable[Seen]) -> list[Seen]:
    """Join what was the same."""
    joined: list[Seen] = []
    for one in seen:
        if joined and joined[-1].word == one.word:
            joined[-1] = attrs.evolve(joined[-1], last=max(one.last, joined[-1].last))
        else:
            joined.append(one)
    return joined


def disagreements(
    recorded: Sequence[Seen], simulated: Sequence[Seen], tolerance: float
) -> list[str]:
    """Say where two courses of events differ in order or in time; empty if they do not."""
    theirs = list(recorded)
    mine = _without_brief(recorded, simulated)
    # What comes at the end may have come after the last look, too.
    while len(mine) > len(theirs) and mine[-1].first >= theirs[-1].last - tolerance:
        mine.pop()
    if [one.word for one in theirs] != [one.word for one in mine]:
        return ["not the same changes:", *_beside(theirs, mine)]
    late: list[str] = []
    for before, they, me in zip(theirs, theirs[1:], mine[1:], strict=False):
        if not before.last - tolerance <= me.first <= they.first + tolerance:
            late.append(
                f"{they.word!r} at {me.first:.1f} s, recorded between {before.last:.1f}"
                f" and {they.first:.1f} s"
            )
    return late


def _without_brief(recorded: Sequence[Seen], simulated: Sequence[Seen]) -> list[Seen]:
    """Leave out what polls may have missed: it was over soon, or came when nobody looked."""
    words = [one.word for one in recorded]
    kept: list[Seen] = []
    for one in simulated:
        position = len(changes(kept))
        expected = words[position] if position < len(words) else None
        same = kept and kept[-1].word == one.word
        if one.word == expected or same or one.last - one.first >= _BRIEF:
            kept.append(one)
    return changes(kept)


def _beside(theirs: Sequence[Seen], mine: Sequence[Seen]) -> list[str]:
    lines: list[str] = []
    for number in range(max(len(theirs), len(mine))):
        left = theirs[number] if number < len(theirs) else None
        right = mine[number] if number < len(mine) else None
        lines.append(
            f"    recorded {_text(left):40} simulated {_text(right)}"
        )  # fmt: skip
    return lines


def _text(one: Seen | None) -> str:
    return "nothing" if one is None else f"{one.first:7.1f}…{one.last:7.1f} {one.word}"


def _guest(node: str, guest: str) -> View:
    return View(f"{guest} at {node}", rf"/nodes/{node}/{guest}/status/current", "guest")


def _row(vmid: int) -> View:
    return View(f"row of {vmid}", r"/cluster/resources.*", "row", str(vmid))


def _task(node: str, what: str) -> View:
    return View(f"task {what}", rf"/nodes/{node}/tasks/UPID:.*:{what}:.*/status", "task")


def _service(sid: str, via: str = "") -> View:
    return View(f"service {sid}", r"/cluster/ha/status/current", "service", sid, via)


def _worker(node: str) -> View:
    return View(f"worker of {node}", r"/cluster/ha/status/current", "worker", f"lrm:{node}")


_MASTER = View("manager", r"/cluster/ha/status/current", "worker", "master")
_QUORUM = View("quorum of HA", r"/cluster/ha/status/current", "quorum")
_MEMBERS = View("members", r"/cluster/status", "members")
_NODES = View("nodes", r"/nodes", "nodes")

_HA = "cluster/ha"
SCENES = (
    Scene("a stopped machine with a local disk moves", "cluster/migrate_offline", 1.6, 19.4,
          (_guest("pve1", "qemu/100"), _guest("pve2", "qemu/100"), _task("pve1", "qmigrate:100"))),
    Scene("a running machine with a local disk moves", "cluster/migrate_online", 4.3, 22.5,
          (_guest("pve2", "qemu/101"), _guest("pve3", "qemu/101"),
           _task("pve2", "qmigrate:101"))),
    Scene("a running machine on a shared storage moves", "cluster/migrate_online", 143.98, 166.1,
          (_guest("pve2", "qemu/102"), _guest("pve1", "qemu/102"), _row(102),
           _task("pve2", "qmigrate:102"))),
    Scene("a container moves with a restart", "cluster/migrate_online", 28.3, 52.7,
          (_guest("pve2", "lxc/201"), _guest("pve1", "lxc/201"), _task("pve2", "vzmigrate:201"))),
    Scene("a node's power is cut", "cluster/offline", 2.4, 75.0, (_MEMBERS, _NODES, _row(103))),
    Scene("two of three nodes are lost", "cluster/noquorum", 4.9, 61.0,
          (_MEMBERS, _NODES, _row(101), _row(102))),
    Scene("quorum comes back", "cluster/noquorum", 271.0, 300.9, (_MEMBERS, _NODES, _row(200))),
    Scene("the first service starts", _HA, 1.87, 18.3,
          (_service("vm:120"), _guest("pve1", "qemu/120"), _row(120), _MASTER, _worker("pve1"))),
    Scene("a service is stopped", _HA, 20.0, 38.5,
          (_service("vm:120"), _guest("pve1", "qemu/120"), _row(120))),
    Scene("a service is started", _HA, 40.5, 58.0,
          (_service("vm:120"), _guest("pve1", "qemu/120"), _row(120))),
    Scene("a service is shut down", _HA, 64.0, 88.2,
          (_service("vm:120"), _guest("pve1", "qemu/120"))),
    Scene("a service moves while it runs", _HA, 112.1, 149.0,
          (_service("vm:120"), _guest("pve1", "qemu/120"), _guest("pve2", "qemu/120"))),
    Scene("a service is relocated", _HA, 150.0, 270.0,
          (_service("vm:120"), _guest("pve2", "qemu/120"), _guest("pve3", "qemu/120"))),
    Scene("a container under high availability moves", _HA, 300.4, 358.0, (_service("ct:220"),)),
    Scene("a service that does not start", "cluster/ha_error", 0.49, 68.4, (_service("vm:122"),)),
    Scene("an error is cleared", "cluster/ha_error", 81.0, 118.6, (_service("vm:122"),)),
    Scene("services of a dead node recover", "cluster/ha_failover", 60.0, 331.6,
          (_service("vm:120"), _service("ct:220"), _worker("pve3"), _MASTER, _row(120))),
    Scene("a dead node comes back", "cluster/ha_failover", 333.4, 352.6,
          (_MEMBERS, _worker("pve3"), _service("vm:120")), tolerance=3.5),
    Scene("a node with services loses quorum", "cluster/ha_selffence", 0.0, 57.7,
          (_QUORUM, _MASTER, _worker("pve2"), _worker("pve3"), _service("vm:121"),
           _guest("pve3", "qemu/121"))),
    Scene("all nodes start cold", "cluster/ha_selffence", 139.4, 178.9,
          (_MEMBERS, _NODES, _MASTER, _row(102), _service("vm:120"))),
)  # fmt: skip
