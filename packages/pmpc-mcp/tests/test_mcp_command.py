"""The command line of `pmpc-mcp`, and what the server says of itself before anybody connects."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pmpc_mcp.__main__ import main
from pmpc_mcp.access import NEEDS_A_PERSON, READ_ONLY, Access
from pmpc_mcp.server import build_server


@pytest.mark.parametrize(
    ("option", "shown"), [("--help", "--allow-write"), ("--version", "0."), ("--help", "--context")]
)
def test_the_command_explains_itself(
    option: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([option])
    assert ended.value.code == 0
    assert shown in capsys.readouterr().out


def test_help_does_not_wait_for_the_protocol_libraries() -> None:
    code = (
        "import sys; sys.argv = ['pmpc-mcp', '--help']\n"
        "from pmpc_mcp.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('mcp' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_server_writes_only_when_told_so() -> None:
    assert not Access().write


async def test_instructions_put_the_plan_first() -> None:
    server = build_server(Access())
    assert "`plan`" in (server.instructions or "")
    assert {tool.name for tool in await server.list_tools()} == {"list", "get", "plan", "apply"}


@pytest.mark.parametrize("text", [READ_ONLY, NEEDS_A_PERSON])
def test_refusals_name_the_command_a_person_runs(text: str) -> None:
    assert "pmpc apply --plan 4711" in text.format(plan_id="4711", reason="it deletes")
