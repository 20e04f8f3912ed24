"""The generator: its stages, and that what is committed is what it makes."""

from __future__ import annotations

import copy
import json
import lzma
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tools.apigen import __main__ as program
from tools.apigen import (
    corrections,
    diff,
    facts,
    generate,
    merge,
    naming,
    options,
    shapes,
    signature,
    text,
)
from tools.apigen.output import OWNED, PACKAGE, compare, write

ROOT = Path(__file__).parents[3]
Facts = dict[str, Any]


def entry(path: str = "/a/{node}", method: str = "GET", **more: Any) -> Facts:
    given: Facts = {"path": path, "method": method, "returns": {"type": "null"}, **more}
    return facts.tidy(given)


def merged(*versions: list[Facts]) -> dict[merge.Key, merge.Merged]:
    return merge.merge({str(number): entries for number, entries in enumerate(versions)})


def test_placeholders_are_parameters_even_if_not_declared() -> None:
    assert entry()["parameters"] == {"node": {"type": "string"}}


def test_bounds_and_defaults_are_brought_into_one_form() -> None:
    tidied = entry(
        parameters={"properties": {"n": {"type": "integer", "min": 1, "max": 9, "default": "4"}}}
    )
    assert tidied["parameters"]["n"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 9,
        "default": 4,
    }


def test_alternatives_of_a_parameter_set_become_typed_parameters() -> None:
    choice = {
        "allOf": [
            {"properties": {"id": {"type": "string"}}},
            {
                "type-property": "type",
                "type-property-schema": {"type": "string", "enum": ["x", "y"]},
                "oneOf": [
                    {
                        "instance-type": "x",
                        "properties": {"a": {"type": "string"}, "c": {"type": "string"}},
                    },
                    {"instance-type": "y", "properties": {"c": {"type": "string"}}},
                ],
            },
        ]
    }
    tidied = entry(path="/a", parameters=choice)
    assert set(tidied["parameters"]) == {"id", "type", "a", "c"}
    assert tidied["parameters"]["a"]["instance-types"] == ["x"]
    assert tidied["parameters"]["c"] == {"type": "string"}
    assert tidied["additional"] is False


def test_merging_knows_since_and_until_of_operations_and_parameters() -> None:
    old = entry(parameters={"properties": {"gone": {"type": "string"}}})
    new = entry(parameters={"properties": {"new": {"type": "string"}}})
    operations = merged([old], [old, entry(path="/b")], [new, entry(path="/b")])
    first, second = operations["/a/{node}", "GET"], operations["/b", "GET"]
    assert (first.first, first.last) == (0, 2)
    assert (second.first, second.last) == (1, 2)
    assert [(s.first, s.last) for s in first.parameters["gone"]] == [(0, 1)]
    assert [(s.first, s.last) for s in first.parameters["new"]] == [(2, 2)]


def test_a_change_of_a_parameter_starts_a_new_span() -> None:
    before = entry(path="/a", parameters={"properties": {"p": {"type": "integer"}}})
    after = entry(path="/a", parameters={"properties": {"p": {"type": "string"}}})
    (operation,) = merged([before], [after]).values()
    assert [(s.first, s.last, s.facts["type"]) for s in operation.parameters["p"]] == [
        (0, 0, "integer"),
        (1, 1, "string"),
    ]


def test_an_operation_that_vanishes_and_returns_is_refused() -> None:
    with pytest.raises(ValueError, match="missing in a version between"):
        merged([entry()], [], [entry()])


def test_merged_answers_keep_fields_of_older_versions() -> None:
    old = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    new = {"type": "object", "properties": {"b": {"type": "string"}}}
    assert merge.join_shapes(old, new)["properties"] == {
        "a": {"type": "string", "optional": 1},
        "b": {"type": "string"},
    }


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nodes", "nodes.get"),
        ("GET", "/nodes/{node}/qemu", "nodes.qemu.get"),
        ("GET", "/nodes/{node}/qemu/{vmid}", "nodes.qemu.vmid.get"),
        ("PUT", "/nodes/{node}/qemu/{vmid}/config", "nodes.qemu.config.put"),
    ],
)
def test_operations_are_named_after_their_path(method: str, path: str, expected: str) -> None:
    assert naming.operation_id(method, path) == expected


def test_the_longest_prefix_decides_the_area() -> None:
    assert naming.area("/nodes/{node}/qemu/{vmid}/firewall/rules") == "nodes_qemu"
    assert naming.area("/nodes/{node}/time") == "nodes"


