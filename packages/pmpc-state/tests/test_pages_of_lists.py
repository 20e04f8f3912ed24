"""Every list: filtered, sorted and paged by the database, as a naive list would be."""

from __future__ import annotations

import copy
import enum
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pmpc_state import FilterInvalid, Release, State
from pmpc_state.filters import FieldTable, FieldType, quoted, table_of
from pmpc_state.repositories import (
    audit,
    clusters,
    controls,
    events,
    history,
    journal,
    leases,
    ownership,
    plans,
    releases,
    runs,
    samples,
    snapshots,
    tasks,
)
from pmpc_state.schema.types import to_micros
from pmpc_state.testing import Recorder
from pmpc_state.values import Page
from proxmox_client.testing.clock import VirtualClock
from tests.lab.listed import PAGES, asked, fill, lists

ROWS = 7
TABLES: dict[str, FieldTable] = {
    "tasks": tasks.TASKS,
    "syncs": runs.SYNCS,
    "snapshots": snapshots.SNAPSHOTS,
    "changes": events.CHANGES,
    "changes of a path": events.CHANGES,
    "observations": history.OBSERVATIONS,
    "points": samples.POINTS,
    "clusters": clusters.CLUSTERS,
    "releases": releases.RELEASES,
    "revisions": releases.REVISIONS,
    "newest revisions": releases.REVISIONS,
    "objects": ownership.OBJECTS,
    "fields": ownership.FIELDS,
    "plans": plans.PLANS,
    "controls": controls.CONTROLS,
    "conditions": controls.CONDITIONS,
    "journal runs": journal.RUNS,
    "journal steps": journal.STEPS,
    "leases": leases.LEASES,
    "audit": audit.ENTRIES,
}


@pytest.fixture
def filled(state: State, recorder: Recorder, clock: VirtualClock) -> State:
    fill(state, recorder, clock, range(ROWS))
    return state


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return to_micros(value)
    return value


def _written(value: Any) -> str:
    shown = value.isoformat() if isinstance(value, datetime) else _plain(value)
    return quoted(("no", "yes")[shown] if isinstance(shown, bool) else str(shown))


def _walked(state: State, name: str, limit: int, **ask: Any) -> Iterator[Page[Any]]:
    after: str | None = None
    while True:
        page = asked(state.reader(), name, limit=limit, after=after, **ask)
        yield page
        after = page.next
        if after is None:
            return


def test_every_list_has_its_fields_and_each_is_that_of_its_values(filled: State) -> None:
    assert set(PAGES) == set(lists(filled.reader())) == set(TABLES)
    for name, table in TABLES.items():
        [first, *_] = asked(filled.reader(), name)
        assert [one for one in table.fields if not hasattr(first, one)] == []
        assert set(table.words) <= set(table.fields)


def test_pages_put_together_are_the_whole_list(filled: State) -> None:
    for name in PAGES:
        _check_pages(filled, name)


def _check_pages(filled: State, name: str) -> None:
    whole = asked(filled.reader(), name)
    assert (whole.total, whole.offset, whole.next) == (len(whole), 0, None)
    assert len(whole) >= ROWS
    pages = list(_walked(filled, name, 3))
    assert [row for page in pages for row in page] == list(whole)
    assert {page.total for page in pages} == {len(whole)}
    assert [page.offset for page in pages] == list(range(0, len(whole), 3))
    skipped = asked(filled.reader(), name, offset=2, limit=2)
    assert (skipped.items, skipped.offset, skipped.total) == (whole[2:4], 2, len(whole))


def test_every_field_can_be_filtered_and_sorted_by(filled: State) -> None:
    for name in PAGES:
        _check_fields(filled, name)


def _check_fields(filled: State, name: str) -> None:
    reader = filled.reader()
    whole = asked(reader, name)
    for field, column in TABLES[name].fields.items():
        values = [_plain(getattr(row, field)) for row in whole]
        given = next(
            (getattr(row, field) for row in whole if getattr(row, field) not in (None, "")), None
        )
        if given is not None:
            wanted = [
                row for row, value in zip(whole, values, strict=True) if value == _plain(given)
            ]
            assert list(asked(reader, name, where=f"{field}={_written(given)}")) == wanted, field
            others = [row for row in whole if row not in wanted]
            assert list(asked(reader, name, where=f"{field}!={_written(given)}")) == others, field
        empty = [row for row, value in zip(whole, values, strict=True) if value in (None, "")]
        assert list(asked(reader, name, where=f"{field} is unset")) == empty, field
        for sort in (field, f"-{field}"):
            got = [row for page in _walked(filled, name, 3, sort=sort) for row in page]
            assert got == _sorted(list(whole), field, column.type, sort[0] == "-"), sort


