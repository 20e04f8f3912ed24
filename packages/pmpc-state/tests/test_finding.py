"""Finding resources by filter, on both databases."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from pmpc_state import NotRecorded, State
from pmpc_state.testing import Recorder
from proxmox_client.testing.clock import VirtualClock

GUESTS = {
    "100": {"name": "web", "memory": "1024", "cores": 2, "tags": "prod;web", "onboot": True},
    "101": {"name": "Web-2", "memory": 9000, "cores": 8, "tags": "web,test"},
    "9": {"name": "db_1", "memory": "current=512", "net0": "virtio,bridge=vmbr0", "onboot": False},
    "1000": {},
}


@pytest.fixture
def filled(state: State, recorder: Recorder) -> State:
    recorder.look("qemu", GUESTS)
    recorder.look("lxc", {"200": {"hostname": "proxy", "tags": "prod"}})
    recorder.look("pool", {"prod": {"members": ["qemu/100", "lxc/200"]}})
    return state


@contextmanager
def _counted() -> Generator[list[str], None, None]:
    statements: list[str] = []

    def heard(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    yield statements
    event.remove(Engine, "before_cursor_execute", heard)


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ("", "9 100 101 1000 200 prod"),
        ("kind=qemu", "9 100 101 1000"),
        ("kind!=qemu", "200 prod"),
        ("kind in (lxc, pool)", "200 prod"),
        ("tags has prod", "100 200"),
        ("tags has PROD", "100 200"),
        ("tags has pro", ""),
        ("kind=qemu and not tags has web", "9 1000"),
        ("name~web", "100 101"),
        ("name like web*", "100 101"),
        ("name like WEB-?", "101"),
        ("name like 10?", "100 101"),
        ("name like db_?", "9"),
        ("name like %", ""),
        ('config.net0 like "*bridge=vmbr?"', "9"),
        ("name~_", "9"),
        ("name~%", ""),
        ("vmid>=101 and kind=qemu", "101 1000"),
        ("vmid=100", "100"),
        ("config.memory>1000", "100 101"),
        ("config.memory=1024", "100"),
        ("config.memory~current", "9"),
        ("config.cores<=2 or config.cores>7", "100 101"),
        ("config.onboot=true", "100"),
        ("config.onboot is set", "9 100"),
        ("kind=qemu and config.onboot is unset", "101 1000"),
        ("config.net0~vmbr0", "9"),
        ("config.members has qemu/100", "prod"),
        ("prod", "prod"),
        ("web", "100"),
        ("qemu/100 or lxc/200", "100 200"),
        ("status=running and node=pve1 and known=yes and uptime<1k", "9 100 101 1000 200 prod"),
        ("known=no", ""),
        ("lock is set", ""),
        ("not (lock=backup)", "9 100 101 1000 200 prod"),
        ("template=no and kind=lxc", "200"),
    ],
)
def test_a_filter_finds_what_it_says(filled: State, wanted: str, keys: str) -> None:
    found = filled.reader().find("lab", wanted)
    assert " ".join(one.key for one in found.items) == keys
    assert found.total == len(found.items)


@pytest.mark.parametrize(
    ("sort", "keys"),
    [
        ("-vmid", "1000 101 100 9"),
        ("name", "1000 101 9 100"),
        ("config.cores", "100 101 9 1000"),
        ("-config.cores", "101 100 9 1000"),
        ("-config.onboot", "100 9 101 1000"),
        (("node", "-key"), "1000 101 100 9"),
    ],
)
def test_the_order_is_the_same_on_both_databases(
    filled: State, sort: str | tuple[str, ...], keys: str
) -> None:
    found = filled.reader().find("lab", "kind=qemu", sort=sort)
    assert " ".join(one.key for one in found.items) == keys


def test_pages_are_cut_in_the_database_in_a_fixed_number_of_queries(filled: State) -> None:
    reader = filled.reader()
    with _counted() as statements:
        page = reader.find("lab", "kind=qemu", sort="-vmid", limit=2, offset=1)
    assert [one.key for one in page.items] == ["101", "100"]
    assert (page.total, page.offset) == (4, 1)
    assert len(statements) == 4  # the cluster, whether a sync writes, the page, the total
    with _counted() as statements:
        assert len(reader.find("lab").items) == 6
    assert len(statements) == 3
    assert reader.find("lab", limit=5, offset=50).total == 6


def test_the_past_can_be_searched(filled: State, recorder: Recorder, clock: VirtualClock) -> None:
    before = filled.writer().snapshot("lab", "before").taken_at
    clock.advance(60)
    recorder.look("qemu", {"100": {"name": "renamed"}})
    reader = filled.reader()
    assert [one.key for one in reader.find("lab", "name=web", at=before).items] == ["100"]
    assert reader.find("lab", "name=web").items == ()
    assert reader.find("lab", "kind=qemu", at=before).total == 4


def test_a_cluster_that_is_not_recorded_is_named(state: State) -> None:
    with pytest.raises(NotRecorded, match="nowhere"):
        state.reader().find("nowhere", "kind=qemu")


def test_hostile_values_are_only_values(filled: State) -> None:
    for text in ("'; DROP TABLE blob; --", '$."x"', "%", "\\", "{}"):
        quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        assert filled.reader().find("lab", f"name={quoted} or config.a-b={quoted}").items == ()
    assert filled.reader().find("lab").total == 6


def test_what_is_gone_is_found_as_it_last_was(
    filled: State, recorder: Recorder, clock: VirtualClock
) -> None:
    clock.advance(60)
    recorder.look("qemu", {"100": {**GUESTS["100"], "name": "shop"}, "9": GUESTS["9"]})
    clock.advance(60)
    recorder.look("qemu", {"9": GUESTS["9"]})
    reader = filled.reader()
    assert [one.key for one in reader.gone("lab")] == ["100", "1000", "101"]
    assert [one.key for one in reader.gone("lab", limit=1)] == ["100"]
    [shop] = reader.gone("lab", "shop")
    assert (shop.key, shop.config["name"]) == ("100", "shop")
    assert shop.valid_to is not None
    assert reader.gone("lab", "web") == ()  # it was called so before
    assert reader.gone("lab", "kind=qemu and config.memory=9000")[0].key == "101"
    recorder.look("qemu", {"9": GUESTS["9"], "100": {"name": "shop"}})
    assert reader.gone("lab", "shop") == ()
    with pytest.raises(NotRecorded):
        reader.gone("nowhere")
