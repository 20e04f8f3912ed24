"""Every action of the catalogue, and in which front doors it appears, as the reference says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from pmpc_reconcile.actions import catalogue

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs/reference/actions.md"
FRONT_DOORS = {"command": "pmpc-cli", "web": "pmpc-web", "mcp": "pmpc-mcp"}


def called_actions(package: str) -> set[str]:
    """Return the actions whose names a package passes to a call."""
    found: set[str] = set()
    for path in (ROOT / "packages" / package / "src").rglob("*.py"):
        if "demo" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                values = (a.value for a in node.args if isinstance(a, ast.Constant))
                found |= {value for value in values if isinstance(value, str)} & set(catalogue())
    return found


def documented() -> dict[str, dict[str, str]]:
    """Return the reference's table: action to column to cell."""
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    header, _, *body = rows
    found = [dict(zip(header, row, strict=True)) for row in body]
    return {row["action"].strip("`"): row for row in found}


def test_the_reference_lists_every_action_with_its_risk() -> None:
    rows = documented()
    assert set(rows) == set(catalogue())
    risks = {name: row["risk"] for name, row in rows.items()}
    assert risks == {name: spec.risk.value for name, spec in catalogue().items()}


def test_the_reference_says_where_each_action_appears() -> None:
    for column, package in FRONT_DOORS.items():
        said = {name for name, row in documented().items() if row[column]}
        assert said == called_actions(package), column


def test_names_in_the_reference_are_real_ones() -> None:
    named = {
        name for row in documented().values() for name in re.findall(r"`([\w-]+)`", row["mcp"])
    }
    assert named == {"list", "get", "plan", "apply"}