def _sorted(rows: list[Any], field: str, kind: FieldType, descending: bool) -> list[Any]:
    """Sort as the language says: what lacks the field last, equals as they were."""

    def value(row: Any) -> Any:
        found = _plain(getattr(row, field))
        return bool(found) if kind is FieldType.FLAG else found

    there = sorted((row for row in rows if value(row) is not None), key=value, reverse=descending)
    if descending:  # `reverse` keeps the order of equals
        assert [value(row) for row in there] == sorted(map(value, there), reverse=True)
    return [*there, *(row for row in rows if value(row) is None)]


MEANT = (
    ("tasks", "user=root@pam and type=qmstart", 4),
    ("tasks", "ended_at is unset", 1),
    ("tasks", "object_id in (100, 101) or qmconfig", 4),
    ("plans", "status=planned and actor=alice", 3),
    ("releases", "name like r? and not r0", 6),
    ("revisions", 'note~"N 1"', 3),
    ("journal runs", "status=running and release in (r1, r2)", 2),
    ("journal steps", "phase=intent and position>=3", 9),
    ("audit", "actor=alice and action=apply", 3),
    ("snapshots", "pinned=yes and resources>2", 4),
    ("leases", "holder=bob and token>=1", 2),
    ("controls", "suspended=yes", 3),
    ("conditions", "type=Synced and status=true", 7),
    ("objects", "kind=pool and Pool/p3", 1),
    ("syncs", "mode=full and status=ok", 14),
    ("audit", "at>=1970-01-01 and at<2100-01-01T00:00:00Z", 7),
    ("changes", "action=created and key=100", 1),
    ("changes", "resource_kind=qemu and user is unset and name~VM", 7),
)


def test_filters_say_what_people_mean(filled: State) -> None:
    for name, where, count in MEANT:
        assert len(asked(filled.reader(), name, where=where)) == count, (name, where)


MISTAKES: tuple[tuple[str, dict[str, str], int, str], ...] = (
    ("plans", {"where": "stats=planned"}, 1, "there is no field stats; did you mean status?"),
    ("plans", {"where": "id=1 and status=plannt"}, 17, "did you mean planned?"),
    ("plans", {"where": "created_at>soon"}, 12, "created_at is a time"),
    ("plans", {"where": "created_at~2026"}, 12, "compare it with < or >"),
    ("plans", {"where": "created_at>-2h"}, 12, "created_at is a time"),
    ("audit", {"where": "config.x=1"}, 1, "there is no field config.x"),
    ("audit", {"sort": "-sequence"}, 2, "there is no field sequence"),
    ("audit", {"after": "???"}, 1, "no marker of a page"),
    ("audit", {"after": "bnVsbA"}, 1, "no marker of a page"),
    ("audit", {"after": "WzEsW10sWyJhIiwyXV0"}, 1, "in another order"),
)


def test_mistakes_are_told_with_field_and_column(filled: State) -> None:
    for name, ask, column, reason in MISTAKES:
        with pytest.raises(FilterInvalid) as caught:
            asked(filled.reader(), name, **ask)
        assert (caught.value.column, reason in caught.value.reason) == (column, True), caught.value


def test_a_marker_goes_on_behind_its_row_whatever_came_meanwhile(
    filled: State, clock: VirtualClock
) -> None:
    reader = filled.reader()
    first = reader.audit.entries(limit=3)
    clock.advance(1)
    filled.writer().audit.append(actor="eve", action="apply", subject="new", cluster="lab")
    rest = reader.audit.entries(limit=None, after=first.next)
    assert [one.seq for one in (*first, *rest)] == list(range(ROWS, 0, -1))
    with pytest.raises(FilterInvalid, match="another order"):
        reader.audit.entries(sort="actor", after=first.next)
    with pytest.raises(ValueError, match="page"):
        reader.audit.entries(limit=-1)


def test_the_reference_names_the_fields_of_every_list() -> None:
    reference = Path(__file__).parents[3] / "docs/reference/filters.md"
    said = reference.read_text(encoding="utf-8").partition("## Other lists")[2]
    rows = {line.split("|")[1].strip(): line for line in said.splitlines() if "|" in line}
    for table in TABLES.values():
        named = set(re.findall(r"`(\w+)`", rows[table.of].split("|")[2]))
        assert named == set(table.fields), table.of


def test_a_page_is_a_frozen_tuple() -> None:
    page = Page([1, 2], 5, 1, "more")
    is_equal = page == (1, 2)
    assert is_equal
    assert (page.items, page.total, page.offset, page.next) == ((1, 2), 5, 1, "more")
    with pytest.raises(AttributeError):
        page.total = 7
    with pytest.raises(AttributeError):
        del page.next
    assert copy.copy(page).__dict__ == page.__dict__
    assert table_of(Release, "releases", ("name",)) is releases.RELEASES
