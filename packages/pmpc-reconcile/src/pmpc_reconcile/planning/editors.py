"""Who edited a guest since the last sync: what the cluster itself still knows.

Its log names user, time and new value of each edit, its list of tasks the task if there was one.
A line counts only if the option still has the value it tells of, so an older edit is never blamed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import attrs

from pmpc_reconcile.live import GuestObject, LiveCluster
from pmpc_reconcile.moments import show_moment
from pmpc_reconcile.plans.model import Blame
from pmpc_state import edit_told
from proxmox_client import PveError

if TYPE_CHECKING:
    from pmpc_state.logtext import Edit

_LINES: Final = 1000
_TASKS: Final = frozenset({"qmconfig", "vzconfig"})
_Row = Mapping[str, Any]
_Told = tuple[Mapping[tuple[str, str], Sequence[tuple["Edit", _Row]]], Sequence[_Row]]


class Editors:
    """Asks a cluster once for all objects of a plan, and only if it is asked about one."""

    def __init__(self, live: LiveCluster) -> None:
        self._live = live
        self._told: _Told | None = None

    async def blame(self, guest: GuestObject, options: Iterable[str]) -> dict[str, Blame]:
        """Return who gave options of a guest the values they have, as far as it is told."""
        if self._told is None:
            self._told = await self._ask()
        edits, tasks = self._told
        found: dict[str, Blame] = {}
        for option in options:
            for edit, line in edits.get((guest.guest, str(guest.vmid)), ()):
                if _is_of(edit, option, guest.config.get(option)):
                    found[option] = _blame(line, tasks, guest.vmid)
                    break
        return found

    async def _ask(self) -> _Told:
        """Return the edits of each guest, the newest first, and the tasks."""
        lines, tasks = await asyncio.gather(
            self._rows("/cluster/log", {"max": _LINES}), self._rows("/cluster/tasks", {})
        )
        edits: dict[tuple[str, str], list[tuple[Edit, _Row]]] = {}
        for line in sorted(lines, key=lambda line: -int(line["time"])):
            edit = edit_told(str(line.get("msg", "")))
            if edit is not None:
                edits.setdefault((edit.kind, edit.key), []).append((edit, line))
        return edits, tasks

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


def _is_of(edit: Edit, option: str, value: object) -> bool:
    """Return whether an edit gave an option the value it has."""
    told = edit.values.get(option)
    return option in edit.options and told == (None if value is None else str(value))


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
