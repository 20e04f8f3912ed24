"""Who owns a field after what: sequences of operations, modelled on Kubernetes' server-side apply.

The tables are in `data/ownership`. A row is `operations | object | owners | conflicts`. Operations:

* `a args=1 tags.web`: manager `a` applies these fields (a name alone is true), and no others;
* `a! …`: the same, overruling everybody;
* `a … ?args:theirs`: the same with a resolution for a path;
* `a+ …`: manager `a` adopts what is there (settings only: what exists always);
* `edit args=2 -memory`: somebody sets or unsets fields behind everybody's back.

Then what the object is, who is recorded as owner of what, and the conflicts of the last operation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pmpc_reconcile.diff import (
    BEFORE,
    Action,
    Claim,
    Diff,
    before_text,
    before_us,
    read_before,
    three_way,
)
from pmpc_reconcile.diff.threeway import removes_slot, slot_of
from pmpc_reconcile.kinds import Kind, kind
from pmpc_reconcile.values import ABSENT, Absent, FieldValue, from_record, split_path, to_record

VM, POOL, FIREWALL = kind("VirtualMachine"), kind("Pool"), kind("Firewall")
PLAIN = ("state", "pool", "comment", "guests", "storage", "options")

TABLES = Path(__file__).parent / "data/ownership"
# `args` and `affinity` have no default; `memory`'s is 512, `onboot`'s is false.
SEQUENCES = (TABLES / "guests.txt").read_text()
POOLS = (TABLES / "pools.txt").read_text()
# Options of a firewall exist always: what one was before it was declared is one more owner of it.
SETTINGS = (TABLES / "settings.txt").read_text()


def rows(text: str) -> Iterator[tuple[str, str, str, str]]:
    for line in text.splitlines():
        if line and not line.startswith("#"):
            sequence, found, owners, conflicts = (part.strip() for part in line.split("|"))
            yield sequence, found, owners, conflicts


def path_of(name: str) -> str:
    return name if name.partition(".")[0] in PLAIN else f"config.{name}"


def name_of(path: str) -> str:
    return path.removeprefix("config.")


def value_of(text: str) -> FieldValue:
    if text in ("", "true", "false"):
        return text != "false"
    return int(text) if text.isdigit() and len(text) > 1 else text


def fields_of(words: list[str]) -> dict[str, FieldValue]:
    pairs = [word.partition("=") for word in words]
    return {path_of(name): value_of(value) for name, _, value in pairs}


def written(fields: Mapping[str, FieldValue]) -> str:
    words = {name_of(path): value for path, value in fields.items()}
    shown = {True: "", False: "=false"}
    return " ".join(
        name + (shown[value] if isinstance(value, bool) else f"={value}")
        for name, value in sorted(words.items())
    )


@attrs.define
class World:
    """An object, and what each manager remembers of it."""

    kind: Kind
    live: dict[str, FieldValue] = attrs.field(factory=dict[str, FieldValue])
    owned: dict[str, dict[str, FieldValue]] = attrs.field(factory=dict[str, dict[str, FieldValue]])
    before: dict[str, dict[str, FieldValue]] = attrs.field(factory=dict[str, dict[str, FieldValue]])
    conflicts: tuple[str, ...] = ()

    def do(self, operation: str) -> None:
        who, *words = operation.split()
        if who == "edit":
            self.edit(words)
        else:
            self.apply(who, words)

    def edit(self, words: list[str]) -> None:
        for name in [word[1:] for word in words if word.startswith("-")]:
            del self.live[path_of(name)]
        self.live.update(fields_of([word for word in words if not word.startswith("-")]))

    def apply(self, who: str, words: list[str]) -> None:
        manager = who.rstrip("!+")
        resolutions = {
            path_of(name): word
            for name, _, word in (word[1:].partition(":") for word in words if word[0] == "?")
        }
        desired = fields_of([word for word in words if word[0] != "?"])
        if who.endswith("!"):
            resolutions |= dict.fromkeys(("config", *PLAIN), "ours")
        others: dict[str, list[Claim]] = {}
        for other, owned in self.owned.items():
            for path, value in owned.items() if other != manager else ():
                was = self.before.get(other, {}).get(path, ABSENT)
                others.setdefault(path, []).append(Claim(other, value, was))
        base = self.owned.get(manager, {})
        before = self.before.get(manager, {})
        diff = three_way(
            self.kind,
            desired,
            self.live,
            base,
            resolutions=resolutions,
            others=others,
            before=before,
        )
        self.conflicts = tuple(name_of(field.path) for field in diff.conflicts)
        if not diff.conflicts:
            if self.kind is FIREWALL:
                before = before_us(self.kind, diff, self.live, before, others)
                before = {} if who.endswith("+") else read_before({BEFORE: before_text(before)})
            self.write(diff)
        self.before[manager] = before
        record = json.loads(json.dumps(to_record(diff.owned_after(), str)))
        self.owned[manager] = from_record(record)

    def write(self, diff: Diff) -> None:
        """Do what PVE does with the writes: a card or disk goes as a whole."""
        gone: dict[str, set[str | None]] = {}
        for field in diff.changes:
            if field.action is Action.REMOVE:
                del self.live[field.path]
                gone.setdefault(slot_of(field.path), set()).add(split_path(field.path)[2])
            elif not isinstance(field.desired, Absent):
                self.live[field.path] = field.desired
        for slot, keys in gone.items():
            if removes_slot(self.kind, slot, keys):
                for path in [path for path in self.live if slot_of(path) == slot]:
                    del self.live[path]

    def owners(self) -> str:
        return " ".join(
            f"{manager}:{','.join(sorted(name_of(path) for path in owned))}"
            for manager, owned in sorted(self.owned.items())
            if owned
        )


def check(of: Kind, sequence: str, found: str, owners: str, conflicts: str) -> None:
    world = World(of)
    for operation in sequence.split(";"):
        world.do(operation)
    assert " ".join(world.conflicts) == conflicts
    assert written(world.live) == found
    assert world.owners() == owners


@pytest.mark.parametrize(("sequence", "found", "owners", "conflicts"), list(rows(SEQUENCES)))
def test_a_sequence(sequence: str, found: str, owners: str, conflicts: str) -> None:
    check(VM, sequence, found, owners, conflicts)


@pytest.mark.parametrize(("sequence", "found", "owners", "conflicts"), list(rows(POOLS)))
def test_a_sequence_with_a_pool(sequence: str, found: str, owners: str, conflicts: str) -> None:
    check(POOL, sequence, found, owners, conflicts)


@pytest.mark.parametrize(("sequence", "found", "owners", "conflicts"), list(rows(SETTINGS)))
def test_a_sequence_with_settings(sequence: str, found: str, owners: str, conflicts: str) -> None:
    check(FIREWALL, sequence, found, owners, conflicts)


def test_there_are_enough_rows() -> None:
    assert len(list(rows(SEQUENCES))) + len(list(rows(POOLS))) + len(list(rows(SETTINGS))) >= 190


@pytest.mark.parametrize(
    ("of", "sequence", "found", "owners", "conflicts"),
    [
        *((VM, *row) for row in rows(SEQUENCES)),
        *((POOL, *row) for row in rows(POOLS)),
        *((FIREWALL, *row) for row in rows(SETTINGS)),
    ],
)
def test_applying_again_changes_nothing(
    of: Kind, sequence: str, found: str, owners: str, conflicts: str
) -> None:
    """The last manager's next apply of the same fields comes to the same."""
    *_, last = sequence.split(";")
    if last.split()[0] == "edit":
        return
    world = World(of)
    for operation in [*sequence.split(";"), last, last]:
        world.do(operation)
    assert (written(world.live), world.owners()) == (found, owners)
    assert " ".join(world.conflicts) == conflicts


