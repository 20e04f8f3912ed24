"""For tests of what is built on the state: history without a cluster.

Belongs here: what fills a database the way a sync does. Does not belong here: a simulated cluster
(`proxmox_client.testing`) and anything a running product uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pmpc_state.identity import evidence
from pmpc_state.state import State
from pmpc_state.values.inventory import ObservedItem, Section, TaskSection
from pmpc_state.values.observed import LogLine, TaskRecord
from pmpc_state.values.report import SectionReport
from pmpc_state.writer import StateWriter


class Recorder:
    """Writes looks at a cluster as a sync would, without a cluster.

    A look at a kind is a mapping from key to configuration; what a look leaves out is gone.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    def look(
        self,
        kind: str,
        there: Mapping[str, Mapping[str, Any]],
        *,
        cluster: str = "lab",
        unseen: Iterable[str] = (),
        tasks: Iterable[TaskRecord] = (),
        lines: Iterable[LogLine] = (),
    ) -> SectionReport:
        """Record one look at one kind, in one transaction."""
        told = TaskSection(tuple(tasks), lines=tuple(lines))
        with self.state.transaction() as writer:
            return self._look(writer, kind, there, cluster, unseen, told)

    def _look(
        self,
        writer: StateWriter,
        kind: str,
        there: Mapping[str, Mapping[str, Any]],
        cluster: str,
        unseen: Iterable[str],
        told: TaskSection,
    ) -> SectionReport:
        lease = writer.leases.acquire(f"sync/{cluster}", holder="test", seconds=60)
        run = writer.observed.date(writer.observed.begin(cluster, lease))
        recorded = writer.observed.recorded(cluster).get(kind, {})
        hidden = set(unseen)
        section = Section(
            kind,
            tuple(self._item(kind, key, config) for key, config in there.items()),
            gone=frozenset(key for key in recorded if key not in there and key not in hidden),
            unseen=dict.fromkeys(hidden, "its node is down"),
        )
        writer.observed.write_tasks(run, told)
        report = writer.observed.write_section(run, section)
        writer.observed.finish(run, "ok")
        writer.leases.release(lease)
        return report

    @staticmethod
    def _item(kind: str, key: str, config: Mapping[str, Any]) -> ObservedItem:
        return ObservedItem(
            kind,
            key,
            {"config": config},
            identity=evidence(kind, config),
            node="pve1",
            status="running",
            facts={"uptime": 5},
        )
