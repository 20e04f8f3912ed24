"""Parameters on their way out."""

from __future__ import annotations

import enum
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxmox_client import PropertyString, RequestInvalid, Volid
from proxmox_client.wire.operation import Operation, Safety
from proxmox_client.wire.params import (
    BODY_LIMIT,
    build_raw_request,
    build_request,
    flatten,
    to_text,
)


def _keep(data: Any) -> Any:
    return data


CONFIG = Operation(
    "nodes.qemu.config.put",
    "PUT",
    "/nodes/{node}/qemu/{vmid}/config",
    _keep,
    Safety.IDEMPOTENT,
    families=("net", "scsi", "numa[n]"),
    text_lists=("delete", "tags"),
)
READ = attrs.evolve(CONFIG, id="nodes.qemu.config.get", method="GET", safety=Safety.READ)
CONTENT = Operation(
    "nodes.storage.content.volume.get",
    "GET",
    "/nodes/{node}/storage/{storage}/content/{volume}",
    _keep,
    Safety.READ,
)
PLACE: dict[str, str | int] = {"node": "pve1", "vmid": 100}


class Colour(enum.Enum):
    RED = "red"


def pairs(params: dict[str, object]) -> list[tuple[str, str]]:
    return list(flatten(params, families=CONFIG.families, text_lists=CONFIG.text_lists))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "1"),
        (False, "0"),
        (12, "12"),
        (1.5, "1.5"),
        (2.0, "2"),
        ("x", "x"),
        (Colour.RED, "red"),
        (Volid("local", "iso/a.iso"), "local:iso/a.iso"),
        (PropertyString({"model": "virtio", "tag": 5}), "model=virtio,tag=5"),
        ({"model": "virtio", "firewall": True, "tag": None}, "model=virtio,firewall=1"),
        (b"raw", "raw"),
    ],
)
def test_values_become_pves_text(value: object, text: str) -> None:
    assert to_text(value) == text


def test_none_is_not_sent() -> None:
    assert pairs({"name": None, "net": {0: None}, "tags": [None, "a"]}) == [("tags", "a")]


def test_families_become_numbered_keys() -> None:
    assert pairs({"net": {0: "virtio", 12: {"model": "e1000", "tag": 7}}, "numa[n]": {1: "x"}}) == [
        ("net0", "virtio"),
        ("net12", "model=e1000,tag=7"),
        ("numa1", "x"),
    ]


def test_members_named_directly_pass_through() -> None:
    assert pairs({"net0": "virtio"}) == [("net0", "virtio")]


@pytest.mark.parametrize("index", ["0", True])
def test_family_needs_whole_numbers(index: object) -> None:
    with pytest.raises(ValueError, match="indexed by whole numbers"):
        pairs({"net": {index: "virtio"}})


def test_lists_are_joined_where_pve_wants_a_list() -> None:
    assert pairs({"delete": ["a", "b"], "tags": "x,y"}) == [("delete", "a,b"), ("tags", "x,y")]


def test_other_sequences_repeat_their_key() -> None:
    assert pairs({"vms": [100, 101], "flags": (True, {"a": 1})}) == [
        ("vms", "100"),
        ("vms", "101"),
        ("flags", "1"),
        ("flags", "a=1"),
    ]


def test_sets_have_an_order() -> None:
    assert pairs({"tags": {"c", "a", "b"}}) == [("tags", "a,b,c")]


def test_write_has_a_body_and_read_a_query() -> None:
    write = build_request(CONFIG, PLACE, {"name": "a b", "onboot": True})
    assert (write.target, write.body) == ("/nodes/pve1/qemu/100/config", b"name=a%20b&onboot=1")
    read = build_request(READ, PLACE, {"current": True})
    assert (read.target, read.body) == ("/nodes/pve1/qemu/100/config?current=1", None)
    assert read.address == "/nodes/pve1/qemu/100/config"


def test_only_reads_are_replayable() -> None:
    assert build_request(READ, PLACE, {}).replayable
    assert not build_request(CONFIG, PLACE, {}).replayable
    assert build_raw_request("get", "/version", {}).replayable
    assert not build_raw_request("DELETE", "/pools/a", {}).replayable


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_text_arrives_as_it_was(text: str) -> None:
    read = build_request(READ, PLACE, {"snapshot": text})
    assert parse_qsl(urlsplit(read.target).query, keep_blank_values=True) == [("snapshot", text)]
    write = build_request(CONFIG, PLACE, {"description": text})
    assert write.body is not None
    assert parse_qsl(write.body.decode(), keep_blank_values=True) == [("description", text)]


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50).filter(
        lambda text: "/" not in text and text not in (".", "..")
    )
)
def test_any_segment_stays_one_segment(text: str) -> None:
    request = build_request(READ, {"node": text, "vmid": 1}, {})
    assert request.target.count("/") == 5
    assert unquote(request.target) == f"/nodes/{text}/qemu/1/config"


@pytest.mark.parametrize("node", ["", ".", "..", "a/b", "../x"])
def test_a_node_cannot_lead_elsewhere(node: str) -> None:
    with pytest.raises(RequestInvalid, match="cannot be a node"):
        build_request(READ, {"node": node, "vmid": 1}, {})


def test_volumes_hold_slashes_but_lead_nowhere() -> None:
    place = {"node": "pve1", "storage": "local", "volume": "local:iso/a b.iso"}
    target = build_request(CONTENT, place, {}).target
    assert target == "/nodes/pve1/storage/local/content/local%3Aiso/a%20b.iso"
    with pytest.raises(RequestInvalid):
        build_request(CONTENT, {**place, "volume": "local:iso/../../x"}, {})


def test_missing_placeholder_and_parameter_are_named() -> None:
    with pytest.raises(RequestInvalid, match="vmid must be given"):
        build_request(READ, {"node": "pve1"}, {})
    needy = attrs.evolve(CONFIG, required=("target", "online"))
    with pytest.raises(RequestInvalid, match=r"target, online must be given\. Nothing was sent"):
        build_request(needy, PLACE, {"online": None})


def test_too_large_a_body_is_refused_before_sending() -> None:
    with pytest.raises(RequestInvalid, match="bytes of parameters"):
        build_request(CONFIG, PLACE, {"description": "x" * BODY_LIMIT})


def test_too_long_a_url_is_refused_before_sending() -> None:
    with pytest.raises(RequestInvalid, match="a URL of"):
        build_request(READ, PLACE, {"snapshot": "x" * 8000})


@pytest.mark.parametrize("path", ["version", "/nodes?x=1", "/a/../b", "/a#b"])
def test_raw_paths_are_checked(path: str) -> None:
    with pytest.raises(RequestInvalid):
        build_raw_request("GET", path, {})


def test_raw_methods_are_checked() -> None:
    with pytest.raises(RequestInvalid, match="DELETE, GET, POST, PUT"):
        build_raw_request("PATCH", "/version", {})


def test_raw_paths_are_encoded_once() -> None:
    request = build_raw_request("GET", "/pools/a b/%41", {"net": {0: "x"}})
    assert request.target == "/pools/a%20b/%41?net0=x"


def test_request_shows_no_body_and_no_header() -> None:
    request = build_request(CONFIG, PLACE, {"cipassword": "hunter2"})
    shown = repr(request.with_headers({"Authorization": "secret"}))
    assert "hunter2" not in shown
    assert "secret" not in shown
