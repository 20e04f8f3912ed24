"""Put the stages together: from pinned facts to the contents of all generated files."""

from __future__ import annotations

import json
from pathlib import Path

from tools.apigen import corrections, emit_facts, facts, merge
from tools.apigen.merge import Key, Merged
from tools.apigen.output import PACKAGE, Files


def operations(root: Path) -> tuple[list[str], dict[Key, Merged]]:
    """Read, merge and correct the facts; return the versions and their operations."""
    versions = facts.read_versions(root / "schema")
    corrections.rename_paths(versions, corrections.load("paths"))
    merged = merge.merge(versions)
    corrections.apply(merged)
    return list(versions), merged


def files(root: Path) -> Files:
    """Render every generated file: path below the root to its content."""
    versions, merged = operations(root)
    pins = json.dumps(facts.pins(root / "schema"), indent=2) + "\n"
    document = emit_facts.document(versions, merged, {})
    return {
        "schema/PINNED.json": pins.encode(),
        f"{PACKAGE}/schema/facts.json.xz": emit_facts.pack(document),
    }
