"""Who edited a guest since the last sync: what the cluster itself still knows.

Its log names user, time and new value of each edit, its list of tasks the task if there was one.
A line counts only if the option still has the value it tells of, so an older edit is never blamed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from pmpc_reconcile.live import GuestObject, LiveCluster
from pmpc_reconcile.moments import show_moment
from pmpc_reconcile.plans.model import Blame
from pmpc_state import edit_told
from proxmox_client import PveError

_LINES: Final = 1000
_TASKS: Final = frozenset({"qmconfig", "vzconfig"})
_Row = Mapping[str, Any]


class Editors:
    """Asks a cluster once for all objects of a plan, and only if it is asked about one."""

    def __init__(self, live: LiveCluster) -> None:
        self._live = live
        self._asked: asyncio.Task[tuple[list[_Row], list[_Row]]] | None = None

    async def blame(self, guest: GuestObject, options: Iterable[str]) -> dict[str, Blame]:
        """Return who gave options of a guest the values they have, as far as it is told."""
        if self._asked is None:
            self._asked = asyncio.create_task(self._ask())
        lines, tasks = await self._asked
        found: dict[str, Blame] = {}
        for option in options:
            line = next(_edits(lines, guest, option), None)
            if line is not None:
                found[option] = _blame(line, tasks, guest.vmid)
        return found

    async def _ask(self) -> tuple[list[_Row], list[_Row]]:
        lines, tasks = await asyncio.gather(
            self._rows("/cluster/log", {"max": _LINES}), self._rows("/cluster/tasks", {})
        )
        return sorted(lines, key=lambda line: -int(line["time"])), tasks

    async def _rows(self, path: str, params: Mapping[str, object]) -> list[_Row]:
        try:
            rows: list[_Row] = await self._live.read(path, params) or []
        except PveError:  # without the privilege nobody is named
            return []
        return [row for row in rows if "time" in row or "upid" in row]


def newer(seen: Blame | None, told: Blame) -> Blame:
    """Return what is known of an edit from the history and from the cluster."""
    if seen is None or seen.at is None or told.at is None or seen.at < told.at:
        return told
    same = seen.user in (None, told.user)
    return attrs.evolve(told, task=told.task or (seen.task if same else None))


def _edits(lines: Iterable[_Row], guest: GuestObject, option: str) -> Iterator[_Row]:
    """Yield the lines of edits that gave an option the value it has, the newest first."""
    value = guest.config.get(option)
    for line in lines:
        told = edit_told(str(line.get("msg", "")))
        if told is None or (told.kind, told.key) != (guest.guest, str(guest.vmid)):
            continue
        if option not in told.options:
            continue
        if told.values.get(option) == (None if value is None else str(value)):
            yield line


def _blame(line: _Row, tasks: Iterable[_Row], vmid: int) -> Blame:
    time = int(line["time"])
    user = str(line.get("user", "")) or None
    task = next(
        (
            str(row["upid"])
            for row in tasks
            if row.get("type") in _TASKS
            and str(row.get("id")) == str(vmid)
            and row.get("user") == user
            and int(row.get("starttime", 0)) <= time <= int(row.get("endtime", time))
        ),
        None,
    )
    return Blame(user, task, show_moment(datetime.fromtimestamp(time, UTC)))