@pytest.mark.parametrize(
    ("wire", "python"),
    [("import-from", "import_from"), ("net[n]", "net"), ("lambda", "lambda_"), ("9p", "n9p")],
)
def test_wire_names_become_python_names(wire: str, python: str) -> None:
    assert naming.attribute(wire) == python


def test_a_family_gives_way_to_a_plain_field() -> None:
    assert naming.unique(["numa[n]", "numa"]) == {"numa[n]": "numa_n", "numa": "numa"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "boolean"}, "bool"),
        ({"type": "string", "enum": ["a", "b"]}, 'Literal["a", "b"]'),
        ({"type": "string", "format": "pve-node-list"}, "str | Sequence[str]"),
        ({"type": "string", "format": {"k": {}}}, "str | Mapping[str, object] | o.Opt"),
        ({"type": "string", "format": "named"}, "str | Mapping[str, object] | o.Opt"),
        ({"type": "array", "items": {"type": "integer"}}, "Sequence[int]"),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, "str | int"),
    ],
)
def test_parameters_are_typed(given: Facts, expected: str) -> None:
    catalogue = options.Catalogue({"named": {}}, [{"options": ["opt"], "name": "Opt"}])
    assert signature.type_of(given, partial(catalogue.find, "/x", "opt[n]")) == expected


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        (None, "root@pam only"),
        ({"user": "all"}, "any user"),
        ({"check": ["perm", "/vms/{vmid}", ["VM.Audit"]]}, "VM.Audit on /vms/{vmid}"),
        ({"check": ["perm", "/", ["A", "B"], "any", 1]}, "A or B on /"),
        (
            {"check": ["or", ["perm", "/", ["A"]], ["perm", "/x", ["B"]]]},
            "(A on /) or (B on /x)",
        ),
    ],
)
def test_privileges_are_said_in_words(permissions: Facts | None, expected: str) -> None:
    assert text.privileges(permissions) == expected


@pytest.fixture
def operation() -> dict[merge.Key, merge.Merged]:
    return merged([entry(path="/a", method="POST", returns={"type": "object"})])


def correct(
    folder: Path, name: str, content: str, operations: dict[merge.Key, merge.Merged]
) -> None:
    (folder / f"{name}.toml").write_text(content)
    corrections.apply(operations, folder)


def test_corrections_change_operations(
    tmp_path: Path, operation: dict[merge.Key, merge.Merged]
) -> None:
    correct(tmp_path, "tasks", '[[entry]]\nids = ["a.post"]\nreason = "seen"\n', operation)
    assert operation["/a", "POST"].starts_task


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tasks", '[[entry]]\nids = ["a.post"]\n', "gives no reason"),
        ("tasks", '[[entry]]\nids = ["b.post"]\nreason = "r"\n', "no operation b.post"),
        (
            "safety",
            '[[entry]]\nids = ["a.post"]\nsafety = "unsafe"\nreason = "r"\n',
            "without the correction",
        ),
        (
            "returns",
            '[[entry]]\nids = ["a.post"]\nshape = { type = "object" }\nreason = "r"\n',
            "without the correction",
        ),
        (
            "parameters",
            '[[entry]]\nids = ["a.post"]\nparameter = "x"\nfacts = {}\nreason = "r"\n',
            "nothing changes for x",
        ),
    ],
)
def test_corrections_that_change_nothing_or_give_no_reason_are_errors(
    tmp_path: Path,
    operation: dict[merge.Key, merge.Merged],
    name: str,
    content: str,
    message: str,
) -> None:
    with pytest.raises(corrections.CorrectionError, match=message):
        correct(tmp_path, name, content, operation)


def test_a_format_nobody_uses_is_an_error(
    tmp_path: Path, operation: dict[merge.Key, merge.Merged]
) -> None:
    (tmp_path / "formats.toml").write_text('[[entry]]\nformat = "f"\nkeys = {}\nreason = "r"\n')
    with pytest.raises(corrections.CorrectionError, match="no parameter has the format f"):
        corrections.formats(operation, tmp_path)


def test_a_renamed_path_that_no_version_has_is_an_error() -> None:
    with pytest.raises(corrections.CorrectionError, match="no version has /x"):
        corrections.rename_paths({"1": [entry()]}, [{"path": "/x/{a}", "to": "/x/{b}"}])


