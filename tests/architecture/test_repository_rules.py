"""Rules of the repository that no other tool checks."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYPROJECTS = sorted(ROOT.glob("packages/*/pyproject.toml"))
OURS = {
    "pmpc-proxmox-client",
    "pmpc-state",
    "pmpc-reconcile",
    "pmpc-cli",
    "pmpc-web",
    "pmpc-mcp",
}
STRANGERS = {"proxmox-client", "pmpc"}


def tracked_files() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    names = done.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def project(path: Path) -> dict[str, Any]:
    return dict(tomllib.loads(path.read_text(encoding="utf-8"))["project"])


def requirement_name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found.group().lower().replace("_", "-").replace(".", "-")


def requirements(path: Path) -> set[str]:
    data = project(path)
    optional: dict[str, list[str]] = data.get("optional-dependencies", {})
    lines = [
        *data.get("dependencies", []),
        *(line for group in optional.values() for line in group),
    ]
    return {requirement_name(line) for line in lines}


def imported_roots(path: Path) -> set[str]:
    roots: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            roots.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            roots.add(node.module.split(".")[0])
    return roots


def test_six_packages_carry_our_prefix() -> None:
    assert {project(path)["name"] for path in PYPROJECTS} == OURS


@pytest.mark.parametrize("path", PYPROJECTS, ids=lambda path: path.parent.name)
def test_no_package_requires_the_names_of_strangers(path: Path) -> None:
    assert not requirements(path) & STRANGERS


@pytest.mark.parametrize("path", PYPROJECTS, ids=lambda path: path.parent.name)
def test_packages_are_licensed_typed_and_documented(path: Path) -> None:
    data = project(path)
    assert data["license"] == "MIT"
    assert path.read_text(encoding="utf-8").startswith("# SPDX-License-Identifier: MIT")
    folder = path.parent
    for name in ("LICENSE", "README.md", "CHANGELOG.md"):
        assert (folder / name).stat().st_size > 100, f"{name} of {folder.name} says nothing"
    assert list(folder.glob("src/*/py.typed"))


@pytest.mark.parametrize("path", PYPROJECTS, ids=lambda path: path.parent.name)
def test_packages_of_ours_are_required_by_version_range(path: Path) -> None:
    for line in project(path).get("dependencies", []):
        if requirement_name(line) in OURS:
            assert re.search(r">=\d+\.\d+.*,<\d+\.\d+", line), line


def test_every_dependency_has_a_line_in_the_decision_on_dependencies() -> None:
    text = (ROOT / "docs/adr/0003-dependencies.md").read_text(encoding="utf-8")
    explained = {name.lower() for name in re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)}
    root = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups: dict[str, list[str]] = root["dependency-groups"]
    needed = {requirement_name(line) for group in groups.values() for line in group}
    for path in PYPROJECTS:
        needed |= requirements(path) - OURS
    assert needed - explained == set(), "explain these in docs/adr/0003-dependencies.md"
    assert explained - needed == set(), (
        "docs/adr/0003-dependencies.md explains what nobody requires"
    )


def test_no_tracked_file_names_a_registry() -> None:
    # Written in two halves, or this file would be the first to break the rule.
    hosts = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "deb." + "debian.org"]
    found: list[str] = []
    for path in tracked_files():
        data = path.read_bytes()
        found += [f"{path.relative_to(ROOT)}: {host}" for host in hosts if host.encode() in data]
    assert found == []


def test_lock_files_are_not_tracked() -> None:
    names = {path.name for path in tracked_files()}
    assert not names & {"uv.lock", "pylock.toml", "poetry.lock"}


def test_shipped_code_never_imports_the_double_under_another_licence() -> None:
    guilty = [
        str(path.relative_to(ROOT))
        for path in ROOT.glob("packages/*/src/**/*.py")
        if "fakepve" in imported_roots(path)
    ]
    assert guilty == []


def test_only_the_transport_and_the_simulator_import_an_http_library() -> None:
    allowed = ("proxmox_client/transport/", "proxmox_client/testing/")
    guilty = [
        str(path.relative_to(ROOT))
        for path in ROOT.glob("packages/*/src/**/*.py")
        if imported_roots(path) & {"httpx", "aiohttp", "httpx_aiohttp", "requests"}
        and not any(part in path.as_posix() for part in allowed)
        and not _imports_http_for_types_only(path)
    ]
    assert guilty == []


def _imports_http_for_types_only(path: Path) -> bool:
    """Tell whether every import of an HTTP library stands below `if TYPE_CHECKING`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import):
                names = {alias.name.split(".")[0] for alias in inner.names}
            elif isinstance(inner, ast.ImportFrom) and inner.module:
                names = {inner.module.split(".")[0]}
            else:
                continue
            if names & {"httpx", "aiohttp", "httpx_aiohttp", "requests"}:
                return False
    return True


def test_tests_do_not_read_the_workplace_folder() -> None:
    marker = "/".join(["", "work", "shared"])
    relative = "/".join(["..", "shared"])
    guilty = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if path.suffix == ".py"
        and any(word in path.read_text(encoding="utf-8") for word in (marker, relative))
    ]
    assert guilty == []


VAGUE = {"utils", "util", "helpers", "common", "misc", "manager", "core", "base2", "stuff"}


def test_modules_have_names_that_say_something() -> None:
    guilty = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if path.suffix == ".py" and (path.stem in VAGUE or path.parent.name in VAGUE)
    ]
    assert guilty == []


def test_hand_written_modules_hold_one_idea() -> None:
    """Four hundred lines are the alarm; three hundred the habit."""
    guilty: list[str] = []
    for path in tracked_files():
        if path.suffix != ".py" or "/proxmox_client/api/" in path.as_posix():
            continue
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > 400:
            guilty.append(f"{path.relative_to(ROOT)}: {lines}")
    assert guilty == []
