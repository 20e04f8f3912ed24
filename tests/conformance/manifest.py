"""The requirement manifest: what the simulator has to do, where that is known from, who tests it.

`requirements/*.yaml` list behaviours by id, each with its sources; tests name ids with
`@pytest.mark.requirement("id", …)`. `facts.yaml` lists the sections of the two fact sheets with
their numbers of points, `left_out.yaml` the points that no test can show, with reasons.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RECORDINGS = ROOT / "tests" / "data" / "recordings"
SHEETS = ("PVE_FACTS", "PVE_CLUSTER_FACTS")
# Tests in these files have to name what they show; others may.
OBLIGED = ("packages/proxmox-client/tests/test_sim_*.py", "tests/conformance/test_*.py")
WELCOME = ("packages/*/tests/test_*.py", "tests/*/test_*.py")
_FACT = re.compile(r"(PVE_FACTS|PVE_CLUSTER_FACTS)/([^/]+)/(\d+)")
_LINE = re.compile(r"((?:cluster/)?[a-z_]+\.jsonl):(\d+)")


@attrs.frozen
class Requirement:
    """One behaviour.

    Attributes:
        id: Its name, such as `tasks.upid-form`.
        says: What holds, in a sentence.
        sources: Where that is known from: `PVE_FACTS/Section/point`, `file.jsonl:line`, or
            `issue` for what was asked for and no server shows.
    """

    id: str
    says: str
    sources: tuple[str, ...]


@attrs.frozen
class NamingTest:
    """A test function and the requirements it names.

    Attributes:
        where: File and name, such as `tests/conformance/test_replay.py::test_x`.
        names: Ids.
        obliged: Whether it has to name one.
    """

    where: str
    names: tuple[str, ...]
    obliged: bool


@functools.cache
def requirements() -> dict[str, Requirement]:
    """Read all requirements by id.

    Raises:
        ValueError: An id is there twice.
    """
    found: dict[str, Requirement] = {}
    for path in sorted((HERE / "requirements").glob("*.yaml")):
        for name, entry in _read(path).items():
            if name in found:
                raise ValueError(f"{path.name}: {name} is there twice")
            source = entry["source"]
            sources = (source,) if isinstance(source, str) else tuple(source)
            found[name] = Requirement(name, entry["says"], sources)
    return found


@functools.cache
def points() -> frozenset[str]:
    """Return every point of the fact sheets: `PVE_FACTS/Section/1`."""
    return frozenset(
        f"{sheet}/{section}/{number}"
        for sheet, sections in _read(HERE / "facts.yaml").items()
        for section, count in sections.items()
        for number in range(1, count + 1)
    )


@functools.cache
def left_out() -> dict[str, str]:
    """Return the points no test can show, with the reason."""
    return {str(name): str(reason) for name, reason in _read(HERE / "left_out.yaml").items()}


@functools.cache
def naming_tests() -> tuple[NamingTest, ...]:
    """Find all test functions that have to name requirements, and the others that do."""
    obliged = {path for pattern in OBLIGED for path in ROOT.glob(pattern)}
    welcome = {path for pattern in WELCOME for path in ROOT.glob(pattern)}
    found: list[NamingTest] = []
    for path in sorted(obliged | welcome):
        tests = list(_tests_of(path, must=path in obliged))
        found += [test for test in tests if test.obliged or test.names]
    return tuple(found)


def is_known(source: str) -> bool:
    """Whether a source exists: a point of a sheet, a line of a recording, or the issue."""
    if source == "issue":
        return True
    if _FACT.fullmatch(source):
        return source in points()
    line = _LINE.fullmatch(source)
    return line is not None and 1 <= int(line[2]) <= _lines(line[1])


@functools.cache
def _lines(name: str) -> int:
    path = RECORDINGS / name
    if not path.exists():
        return 0
    with path.open(encoding="utf-8") as stream:
        return sum(1 for _ in stream)


def _tests_of(path: Path, *, must: bool) -> Iterator[NamingTest]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    place = path.relative_to(ROOT)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("test_"):
                names = tuple(name for part in node.decorator_list for name in _named(part))
                yield NamingTest(f"{place}::{node.name}", names, must)
        elif isinstance(node, ast.ClassDef) and (names := _named_by_class(node)):
            yield NamingTest(f"{place}::{node.name}", names, must)


def _named_by_class(node: ast.ClassDef) -> tuple[str, ...]:
    """Names on the rules' machine of a property test, whose test functions are made for it."""
    return tuple(name for part in node.decorator_list for name in _named(part))


def _named(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if (
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and part.func.attr == "requirement"
        ):
            yield from (
                argument.value
                for argument in part.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return document
