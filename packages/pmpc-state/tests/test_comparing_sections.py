"""What a look means for the record, without a database."""

from __future__ import annotations

from typing import Any

from pmpc_state.canonical import SecretKey
from pmpc_state.diff import Recorded, Seen, compare, compare_documents, store_form
from pmpc_state.values.changes import FieldChange
from pmpc_state.values.inventory import ObservedItem, Section

KEY = SecretKey(b"k" * 32)


def _item(key: str, config: dict[str, Any] | None, **identity: str) -> ObservedItem:
    document = None if config is None else {"config": config}
    return ObservedItem("qemu", key, document, identity=identity)


def _seen(*items: ObservedItem) -> tuple[Seen, ...]:
    return store_form(items, KEY)


def _recorded(item: ObservedItem, number: int = 1) -> Recorded:
    [seen] = _seen(item)
    return Recorded(number, item.kind, item.key, item.identity, number, seen.hash)


def test_the_same_again_is_unchanged() -> None:
    item = _item("100", {"cores": 2})
    delta = compare([_recorded(item)], _seen(item), Section("qemu", (item,)))
    assert len(delta.unchanged) == 1
    assert (delta.appeared, delta.changed, delta.vanished, delta.unseen) == ((), (), (), ())


def test_a_difference_in_a_secret_is_a_change() -> None:
    old, new = _item("100", {"password": "a"}), _item("100", {"password": "b"})
    delta = compare([_recorded(old)], _seen(new), Section("qemu", (new,)))
    assert [known.key for known, _ in delta.changed] == ["100"]


def test_another_identity_replaces() -> None:
    old, new = _item("100", {"cores": 2}, uuid="a"), _item("100", {"cores": 2}, uuid="b")
    delta = compare([_recorded(old)], _seen(new), Section("qemu", (new,)))
    assert [one.key for one in delta.vanished] == ["100"]
    assert [one.item.identity for one in delta.appeared] == [{"uuid": "b"}]


def test_not_listed_is_not_gone() -> None:
    item = _item("100", {"cores": 2})
    delta = compare([_recorded(item)], (), Section("qemu", (), unseen={"100": "node down"}))
    assert [(one.key, why) for one, why in delta.unseen] == [("100", "node down")]
    assert delta.vanished == ()


def test_proven_gone_vanishes() -> None:
    item = _item("100", {"cores": 2})
    delta = compare([_recorded(item)], (), Section("qemu", (), gone=frozenset({"100"})))
    assert [one.key for one in delta.vanished] == ["100"]


def test_listed_without_configuration_keeps_what_is_recorded() -> None:
    item = _item("100", {"cores": 2}, uuid="a")
    bare = _item("100", None)
    delta = compare([_recorded(item)], _seen(bare), Section("qemu", (bare,)))
    assert [known.key for known, _ in delta.listed] == ["100"]
    assert (delta.appeared, delta.changed, delta.vanished) == ((), (), ())


def test_fields_differ_by_path() -> None:
    old = {"config": {"cores": 2, "gone": "x", "cpu": {"cores": 2, "model": "a"}, "list": [1, 2]}}
    new = {
        "config": {"cores": 4, "cpu": {"cores": 2, "model": "b"}, "list": [1, 2], "empty": {}},
        "pending": {"memory": {"value": "1", "pending": "2"}},
    }
    assert compare_documents(old, new) == (
        FieldChange("cores", 2, 4),
        FieldChange("cpu.model", "a", "b"),
        FieldChange("empty", None, {}),
        FieldChange("gone", "x", None),
        FieldChange("pending.memory", None, {"value": "1", "pending": "2"}),
    )
