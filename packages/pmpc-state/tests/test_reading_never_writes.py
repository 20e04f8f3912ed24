"""Readers cannot write: their types do not offer it, and the database refuses it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import attrs
import pytest
from sqlalchemy import text

from pmpc_state import State, StateReader, StateUnreachable, StateWriter, values
from pmpc_state.values import observed

REPOSITORIES = (
    "clusters", "releases", "ownership", "plans", "controls", "journal", "leases", "samples",
    "audit",
)  # fmt: skip
WRITES = {
    "clusters": {"ensure"},
    "releases": {"add_revision", "set_status", "mark_deleted"},
    "ownership": {"record", "forget"},
    "plans": {"save", "set_status"},
    "controls": {"set", "forget", "observe"},
    "journal": {
        "begin", "resume", "intend", "called", "upid", "done", "failed", "verified", "finish",
    },
    "leases": {"acquire", "renew", "release", "check"},
    "samples": {"record", "expire"},
    "audit": {"append"},
}  # fmt: skip
"""What the writer of each repository can do that its reader cannot; history is never deleted."""


def _offered(repository: object) -> set[str]:
    return {name for name, _ in inspect.getmembers(repository) if not name.startswith("_")}


def test_readers_do_not_offer_to_write(state: State) -> None:
    reader, writer = state.reader(), state.writer()
    for name in REPOSITORIES:
        reads, both = _offered(getattr(reader, name)), _offered(getattr(writer, name))
        assert (reads - both, both - reads) == (set(), WRITES[name]), name
    assert _offered(writer) - _offered(reader) == {"observed", "pin", "snapshot"}
    repositories = {
        name for name, value in inspect.getmembers(StateReader) if isinstance(value, property)
    }
    assert repositories == set(REPOSITORIES)


def test_the_reference_says_what_each_repository_can() -> None:
    reference = Path(__file__).parents[3] / "docs/reference/state-schema.md"
    said = reference.read_text(encoding="utf-8").partition("## What each repository can do")[2]
    rows = {
        line.split("|")[1].strip().partition(",")[0].strip("`"): line
        for line in said.splitlines()
        if "|" in line
    }
    for name, verbs in WRITES.items():
        named = set(re.findall(r"`(\w+)`", rows[name]))
        assert verbs - {"check"} <= named, name


def test_type_checkers_refuse_to_write_through_a_reader(state: State) -> None:
    """Mypy runs strictly over the tests: an `ignore` that ignores nothing fails it."""
    reader: StateReader = state.reader()
    with pytest.raises(AttributeError):
        reader.plans.save  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore
    with pytest.raises(AttributeError):
        reader.journal.begin  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore
    with pytest.raises(AttributeError):
        reader.snapshot  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore
    writer: StateWriter = state.writer()
    also: StateReader = writer
    assert also.plans.list("lab") == ()


def test_the_database_refuses_writes_of_readers(state: State) -> None:
    with (
        pytest.raises(StateUnreachable),
        state.reading_connection() as (connection, _),
    ):
        connection.execute(text("DELETE FROM setting"))
    state.writer().clusters.ensure("lab")  # the same connection writes again
    assert [one.name for one in state.reader().clusters.list()] == ["lab"]


def test_what_repositories_return_is_frozen() -> None:
    found = [value for module in (values, observed) for _, value in inspect.getmembers(module)]
    classes = {value for value in found if inspect.isclass(value) and attrs.has(value)}
    assert len(classes) > 15
    for one in classes:
        assert one.__setattr__ is not object.__setattr__, one
        assert attrs.fields(one), one
