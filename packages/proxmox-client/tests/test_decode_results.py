"""Results in notebooks and data frames."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import pytest

from proxmox_client.api.models.cluster import ClusterResourcesItem
from proxmox_client.api.operations import cluster, nodes_storage
from proxmox_client.wire.results import Results

ROWS: list[dict[str, Any]] = [
    {"id": "qemu/100", "type": "qemu", "name": "<web & db>"},
    {"id": "node/pve1", "type": "node", "maxcpu": 8},
]


def decoded() -> Results[ClusterResourcesItem]:
    return cluster.CLUSTER_RESOURCES_GET.decode(copy.deepcopy(ROWS))


def html_of(value: object) -> str:
    """Ask as a notebook does."""
    shown: str = getattr(value, "_repr_html_")()  # noqa: B009  # not ours to call otherwise
    return shown


def text_of(html: str) -> list[str]:
    return re.findall(r">([^<]+)<", html)


def test_lists_of_results_are_lists() -> None:
    rows = decoded()
    assert isinstance(rows, list)
    assert rows == [ClusterResourcesItem.from_wire(row) for row in ROWS]
    assert rows[0].id == "qemu/100"
    assert [row.type for row in rows] == ["qemu", "node"]
    assert isinstance(rows[:1], Results)
    assert pickle.loads(pickle.dumps(rows)) == rows
    assert type(copy.copy(rows)) is Results


def test_lists_of_results_become_records() -> None:
    assert decoded().records() == ROWS
    assert Results(["odd"]).records() == [{"value": "odd"}]


def test_plain_lists_stay_plain() -> None:
    assert type(nodes_storage.NODES_STORAGE_GET.decode([])) is Results
    assert type(cluster.CLUSTER_GET.decode([{"name": "ha"}])) in (list, Results)


def test_a_notebook_shows_a_list_as_a_table() -> None:
    html = html_of(decoded())
    assert text_of(html) == [
        *("id", "name", "type", "maxcpu"),
        *("qemu/100", "&lt;web &amp; db&gt;", "qemu"),
        *("node/pve1", "node", "8"),
    ]
    assert html_of(Results[ClusterResourcesItem]()) == "<p>nothing</p>"


def test_a_notebook_shows_the_beginning_of_a_long_list() -> None:
    rows = Results([ClusterResourcesItem.from_wire(ROWS[0])] * 1234)
    html = html_of(rows)
    assert html.count("<tr>") == 101
    assert html.endswith("<p>… and 1134 more</p>")


def test_a_notebook_shows_a_result_as_its_fields() -> None:
    html = html_of(decoded()[0])
    assert text_of(html) == [
        "ClusterResourcesItem",
        *("id", "qemu/100", "name", "&lt;web &amp; db&gt;", "type", "qemu"),
    ]


@pytest.mark.parametrize("value", [None, {"a": [1]}, "a<b"])
def test_any_field_can_be_shown(value: object) -> None:
    row = ClusterResourcesItem.from_wire({**ROWS[0], "odd": value})
    assert "<b" not in html_of(row).replace("<body", "")
