"""Configurations recorded from a running PVE 9.2 read without loss and plan to nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pmpc_reconcile.diff import Action, FieldChange, three_way, to_wire
from pmpc_reconcile.kinds import Kind, kind, options_of
from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.values import Secret, default_of, live_fields, read_option, write_option

RECORDED: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "data" / "recorded_configs.json").read_text()
)
KINDS = {"qemu": kind("VirtualMachine"), "lxc": kind("Container")}
CASES = [(KINDS[guest], config) for guest in KINDS for config in RECORDED[guest]]
# What PVE writes itself or keeps for us.
NOT_OPTIONS = {"digest", "meta", "parent", "lock", "template", "unused0", "unused1", "unused2"}


def manifest_of(of: Kind, config: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest that declares every option just as the server shows it."""
    options = {
        name: value
        for name, value in config.items()
        if options_of(of).find(name) is not None and name != "cipassword" and value != " "
    }
    return {
        "apiVersion": "pmpc/v1",
        "kind": of.name,
        "metadata": {"name": "a"},
        "spec": {"config": options},
    }


@pytest.mark.parametrize(("of", "config"), CASES)
def test_every_recorded_option_is_known(of: Kind, config: dict[str, Any]) -> None:
    options = options_of(of, "9.2")
    unknown = {name for name in config if options.find(name) is None}
    assert unknown <= NOT_OPTIONS | {name for name in config if name in ("snaptime", "vmstate")}


@pytest.mark.parametrize(("of", "config"), CASES)
def test_declaring_what_is_there_changes_nothing(of: Kind, config: dict[str, Any]) -> None:
    (manifest,) = load_text(json.dumps(manifest_of(of, config)), name="adopted.json")
    live = live_fields(of, config)
    fresh = three_way(of, manifest.fields, live, {})
    own_name = {f"config.{of.name_option}"} - {f"config.{name}" for name in config}
    assert {change.path for change in fresh.changes} <= own_name, fresh.changes
    again = three_way(of, manifest.fields, live, fresh.owned_after())
    assert not again.conflicts


@pytest.mark.parametrize(("of", "config"), CASES)
def test_reading_and_writing_an_option_loses_nothing(of: Kind, config: dict[str, Any]) -> None:
    for name, value in config.items():
        option = options_of(of).find(name)
        if option is None or name == "cipassword":
            continue
        fields = read_option(option, value)
        assert read_option(option, write_option(option, fields)) == fields, (name, value)


@pytest.mark.parametrize(("of", "config"), CASES)
def test_a_foreign_change_of_one_key_keeps_all_others(of: Kind, config: dict[str, Any]) -> None:
    if "net0" not in config:
        return
    change = FieldChange(path="config.net0.rate", action=Action.ADD, desired=5)
    wire = to_wire(of, [change], config)
    assert set(wire.set) == {"net0"}
    written = wire.set["net0"]
    assert not isinstance(written, Secret)
    before, after = live_fields(of, config), live_fields(of, {**config, "net0": written})
    assert after == {**before, "config.net0.rate": 5}
    assert default_of(of, "config.net0.firewall") is False