NAMES = st.sampled_from(["args=1", "args=2", "affinity=1", "affinity=2", "tags.web", "onboot"])
APPLIES = st.tuples(st.sampled_from("abc"), st.lists(NAMES, unique_by=lambda n: n.split("=")[0]))
EDITS = st.lists(NAMES, min_size=1, unique_by=lambda n: n.split("=")[0])


@given(st.lists(st.one_of(APPLIES, EDITS), max_size=12))
@example([("b", ["args=1"]), ["args=2"], ("a", ["args=2"]), ["args=1"], ("c", ["args=2"])])
def test_nobody_loses_an_update_and_applying_again_is_the_same(operations: list[Any]) -> None:
    world = World(VM)
    for operation in operations:
        if isinstance(operation, list):
            world.edit(cast("list[str]", operation))
            continue
        who, words = cast("tuple[str, list[str]]", operation)
        before = (dict(world.live), {name: dict(owned) for name, owned in world.owned.items()})
        world.apply(who, words)
        check_nothing_is_lost(world, who, fields_of(words), *before)
        after = (dict(world.live), world.owners(), world.conflicts)
        world.apply(who, words)
        assert (dict(world.live), world.owners(), world.conflicts) == after


def check_nothing_is_lost(
    world: World,
    who: str,
    declared: Mapping[str, FieldValue],
    live: Mapping[str, FieldValue],
    owned: Mapping[str, Mapping[str, FieldValue]],
) -> None:
    """Unforced, an apply changes only what is the manager's alone or nobody's."""
    mine = owned.get(who, {})
    for path in live.keys() | world.live.keys():
        if world.live.get(path) == live.get(path):
            continue
        assert path in declared or path in mine
        assert path not in mine or mine[path] == live.get(path, False)
        others = [fields[path] for name, fields in owned.items() if name != who and path in fields]
        assert live.get(path, False) not in others
    assert not world.conflicts or (world.live, world.owned.get(who, {})) == (live, mine)
