"""A state with rows in everything that can be listed, and how each list is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pmpc_state import Sample, State, StateReader
from pmpc_state.testing import Recorder
from pmpc_state.values import Page, TaskRecord
from proxmox_client.testing.clock import VirtualClock


def lists(reader: StateReader) -> Mapping[str, Callable[..., Page[Any]]]:
    """Return what returns a page of values, each with fields of its own."""
    return {
        "tasks": partial(reader.tasks, "lab"),
        "syncs": partial(reader.runs, "lab"),
        "snapshots": partial(reader.snapshots, "lab"),
        "changes": partial(reader.changes, "lab", BEGAN),
        "changes of a path": partial(reader.changes, "lab", BEGAN, path="mem*"),
        "observations": partial(_observations, reader),
        "points": partial(_points, reader),
        "clusters": reader.clusters.list,
        "releases": partial(reader.releases.list, "lab"),
        "revisions": partial(reader.releases.revisions, "lab", "r0"),
        "newest revisions": partial(reader.releases.revisions, "lab", newest=True),
        "objects": partial(reader.ownership.objects, "lab"),
        "fields": partial(reader.ownership.fields, "lab", "r0"),
        "plans": partial(reader.plans.list, "lab"),
        "controls": partial(reader.controls.list, "lab"),
        "conditions": partial(reader.controls.conditions, "lab"),
        "journal runs": partial(reader.journal.runs, "lab"),
        "journal steps": partial(reader.journal.steps, "run0"),
        "leases": reader.leases.list,
        "audit": reader.audit.entries,
    }


def _observations(reader: StateReader, **ask: Any) -> Page[Any]:
    return reader.observations(reader.resource("lab", "lxc", "200").uid, **ask)


def _points(reader: StateReader, **ask: Any) -> Page[Any]:
    uid = reader.resource("lab", "lxc", "200").uid
    return reader.samples.points(uid, "cpu", SAMPLED, SAMPLED + timedelta(days=1), **ask)


SAMPLED = datetime(2026, 11, 22, tzinfo=UTC)
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
PAGES = (
    "tasks", "syncs", "snapshots", "changes", "changes of a path", "clusters", "releases",
    "revisions", "newest revisions", "objects", "fields", "plans", "controls", "conditions",
    "journal runs", "journal steps", "leases", "audit", "observations", "points",
)  # fmt: skip
"""Their names."""

FIRST_STEPS = 12


def fill(state: State, recorder: Recorder, clock: VirtualClock, rows: range) -> None:
    """Add a row to everything for each number."""
    writer = state.writer()
    guests = {str(100 + n): {"name": f"vm{n}", "memory": n + 1} for n in range(rows.stop)}
    for number in rows:
        clock.advance(1)
        who = ("alice", "bob", "root@pam")[number % 3]
        recorder.look("qemu", guests, tasks=[_task(number, clock)])
        recorder.look("lxc", {"200": {"memory": number}})
        sampled = SAMPLED + timedelta(minutes=number)
        writer.samples.record("lab", [Sample("lxc", "200", "cpu", sampled, number / 4)])
        writer.snapshot("lab", f"s{number}", pinned=number % 2 == 0)
        writer.clusters.ensure(f"other{number}")
        writer.releases.add_revision("lab", f"r{number}", [], actor=who)
        if number:
            writer.releases.add_revision("lab", "r0", [], actor=who, note=f"n {number % 2}")
        writer.ownership.record(
            "lab", "r0", f"Pool/p{number}", kind="pool", key=f"p{number}", identity={},
            fields={"comment": "x"},
        )  # fmt: skip
        writer.plans.save(f"p-{number}", "lab", "r0", {"steps": []}, version=1, actor=who)
        writer.controls.set("lab", f"r{number}", suspended=(None, True)[number % 2], actor=who)
        found = {f"Pool/p{number}": {"Synced": ("true", "InSync", "")}}
        writer.controls.observe("lab", "r0", found, whole=False)
        lease = writer.leases.acquire(f"apply/lab/r{number}", holder=who, seconds=600)
        writer.journal.begin(f"run{number}", "lab", f"r{number}", lease=lease, actor=who)
        if not number:
            for step in range(FIRST_STEPS):
                writer.journal.intend("run0", f"s{step}", position=step, address="x", intent={})
        writer.audit.append(actor=who, action="apply", subject="x", cluster="lab")


def _task(number: int, clock: VirtualClock) -> TaskRecord:
    began = datetime.fromtimestamp(clock.now(), UTC)
    ended = None if number % 4 == 3 else began + timedelta(seconds=1)
    return TaskRecord(
        "lab", f"UPID:{number}", f"pve{number % 2}", ("qmstart", "qmconfig")[number % 2],
        str(100 + number), "root@pam", began, ended, None if ended is None else "OK",
    )  # fmt: skip


def asked(reader: StateReader, name: str, **ask: Any) -> Page[Any]:
    """Return a page of a list, with no limit unless one is asked for."""
    return lists(reader)[name](**{"limit": None, **ask})
