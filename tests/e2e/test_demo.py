"""`pmpc demo` as a person and as a pipe see it, and the manifests it plays with."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmpc_cli.demo.scenes import observe
from pmpc_cli.demo.scenes.scene import Scene
from pmpc_cli.demo.story import tell_story
from pmpc_cli.present import terminal
from tests.e2e.cli_process import on_terminal, pmpc, succeed

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


@pytest.fixture
def _fresh_consoles() -> Iterator[None]:
    terminal.out.cache_clear()
    yield
    terminal.out.cache_clear()


@pytest.mark.usefixtures("_fresh_consoles")
async def test_the_command_that_names_its_cluster_works_as_printed(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = {**environ, "PMPC_CONFIG": str(tmp_path / "mine.yaml")}

    async def somebody_types_it(_: Scene) -> None:
        told = [line.strip() for line in capsys.readouterr().out.splitlines()]
        (command,) = (line[len("$ pmpc ") :] for line in told if line.startswith("$ pmpc "))
        (token,) = (line.split()[2] for line in told if line.startswith("API token: "))
        words = (*command.split(), "--yes")
        code, text = await asyncio.to_thread(
            on_terminal, elsewhere, *words, answer=f"{token}\n", asked="API token"
        )
        assert code == 0, text
        assert "context demo added (Proxmox VE 9." in text

    assert await tell_story(None, steps=(observe.connect, somebody_types_it))


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
