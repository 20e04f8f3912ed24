"""The generator: classes of structured options, and parameters of some versions only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.apigen import corrections, emit_operations, emit_options, facts, merge, options

Facts = dict[str, Any]


def entry(path: str = "/a/{node}", method: str = "GET", **more: Any) -> Facts:
    given: Facts = {"path": path, "method": method, "returns": {"type": "null"}, **more}
    return facts.tidy(given)


def merged(*versions: list[Facts]) -> dict[merge.Key, merge.Merged]:
    return merge.merge({str(number): entries for number, entries in enumerate(versions)})


def option_entry(form: Facts, path: str = "/nodes/{node}/qemu", name: str = "net[n]") -> Facts:
    facts_of = {"type": "string", "optional": 1, "format": form}
    return entry(path, "POST", parameters={"properties": {name: facts_of}})


def test_formats_of_all_versions_become_one_class(tmp_path: Path) -> None:
    old = {"model": {"type": "string", "enum": ["a"], "default_key": 1}, "gone": {"optional": 1}}
    new = {
        "model": {"type": "string", "enum": ["b"], "default_key": 1},
        "b": {"alias": "mac", "keyAlias": "model"},
        "mac": {"type": "string", "optional": 1},
        "tag": {"type": "integer", "minimum": 1, "maximum": 9, "optional": 1},
    }
    operations = merged([option_entry(old)], [option_entry(new)])
    catalogue = options.gather(operations, {}, tmp_path)
    made = catalogue.classes["NetQemu"]
    assert (made.module, made.default_key, made.named) == ("qemu", "model", ("model", "mac", ["b"]))
    accepted = {key.name: key for key in made.accepted()}
    assert list(accepted) == ["model", "gone", "mac", "tag"]
    assert set(accepted["model"].enum) == {"a", "b"}
    assert accepted["model"].required
    assert (accepted["tag"].minimum, accepted["tag"].maximum) == (1, 9)
    module = emit_options.modules(catalogue, ["1", "2"])["qemu"]
    assert "    gone: A text; until 1." in module
    assert "    tag: A whole number from 1 to 9; since 2." in module
    assert '        model: Literal["a", "b"],' in module


@pytest.mark.parametrize(
    "text",
    [
        'options = ["net"]\nname = "Other"\nunder = "/elsewhere"',
        'class = "NetQemu"\nlists = ["colour"]',
        'class = "Nothing"\nlists = ["a"]',
        'class = "NetQemu"\nbare = false',
    ],
)
def test_corrections_of_options_that_change_nothing_are_errors(tmp_path: Path, text: str) -> None:
    (tmp_path / "options.toml").write_text(f'[[entry]]\n{text}\nreason = "r"\n')
    operations = merged([option_entry({"a": {"type": "string", "optional": 1}})])
    with pytest.raises(corrections.CorrectionError):
        options.gather(operations, {}, tmp_path)


def test_parameters_of_some_versions_only_are_dated() -> None:
    def version(*names: str) -> list[Facts]:
        properties = {name: {"type": "string", "optional": 1} for name in names}
        return [entry(parameters={"properties": properties})]

    operations = merged(version("old", "always"), version("always", "new[n]"))
    (operation,) = operations.values()
    assert emit_operations.dated(operation, ["1", "2"]) == [
        '("new", "2", None)',
        '("old", "1", "1")',
    ]