def test_shapes_are_corrected_deep_inside() -> None:
    shape: Facts = {"type": "object", "properties": {"list": {"type": "array", "items": {}}}}
    before = copy.deepcopy(shape)
    fields = {"a": "integer"}
    changed = shapes.correct(shape, {"at": ["list", "[]"], "fields": fields}, {})
    assert changed["properties"]["list"]["items"] == {
        "type": "object",
        "properties": {"a": {"type": "integer", "optional": 1}},
    }
    assert shape == before


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with the pinned facts and everything generated from them."""
    shutil.copytree(ROOT / "schema", tmp_path / "schema")
    (tmp_path / PACKAGE / "schema").mkdir(parents=True)
    shutil.copy(ROOT / PACKAGE / "schema/facts.json.xz", tmp_path / PACKAGE / "schema")
    shutil.copytree(
        ROOT / OWNED[0], tmp_path / OWNED[0], ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    return generate.files(ROOT)


def test_what_is_committed_is_what_the_generator_makes(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--check"]) == 0, capsys.readouterr().out


def test_check_names_touched_added_and_removed_files(tree: Path, files: dict[str, bytes]) -> None:
    api = tree / OWNED[0]
    (api / "sync/nodes.py").write_text("touched")
    (api / "sync/added.py").write_text("added")
    (api / "aio/nodes.py").unlink()
    assert compare(tree, files) == [
        f"not generated: {OWNED[0]}/sync/added.py",
        f"missing: {OWNED[0]}/aio/nodes.py",
        f"differs: {OWNED[0]}/sync/nodes.py",
    ]
    assert write(tree, files) == 3
    assert compare(tree, files) == []


def test_check_fails_when_the_pinned_facts_change(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tree / "schema/pve-9.2.json.xz"
    content = json.loads(lzma.decompress(path.read_bytes()))
    path.chmod(0o644)
    path.write_bytes(lzma.compress(json.dumps(content[1:]).encode()))
    assert program.main(["--check", "--root", str(tree)]) == 1
    assert "differs: schema/PINNED.json" in capsys.readouterr().out


def test_two_versions_are_compared() -> None:
    old = [
        entry("/a", parameters={"properties": {"p": {"type": "integer", "maximum": 3}}}),
        entry("/gone"),
    ]
    new = [
        entry(
            "/a",
            permissions={"user": "all"},
            parameters={
                "properties": {"p": {"type": "integer", "maximum": 9}, "q": {"type": "string"}}
            },
        ),
        entry("/new", method="POST"),
    ]
    assert diff.report({"1": old, "2": new}, "1", "2") == [
        "# PVE 1 to 2: 2 to 2 operations",
        *("", "## Added (1)", "", "- POST /new"),
        *("", "## Removed (1)", "", "- GET /gone"),
        *("", "## Changed (1)", "", "- GET /a"),
        "    - privileges: root@pam only; now any user",
        "    - p maximum: 3; now 9",
        "    - new: q (string, required)",
    ]
    with pytest.raises(ValueError, match="no facts for PVE 3; pinned: 1, 2"):
        diff.report({"1": old, "2": new}, "3", "2")


def test_a_comparison_names_words_and_keys_and_groups_what_changed_alike() -> None:
    def versions(words: list[str], **keys: Facts) -> list[Facts]:
        given = {"w": {"type": "string", "enum": words}, "s": {"type": "string", "format": keys}}
        return [entry(path, parameters={"properties": given}) for path in ("/a", "/b")]

    many = [f"word{number}" for number in range(20)]
    old = versions(["x", "gone"], size={"type": "string", "optional": 1})
    new = versions(["x", *many], size={"type": "string", "optional": 1}, ro={"type": "boolean"})
    assert diff.report({"1": old, "2": new}, "1", "2")[1:] == [
        *("", "## Changed (2)", "", "- GET /a", "- GET /b"),
        "    - new: s.ro (boolean, required)",
        f"    - w enum: new {', '.join(many[:12])} and 8 more; gone gone",
    ]


@pytest.mark.parametrize(("old", "new"), [("7.4", "8.0"), ("8.4", "9.0"), ("9.1", "9.2")])
def test_a_comparison_of_real_versions_can_be_read(
    old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["--diff", old, new]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) < 400
    assert not [line for line in lines if "{'" in line or "['" in line]


def test_pinned_versions_can_be_compared_from_the_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert program.main(["--diff", "8.4", "9.0"]) == 0
    shown = capsys.readouterr().out
    assert "# PVE 8.4 to 9.0: 605 to 628 operations" in shown
    assert "- POST /cluster/ha/rules" in shown


def test_every_generated_module_says_so_at_its_top(files: dict[str, bytes]) -> None:
    modules = [name for name in files if name.endswith(".py")]
    assert len(modules) > 100
    assert not [n for n in modules if b"GENERATED by tools/apigen" not in files[n][:400]]
