"""Configurations recorded from a running PVE 9.2 read without loss and plan to nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from pmpc_reconcile.diff import Action, FieldChange, three_way, to_wire
from pmpc_reconcile.kinds import Kind, Shape, kind, options_of
from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.values import (
    Fields,
    Secret,
    default_of,
    from_record,
    live_fields,
    read_option,
    to_record,
    write_option,
)

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


VERSIONS = ("8.4", "9.0", "9.1", "9.2")


def reordered(of: Kind, config: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return the same configuration with options, keys and tags in another order."""
    options = options_of(of)
    found: dict[str, Any] = {}
    for name in chance.sample(list(config), len(config)):
        option, value = options.find(name), config[name]
        if option is not None and option.shape in (Shape.PROPERTIES, Shape.DISK):
            first, *rest = str(value).split(",")
            value = ",".join([first, *chance.sample(rest, len(rest))])
        elif option is not None and option.shape is Shape.SET:
            tags = str(value).split(";")
            value = chance.choice([";", ",", " "]).join(chance.sample(tags, len(tags)))
        found[name] = value
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("of", "config"), CASES)
def test_recorded_shapes_in_any_order_plan_to_nothing_three_times(
    of: Kind, config: dict[str, Any], version: str, seed: int
) -> None:
    chance = random.Random(seed)
    known = {
        name: value
        for name, value in config.items()
        if options_of(of, version).find(name) is not None and value != " "
    }
    known.setdefault(str(of.name_option), "a")
    wanted = manifest_of(of, reordered(of, known, chance))
    (manifest,) = load_text(json.dumps(wanted), name="any.json", version=version)
    owned: Fields = {}
    for _ in range(3):
        diff = three_way(of, manifest.fields, live_fields(of, reordered(of, known, chance)), owned)
        assert diff.empty, (diff.changes, diff.conflicts)
        assert set(diff.owned_after()) == set(manifest.fields)
        owned = from_record(json.loads(json.dumps(to_record(diff.owned_after(), str))))
