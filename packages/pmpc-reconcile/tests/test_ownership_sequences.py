"""Who owns a field after what: sequences of operations, modelled on Kubernetes' server-side apply.

A row is `operations | object | owners | conflicts`. Operations:

* `a args=1 tags.web`: manager `a` applies these fields (a name alone is true), and no others;
* `a! …`: the same, overruling everybody;
* `a … ?args:theirs`: the same with a resolution for a path;
* `edit args=2 -memory`: somebody sets or unsets fields behind everybody's back.

Then what the object is, who is recorded as owner of what, and the conflicts of the last operation.
"""

# ruff: noqa: E501  # a row of the table is one line

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pmpc_reconcile.diff import Action, Claim, Diff, three_way
from pmpc_reconcile.diff.threeway import removes_slot, slot_of
from pmpc_reconcile.kinds import Kind, kind
from pmpc_reconcile.values import Absent, FieldValue, from_record, split_path, to_record

VM, POOL = kind("VirtualMachine"), kind("Pool")
PLAIN = ("state", "pool", "comment", "guests", "storage")

# `args` and `affinity` have no default; `memory`'s is 512, `onboot`'s is false.
SEQUENCES = """
# one manager
a args=1                                  | args=1           | a:args          |
a args=1; a args=1                        | args=1           | a:args          |
a args=1; a args=2                        | args=2           | a:args          |
a args=1; a                               |                  |                 |
a args=1 affinity=1; a args=1             | args=1           | a:args          |
a args=1 affinity=1; a affinity=1         | affinity=1       | a:affinity      |
a args=1; a affinity=1                    | affinity=1       | a:affinity      |
a args=1; a args=1 affinity=2             | affinity=2 args=1 | a:affinity,args |
a args=1; a args=2; a args=1              | args=1           | a:args          |
a                                         |                  |                 |
# forcing without opposition is applying
a! args=1                                 | args=1           | a:args          |
a args=1; a!                              |                  |                 |
# what nobody manages: taken over when declared, left alone otherwise
edit args=9; a                            | args=9           |                 |
edit args=9; a affinity=1                 | affinity=1 args=9 | a:affinity     |
edit args=9; a args=9                     | args=9           | a:args          |
edit args=9; a args=1                     | args=1           | a:args          |
edit args=9; a args=9; a                  |                  |                 |
edit args=9; a args=1; a                  |                  |                 |
edit args=9; a args=1 ?args:ignore        | args=9           |                 |
edit args=9; a args=1 ?args:theirs        | args=1           | a:args          |
# somebody changes a field of ours
a args=1; edit args=2; a args=1           | args=2           | a:args          | args
a args=1; edit args=2; a args=3           | args=2           | a:args          | args
a args=1; edit args=2; a args=2           | args=2           | a:args          |
a args=1; edit args=2; a args=2; a args=3 | args=3           | a:args          |
a args=1; edit args=2; a                  | args=2           |                 |
a args=1; edit args=2; a; a args=1        | args=1           | a:args          |
a args=1; edit args=2; edit args=1; a args=1 | args=1        | a:args          |
a args=1; edit args=2; edit args=3; a args=1 | args=3        | a:args          | args
a args=1; edit args=2; a! args=1          | args=1           | a:args          |
a args=1; edit args=2; a! args=3          | args=3           | a:args          |
a args=1; edit args=2; a!                 | args=2           |                 |
a args=1; edit args=2; a args=1; a! args=1 | args=1          | a:args          |
a args=1; edit args=2; a args=1; edit args=1; a args=1 | args=1 | a:args        |
a args=1; edit args=2; a args=1; a        | args=2           |                 |
# … or removes it
a args=1; edit -args; a args=1            |                  | a:args          | args
a args=1; edit -args; a                   |                  |                 |
a args=1; edit -args; a! args=1           | args=1           | a:args          |
a args=1; edit -args; a; a args=1         | args=1           | a:args          |
# … or adds one we do not name
a args=1; edit affinity=2; a args=1       | affinity=2 args=1 | a:args         |
a args=1; edit affinity=2; a args=3       | affinity=2 args=3 | a:args         |
a args=1; edit affinity=2; a              | affinity=2       |                 |
a args=1; edit affinity=2; a args=1 affinity=2 | affinity=2 args=1 | a:affinity,args |
a args=1; edit affinity=2; a args=1 affinity=3 | affinity=3 args=1 | a:affinity,args |
# a conflict holds the whole object: nothing is written, and ownership stays as it was
a args=1; edit args=2; a args=1 affinity=1 | args=2          | a:args          | args
a args=1 affinity=1; edit args=2; a args=1 affinity=2 | affinity=1 args=2 | a:affinity,args | args
a args=1 affinity=1; edit args=2; a args=1 | affinity=1 args=2 | a:affinity,args | args
a args=1 affinity=1; edit args=2; a args=1; a! args=1 | args=1 | a:args        |
a args=1; edit args=2; a args=1 affinity=1; a! args=1 affinity=1 | affinity=1 args=1 | a:affinity,args |
a args=1 affinity=1; edit args=2 affinity=2; a args=1 affinity=1 | affinity=2 args=2 | a:affinity,args | affinity args
a args=1 affinity=1; edit args=2 affinity=2; a args=1 | affinity=2 args=2 | a:affinity,args | args
# resolutions, field by field
a args=1; edit args=2; a args=1 ?args:ours | args=1          | a:args          |
a args=1; edit args=2; a args=1 ?args:theirs | args=2        | a:args          |
a args=1; edit args=2; a args=1 ?args:ignore | args=2        | a:args          |
a args=1; edit args=2; a args=1 ?args:theirs; a args=1 | args=2 | a:args       | args
a args=1; edit args=2; a args=1 ?args:theirs; edit args=1; a args=1 | args=1 | a:args |
a args=1; edit args=2; a args=1 ?args:theirs; a | args=2     |                 |
a args=1 affinity=1; edit args=2 affinity=2; a args=1 affinity=1 ?args:ours | affinity=2 args=2 | a:affinity,args | affinity
a args=1 affinity=1; edit args=2 affinity=2; a args=1 affinity=1 ?args:ours ?affinity:theirs | affinity=2 args=1 | a:affinity,args |
a args=1; a args=2 ?args:theirs           | args=2           | a:args          |
a args=1; a args=2 ?args:ignore           | args=1           | a:args          |
a args=1 ?args:ignore                     |                  |                 |
a args=1; a ?args:ignore                  | args=1           |                 |
a args=1; a ?args:theirs                  |                  |                 |
# several managers, the same value: owned together
a args=1; b args=1                        | args=1           | a:args b:args   |
a args=1; b args=1; a                     | args=1           | b:args          |
a args=1; b args=1; b                     | args=1           | a:args          |
a args=1; b args=1; a; b                  |                  |                 |
a args=1; b args=1; a; b args=2           | args=2           | b:args          |
a args=1; b args=1; c args=1; b; a        | args=1           | c:args          |
# … different values: a conflict
a args=1; b args=2                        | args=1           | a:args          | args
a args=1; b! args=2                       | args=2           | a:args b:args   |
a args=1; b args=2 ?args:theirs           | args=1           | a:args          |
a args=1; b args=2 ?args:ignore           | args=1           | a:args          |
a args=1; b args=1; a args=2              | args=1           | a:args b:args   | args
a args=1; b args=1; b args=2              | args=1           | a:args b:args   | args
a args=1; b args=1; a! args=2             | args=2           | a:args b:args   |
a args=1; b args=1; a! args=2; b args=1   | args=2           | a:args b:args   | args
a args=1; b args=1; a! args=2; b args=2   | args=2           | a:args b:args   |
a args=1; b args=1; a! args=2; b          | args=2           | a:args          |
a args=1; b args=1; a! args=2; b; a       |                  |                 |
# … whoever was overruled has lost the field
a args=1; b! args=2; b args=3             | args=3           | a:args b:args   |
a args=1; b! args=2; b                    |                  | a:args          |
a args=1; b! args=2; a args=1             | args=2           | a:args b:args   | args
a args=1; b! args=2; a args=2             | args=2           | a:args b:args   |
a args=1; b! args=2; a                    | args=2           | b:args          |
a args=1; b! args=2; a! args=1            | args=1           | a:args b:args   |
a args=1; b! args=2; a! args=1; b args=2  | args=1           | a:args b:args   | args
a args=1; b! args=2; a! args=1; b         | args=1           | a:args          |
a args=1; edit args=2; b args=2           | args=2           | a:args b:args   |
a args=1; edit args=2; b args=3           | args=3           | a:args b:args   |
a args=1; edit args=2; b args=3; a args=1 | args=3           | a:args b:args   | args
# … with several others each one's claim counts, whoever came last
b args=1; edit args=2; a args=2; edit args=1; c args=2 | args=1 | a:args b:args | args
a args=1; b args=1; c args=2              | args=1           | a:args b:args   | args
# … different fields: nothing to do with each other
a args=1; b affinity=1                    | affinity=1 args=1 | a:args b:affinity |
a args=1; b affinity=1; a                 | affinity=1       | b:affinity      |
a args=1; b affinity=1; b                 | args=1           | a:args          |
a args=1; b affinity=1; a args=2          | affinity=1 args=2 | a:args b:affinity |
a args=1; b affinity=1; a args=1 affinity=2 | affinity=1 args=1 | a:args b:affinity | affinity
a args=1 affinity=1; b affinity=1; a args=1 | affinity=1 args=1 | a:args b:affinity |
# defaults: what nothing means
a memory=512                              |                  | a:memory        |
a memory=512; a                           |                  |                 |
a memory=1024; a memory=512               | memory=512       | a:memory        |
a memory=1024; edit -memory; a memory=512 |                  | a:memory        |
a memory=1024; edit -memory; a memory=1024 |                 | a:memory        | memory
a memory=512; edit memory=1024; a memory=512 | memory=1024   | a:memory        | memory
a memory=512; a memory=1024               | memory=1024      | a:memory        |
a onboot; a onboot=false                  | onboot=false     | a:onboot        |
a onboot=false; b onboot                  |                  | a:onboot        | onboot
# sets: every element has its own owners
a tags.web                                | tags.web         | a:tags.web      |
a tags.web; a tags.db                     | tags.db          | a:tags.db       |
a tags.web tags.db; a tags.web            | tags.web         | a:tags.web      |
edit tags.old; a tags.web                 | tags.old tags.web | a:tags.web     |
edit tags.old; a tags.web; a              | tags.old         |                 |
a tags.web; b tags.db                     | tags.db tags.web | a:tags.web b:tags.db |
a tags.web; b tags.db; a                  | tags.db          | b:tags.db       |
a tags.web; b tags.web; a                 | tags.web         | b:tags.web      |
a tags.web; edit -tags.web; a tags.web    |                  | a:tags.web      | tags.web
a tags.web; edit -tags.web; a! tags.web   | tags.web         | a:tags.web      |
a tags.web; edit -tags.web; a             |                  |                 |
a tags.web tags.db; edit -tags.web; a tags.web tags.db ?tags:theirs | tags.db | a:tags.db,tags.web |
# property strings: every key has its own owners
a net0.model=virtio net0.tag=1; edit net0.rate=5; a net0.model=virtio net0.tag=2 | net0.model=virtio net0.rate=5 net0.tag=2 | a:net0.model,net0.tag |
a net0.model=virtio; b net0.tag=1         | net0.model=virtio net0.tag=1 | a:net0.model b:net0.tag |
a net0.model=virtio; b net0.tag=1; a net0.model=virtio net0.tag=2 | net0.model=virtio net0.tag=1 | a:net0.model b:net0.tag | net0.tag
a net0.model=virtio net0.tag=1; a net0.model=virtio | net0.model=virtio | a:net0.model |
a net0.model=virtio net0.tag=1; edit net0.tag=2; a net0.model=virtio | net0.model=virtio net0.tag=2 | a:net0.model |
a net0.model=virtio net0.tag=1; edit net0.tag=2; a net0.model=e1000 net0.tag=1 ?net0.tag:theirs | net0.model=e1000 net0.tag=2 | a:net0.model,net0.tag |
a net0.model=virtio net0.tag=1; edit net0.tag=2; a net0.model=virtio net0.tag=1 ?net0:ours | net0.model=virtio net0.tag=1 | a:net0.model,net0.tag |
# a card or disk goes as a whole, unless somebody added to it
a net0.model=virtio net0.tag=1; a         |                  |                 |
a net0.model=virtio; edit net0.macaddr=M; a |                |                 |
a net0.model=virtio; edit net0.rate=5; a  | net0.model=virtio net0.rate=5 | a:net0.model | net0.model
a net0.model=virtio; edit net0.rate=5; a ?net0:ours |        |                 |
a net0.model=virtio; edit net0.rate=5; a ?net0:theirs | net0.model=virtio net0.rate=5 |  |
a net0.model=virtio; b net0.tag=1; a      | net0.model=virtio net0.tag=1 | a:net0.model b:net0.tag | net0.model
a net0.model=virtio; b net0.model=virtio; a | net0.model=virtio | b:net0.model |
a net0.model=virtio net1.model=virtio; a net1.model=virtio | net1.model=virtio | a:net1.model |
# one value with an order
a boot.order=scsi0; b boot.order=net0     | boot.order=scsi0 | a:boot.order    | boot.order
a boot.order=scsi0; edit boot.order=net0; a boot.order=scsi0 | boot.order=net0 | a:boot.order | boot.order
# volumes: a bigger one is somebody's wish, a rounded one is nobody's
a scsi0.storage=s scsi0.size=8G; edit scsi0.size=16G; a scsi0.storage=s scsi0.size=8G | scsi0.size=16G scsi0.storage=s | a:scsi0.size,scsi0.storage | scsi0.size
a scsi0.storage=s scsi0.size=8G; edit scsi0.size=16G; a scsi0.storage=s | scsi0.size=16G scsi0.storage=s | a:scsi0.storage |
a scsi0.storage=s scsi0.size=8G; edit scsi0.size=16G; a scsi0.storage=s scsi0.size=16G | scsi0.size=16G scsi0.storage=s | a:scsi0.size,scsi0.storage |
a scsi0.storage=s scsi0.size=51200K; edit scsi0.size=52M; a scsi0.storage=s scsi0.size=51200K | scsi0.size=52M scsi0.storage=s | a:scsi0.size,scsi0.storage |
# the power state is held up, and let go
a state=running; edit state=stopped; a state=running | state=running | a:state |
a state=running; edit state=stopped; a   | state=stopped     |                 |
a state=running; a                       | state=running     |                 |
a state=running; b state=stopped         | state=stopped     | a:state b:state |
a state=running; edit state=stopped; a state=running ?state:ignore | state=stopped | a:state |
# the pool of a guest
a pool=x; edit pool=y; a pool=x          | pool=y            | a:pool          | pool
a pool=x; edit pool=y; a                 | pool=y            |                 |
a pool=x; a                              |                   |                 |
a pool=x; b pool=y                       | pool=x            | a:pool          | pool
"""

