"""What words in a manifest become: no surprise by YAML 1.1."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.manifests import load_text

HEAD = "apiVersion: pmpc/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n  config:\n"


def config(line: str, kind: str = "VirtualMachine") -> Any:
    text = HEAD.format(kind=kind) + f"    {line}\n"
    return load_text(text)[0].spec["config"]


@pytest.mark.parametrize("word", ["on", "yes", "true", "True", "1", "'on'", '"1"', "ON"])
def test_every_word_for_yes_is_true_for_a_boolean_option(word: str) -> None:
    assert config(f"onboot: {word}")["onboot"] is True


@pytest.mark.parametrize("word", ["off", "no", "false", "False", "0", "'off'", "NO"])
def test_every_word_for_no_is_false_for_a_boolean_option(word: str) -> None:
    assert config(f"onboot: {word}")["onboot"] is False


@pytest.mark.parametrize("word", ["on", "'on'", "true"])
def test_an_option_that_has_the_word_on_gets_the_word(word: str) -> None:
    disk = config(f"scsi0: {{storage: local, size: 1G, discard: {word}}}")["scsi0"]
    assert disk["discard"] == "on"


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("name: '007'", "name", "007"),
        ("name: 007", "name", "007"),
        ("name: 1.10", "name", "1.10"),
        ("name: on", "name", "on"),
        ("description: 2026-01-02", "description", "2026-01-02"),
        ("description: 22:30", "description", "22:30"),
        ("description: 1_000", "description", "1_000"),
        ("description: 0x10", "description", "0x10"),
        ("startdate: 2026-01-02", "startdate", "2026-01-02"),
        ("memory: '4096'", "memory", 4096),
        ("memory: 4096.0", "memory", 4096),
        ("cpulimit: 0.5", "cpulimit", 0.5),
        ("cpulimit: 2.0", "cpulimit", 2),
        ("net0: {model: virtio, macaddr: 00:11:22:33:44:55}", "net0", None),
    ],
)
def test_texts_stay_as_written_and_numbers_may_be_quoted(line: str, name: str, value: Any) -> None:
    found = config(line)[name]
    if value is None:
        assert found["macaddr"] == "00:11:22:33:44:55"
    else:
        assert found == value
        assert type(found) is type(value)


def test_a_file_mode_keeps_its_leading_zero() -> None:
    assert config("dev0: {path: /dev/kvm, mode: 0660}", "Container")["dev0"]["mode"] == "0660"


def test_anchors_and_merge_keys_are_written_out() -> None:
    text = (
        "apiVersion: pmpc/v1\nkind: VirtualMachine\nmetadata: {name: a}\nspec:\n  config:\n"
        "    net0: &card {model: virtio, bridge: vmbr0}\n"
        "    net1: {<<: *card, bridge: vmbr1}\n"
        "    net2: *card\n"
    )
    found = load_text(text)[0].spec["config"]
    assert found["net1"] == {"model": "virtio", "bridge": "vmbr1"}
    assert found["net2"] == found["net0"]


def test_json_and_yaml_say_the_same() -> None:
    yaml = HEAD.format(kind="VirtualMachine") + "    cores: 2\n    tags: [b, A]\n"
    json = (
        '{"apiVersion": "pmpc/v1", "kind": "VirtualMachine", "metadata": {"name": "a"},'
        ' "spec": {"config": {"cores": 2, "tags": ["b", "A"]}}}'
    )
    assert load_text(yaml) == load_text(json) == load_text(json, name="a.json")
