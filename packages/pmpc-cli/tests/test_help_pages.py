"""Help pages: prepared and rendered agree, every command explains itself, nothing is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pmpc_cli.__main__ import main
from pmpc_cli.app import COMMANDS
from pmpc_cli.prepared_help import PREPARED, render

PMPC = str(Path(sys.executable).with_name("pmpc"))


def test_the_prepared_text_is_what_the_application_renders() -> None:
    assert PREPARED.read_text(encoding="utf-8") == render(), (
        "help.txt is stale; run `python -m pmpc_cli.prepared_help`"
    )


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"], ["--help", "get"]])
def test_help_answers_with_the_prepared_text(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out == PREPARED.read_text(encoding="utf-8")


def test_help_loads_nothing_but_the_entry_module() -> None:
    code = (
        "import sys; before = set(sys.modules); from pmpc_cli.__main__ import main; "
        "main(['--help']); print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "__future__ pmpc_cli pmpc_cli.__main__"


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_every_command_has_a_summary_in_the_prepared_text(name: str) -> None:
    lines = PREPARED.read_text(encoding="utf-8").splitlines()
    summaries = [line.split(maxsplit=1)[1] for line in lines if line.split()[:1] == [name]]
    assert len(summaries) == 1
    assert summaries[0][0].isupper()


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS if name != "web"])
def test_every_command_explains_itself_and_the_exit_codes(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"Usage: pmpc {name}")
    assert "Exit codes:" in page
    assert max(len(line) for line in page.splitlines()) <= 100


def test_help_followed_by_a_command_is_that_commands_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["help", "rollback"]) == 0
    assert capsys.readouterr().out.startswith("Usage: pmpc rollback")


def test_loading_the_application_loads_no_command_and_no_engine() -> None:
    code = (
        "import sys; from pmpc_cli.app import build_app; build_app(['get']); "
        "print([m for m in sys.modules if m.startswith(('pmpc_cli.commands.', 'pmpc_reconcile', "
        "'pmpc_state', 'proxmox_client', 'sqlalchemy', 'httpx'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