POOLS = """
a comment=c guests.1 storage.s           | comment=c guests.1 storage.s | a:comment,guests.1,storage.s |
a guests.1; edit guests.2; a guests.1    | guests.1 guests.2 | a:guests.1      |
a guests.1 guests.2; edit guests.3; a guests.2 | guests.2 guests.3 | a:guests.2 |
a guests.1; edit -guests.1; a guests.1   |                   | a:guests.1      | guests.1
a guests.1; b guests.1; a                | guests.1          | b:guests.1      |
a comment=c; edit comment=d; a comment=c | comment=d         | a:comment       | comment
a comment=c; edit comment=d; a comment=c ?comment:ours | comment=c | a:comment  |
"""


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
        manager = who.rstrip("!")
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
                others.setdefault(path, []).append(Claim(other, value))
        base = self.owned.get(manager, {})
        diff = three_way(
            self.kind, desired, self.live, base, resolutions=resolutions, others=others
        )
        self.conflicts = tuple(name_of(field.path) for field in diff.conflicts)
        if not diff.conflicts:
            self.write(diff)
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


def test_there_are_enough_rows() -> None:
    assert len(list(rows(SEQUENCES))) + len(list(rows(POOLS))) >= 120


@pytest.mark.parametrize(("sequence", "found", "owners", "conflicts"), list(rows(SEQUENCES)))
def test_applying_again_changes_nothing(
    sequence: str, found: str, owners: str, conflicts: str
) -> None:
    """The last manager's next apply of the same fields comes to the same."""
    *_, last = sequence.split(";")
    if last.split()[0] == "edit":
        return
    world = World(VM)
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
