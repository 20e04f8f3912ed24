"""`pmpc demo` as a person and as a pipe see it, and the manifests it plays with."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import IO

import pytest

from tests.e2e.cli_process import PMPC, on_terminal, pmpc, succeed

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PMPC_")}
    clean.pop("NO_COLOR", None)
    clean.pop("UV_RUN_RECURSION_DEPTH", None)
    return {**clean, "HOME": str(tmp_path), "TERM": "xterm-256color"}


def test_piped_it_is_plain_and_everything_holds(environ: dict[str, str], tmp_path: Path) -> None:
    began = time.monotonic()
    done = pmpc(environ, "demo")
    assert done.code == 0, f"{done.out}\n{done.err}"
    assert time.monotonic() - began < 30
    assert "\x1b" not in done.out + done.err
    assert "Everything held" in done.out
    assert "alice@pve" in done.out
    lines = done.out.splitlines()
    tail = lines[lines.index("Three commands to try next:") + 1 :]
    assert len(tail) == 3
    assert all(line.startswith("  pmpc ") for line in tail)
    assert not list(tmp_path.rglob("*.db")), "nothing is left behind"


def test_the_command_that_names_its_cluster_works_as_printed(
    environ: dict[str, str], tmp_path: Path
) -> None:
    elsewhere = {**environ, "PMPC_CONFIG": str(tmp_path / "mine.yaml")}
    with subprocess.Popen(
        [PMPC, "demo"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as demo:
        assert demo.stdout
        command = said(demo.stdout, "$ pmpc context add ")
        token = said(demo.stdout, "API token: ").partition(" ")[0]
        words = ("context", "add", *command.split(), "--yes")
        code, text = on_terminal(elsewhere, *words, answer=f"{token}\n", asked="API token")
        demo.terminate()
    assert code == 0, text
    assert "context demo added (Proxmox VE 9." in text


def said(lines: IO[str], start: str) -> str:
    """Return the rest of the first line that begins so."""
    return next(line.strip()[len(start) :] for line in lines if line.strip().startswith(start))


def test_on_a_terminal_it_is_colourful(environ: dict[str, str]) -> None:
    code, text = on_terminal(environ, "demo")
    assert code == 0, text
    assert "\x1b[" in text
    assert "Everything held" in text


def test_what_is_kept_can_be_looked_at_afterwards(environ: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    succeed(environ, "demo", "--keep", str(folder))
    kept = {**environ, "PMPC_CONFIG": str(folder / "config.yaml")}
    assert "before-shop" in succeed(kept, "snapshots", "-o", "name").out.split()
    assert "web-1" in succeed(kept, "get", "vm", "-o", "table").out
    assert len(succeed(kept, "history", "shop", "-o", "name").out.splitlines()) == 3
    again = pmpc(environ, "demo", "--keep", str(folder))
    assert again.code == 1
    assert "not empty" in again.err


def test_the_demo_plays_the_stack_in_examples() -> None:
    packaged = ROOT / "packages/pmpc-cli/src/pmpc_cli/demo/stack"
    examples = ROOT / "examples/shop"
    assert {path.name for path in examples.glob("*.yaml")} == {
        path.name for path in packaged.iterdir()
    }
    for path in examples.glob("*.yaml"):
        assert path.read_bytes() == (packaged / path.name).read_bytes(), path.name
