"""Decoding survives what real servers send: nothing is raised, nothing is lost."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxmox_client import schema
from proxmox_client.api.models.cluster import ClusterResourcesItem
from proxmox_client.api.models.nodes import NodesStatus
from proxmox_client.api.models.nodes_qemu import NodesQemuConfig
from proxmox_client.api.operations import access, cluster, nodes, nodes_qemu, nodes_tasks
from proxmox_client.wire.coerce import to_boolean, to_integer, to_number, to_text
from proxmox_client.wire.model import Model

ROW: dict[str, Any] = {"id": "qemu/100", "type": "qemu"}


@pytest.mark.parametrize(
    ("field", "sent", "read"),
    [
        ("vmid", "100", 100),
        ("vmid", 100.0, 100),
        ("vmid", True, 1),
        ("maxmem", "-5", -5),
        ("template", 1, True),
        ("template", 0, False),
        ("template", "1", True),
        ("template", "off", False),
        ("template", True, True),
        ("name", 12, "12"),
        ("name", 1.5, "1.5"),
        ("name", True, "1"),
        ("cpu", "0.25", 0.25),
        ("cpu", 3, 3),
        ("cpu", "4", 4),
    ],
)
def test_values_of_another_type_are_coerced(field: str, sent: Any, read: Any) -> None:
    row = ClusterResourcesItem.from_wire({**ROW, field: sent})
    assert getattr(row, field) == read
    assert type(getattr(row, field)) is type(read)
    assert row.to_dict() == {**ROW, field: read}


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("vmid", "abc"),
        ("vmid", 1.5),
        ("vmid", "007"),
        ("vmid", "9" * 5000),
        ("cpu", "1e999"),
        ("vmid", {"a": 1}),
        ("vmid", [1]),
        ("template", 2),
        ("template", "maybe"),
        ("name", {"first": "a"}),
        ("name", ["a"]),
        ("cpu", "much"),
        ("cpu", {}),
    ],
)
def test_values_that_cannot_be_read_stay_as_they_came(field: str, sent: Any) -> None:
    row = ClusterResourcesItem.from_wire({**ROW, field: sent})
    assert getattr(row, field) == sent
    assert row.to_dict() == {**ROW, field: sent}


def test_missing_fields_are_none_even_where_the_schema_promises_them() -> None:
    row = ClusterResourcesItem.from_wire({})
    assert getattr(row, "id") is None  # noqa: B009  # declared as text
    assert row.to_dict() == {}


def test_null_counts_as_absent() -> None:
    row = ClusterResourcesItem.from_wire({**ROW, "name": None, "vmid": None})
    assert row.name is None
    assert row.to_dict() == ROW


def test_unknown_fields_are_kept_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    sent = {**ROW, "brand-new": {"deep": [1, None]}}
    with caplog.at_level(logging.INFO, logger="proxmox_client.drift"):
        row = ClusterResourcesItem.from_wire(sent)
        ClusterResourcesItem.from_wire(sent)
    assert row.extra == {"brand-new": {"deep": [1, None]}}
    assert row.to_dict() == sent
    assert [r.getMessage() for r in caplog.records] == [
        "ClusterResourcesItem.brand-new: unknown field"
    ]


def test_unknown_enum_values_are_kept() -> None:
    assert ClusterResourcesItem.from_wire({**ROW, "type": "quantum"}).type == "quantum"


def test_one_odd_entry_does_not_lose_the_list() -> None:
    rows = cluster.CLUSTER_RESOURCES_GET.decode([ROW, "odd", None, {**ROW, "vmid": "?"}, ROW])
    assert [type(row).__name__ for row in rows] == [
        "ClusterResourcesItem",
        "str",
        "NoneType",
        "ClusterResourcesItem",
        "ClusterResourcesItem",
    ]


@pytest.mark.parametrize("data", [None, 1, "text", {}, [], {"a": 1}, ["a"]])
def test_answers_of_another_shape_are_handed_on(data: Any) -> None:
    for operation in (
        cluster.CLUSTER_RESOURCES_GET,
        cluster.CLUSTER_NEXTID_GET,
        access.ACCESS_USERS_GET,
        nodes_tasks.NODES_TASKS_STATUS_GET,
        nodes.NODES_JOURNAL_GET,
    ):
        result = operation.decode(copy.deepcopy(data))
        assert (result.to_dict() if isinstance(result, Model) else result) == data


def test_nested_objects_become_classes_and_survive_drift() -> None:
    sent = {"memory": {"total": "1024", "odd": 1}, "cpuinfo": "gone", "loadavg": ["0.5", 1]}
    status = NodesStatus.from_wire(sent)
    assert status.memory.total == 1024
    assert status.memory.extra == {"odd": 1}
    assert status.to_dict() == {
        "memory": {"total": 1024, "odd": 1},
        "cpuinfo": "gone",
        "loadavg": ["0.5", "1"],
    }


def test_indexed_families_are_gathered_and_written_back() -> None:
    sent = {
        "digest": "d",
        "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
        "net12": "e1000",
        "numa": "1",
        "numa0": "cpus=0",
        "net01": "not an index",
        "scsihw": "virtio-scsi-pci",
        "memory": "512",
    }
    config = NodesQemuConfig.from_wire(sent)
    assert config.net == {0: "virtio=BC:24:11:00:00:01,bridge=vmbr0", 12: "e1000"}
    assert config.numa is True
    assert config.numa_n == {0: "cpus=0"}
    assert config.extra == {"net01": "not an index"}
    assert config.to_dict() == {**sent, "numa": True}


def test_results_are_frozen_compare_by_value_and_show_only_what_is_there() -> None:
    row = ClusterResourcesItem.from_wire(ROW)
    assert row == ClusterResourcesItem.from_wire(dict(reversed(ROW.items())))
    assert row != ClusterResourcesItem.from_wire({**ROW, "vmid": 1})
    assert repr(row) == "ClusterResourcesItem(id='qemu/100', type='qemu')"
    with pytest.raises(AttributeError):
        row.id = "other"  # type: ignore[misc]  # that is the point


def test_results_without_unknown_fields_share_nothing_that_could_change() -> None:
    row = ClusterResourcesItem.from_wire(ROW)
    assert row.extra == {}
    for change in (
        lambda: row.extra.update(a=1),
        lambda: row.extra.setdefault("a", 1),
        lambda: row.extra.__setitem__("a", 1),
        lambda: row.extra.__ior__({"a": 1}),
    ):
        with pytest.raises(TypeError, match="frozen"):
            change()
    assert pickle.loads(pickle.dumps(row)) == row
    assert copy.deepcopy(row) == row
    evolve: Any = attrs.evolve
    assert evolve(row, vmid=7).vmid == 7


def test_results_can_be_built_by_hand() -> None:
    row = ClusterResourcesItem(id="qemu/100", type="qemu", vmid=100)
    assert row == ClusterResourcesItem.from_wire({**ROW, "vmid": 100})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_COERCERS = (to_text, to_integer, to_number, to_boolean)


@given(json_values)
def test_coercers_never_raise_and_are_stable(value: Any) -> None:
    for coerce in _COERCERS:
        once = coerce(value)
        assert coerce(once) == once


@given(
    st.dictionaries(
        st.sampled_from(
            sorted(schema.operation("GET", "/cluster/resources").returns["items"]["properties"])
        )
        | st.text(min_size=1),
        json_values,
        max_size=12,
    )
)
def test_every_field_sent_is_in_the_result(sent: dict[str, Any]) -> None:
    row = ClusterResourcesItem.from_wire(sent)
    kept = row.to_dict()
    known = {wire for wire, value in sent.items() if value is not None}
    assert known <= set(kept)
    assert set(kept) <= set(sent)


@given(
    st.dictionaries(st.from_regex(r"(net|scsi|name|memory)[0-9]{0,3}", fullmatch=True), st.text())
)
def test_guest_configs_go_there_and_back(sent: dict[str, str]) -> None:
    assert NodesQemuConfig.from_wire(sent).to_dict() == sent


def test_lists_of_rows_with_mixed_fields_decode_like_single_ones() -> None:
    rows: list[dict[str, Any]] = []
    for number in range(600):
        row: dict[str, Any] = {"id": f"qemu/{number}", "type": "qemu", "vmid": number}
        if number % 2:
            row |= {"cpu": 0.5, "template": number % 3 == 0, "uptime": str(number)}
        if number % 7 == 0:
            row["surprise"] = number
        rows.append(row)
    assert len({len(row) for row in rows}) > 3
    decoded = cluster.CLUSTER_RESOURCES_GET.decode(orjson.loads(orjson.dumps(rows)))
    assert decoded == [ClusterResourcesItem.from_wire(row) for row in rows]
    assert [row.to_dict() for row in decoded[:1]] == [
        {"id": "qemu/0", "type": "qemu", "vmid": 0, "surprise": 0}
    ]
    assert decoded[7].extra == {"surprise": 7}
    assert decoded[1].uptime == 1


def test_long_lists_survive_rows_with_as_many_but_other_fields() -> None:
    rows: list[Any] = [{"id": f"qemu/{n}", "type": "qemu", "vmid": n} for n in range(900)]
    rows[5] = {"id": "node/a", "type": "node", "brand-new": 1}
    rows[6] = {"id": "node/a", "type": "node", "cgroup-mode": "2"}
    rows[7] = "odd"
    rows[8] = {"id": 1, "type": 2.5, "vmid": "8"}
    decoded = cluster.CLUSTER_RESOURCES_GET.decode(copy.deepcopy(rows))
    assert decoded[5].extra == {"brand-new": 1}
    assert decoded[6].cgroup_mode == 2
    assert decoded[6].to_dict() == {"id": "node/a", "type": "node", "cgroup-mode": 2}
    assert decoded[7] == "odd"
    assert decoded[8].to_dict() == {"id": "1", "type": "2.5", "vmid": 8}


def test_from_wire_leaves_its_argument_alone() -> None:
    sent = {**ROW, "vmid": "1", "cgroup-mode": "2", "odd": [1]}
    before = copy.deepcopy(sent)
    ClusterResourcesItem.from_wire(sent)
    assert sent == before


def test_python_names_of_renamed_fields_are_unknown_on_the_wire() -> None:
    row = ClusterResourcesItem.from_wire({**ROW, "host-arch": "x86_64", "host_arch": "odd"})
    assert row.host_arch == "x86_64"
    assert row.extra == {"host_arch": "odd"}


def test_a_started_task_answers_its_upid() -> None:
    assert nodes_qemu.NODES_QEMU_STATUS_START_POST.decode("UPID:x") == "UPID:x"
