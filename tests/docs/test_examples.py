"""The documentation is true: examples run, commands exist, links lead somewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, blocks, documents, links


def python_documents() -> list[Path]:
    return [path for path in documents() if any(b.language == "python" for b in blocks(path))]


@pytest.mark.parametrize("path", python_documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_python_examples_of_a_document_run_one_after_the_other(path: Path, tmp_path: Path) -> None:
    source: list[str] = []
    for block in blocks(path):
        if block.language == "python" and block.runs:
            source += [f"# {block.where}", block.text, ""]
    script = tmp_path / "examples.py"
    script.write_text("\n".join(source), encoding="utf-8")
    environment = {**os.environ, "HOME": str(tmp_path), "PMPC_CONFIG": str(tmp_path / "pmpc.yaml")}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(path: Path) -> None:
    missing = [target for target in links(path) if not (path.parent / target).exists()]
    assert missing == []
