"""`python -m proxmox_client`: what it calls, shows and says to the shell."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxmox_client.pvesh import main
from proxmox_client.pvesh.showing import as_table
from proxmox_client.testing import SimulatedCluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SimulatedCluster]:
    made = SimulatedCluster(nodes=("pve1", "pve2"))
    made.add_vm("pve1", 100, {"name": "web", "memory": "512"})
    for name in [name for name in os.environ if name.startswith("PMPC_")]:
        monkeypatch.delenv(name)
    with made.serve() as server:
        monkeypatch.setenv("PMPC_CONFIG", str(tmp_path / "config.yaml"))
        monkeypatch.setenv("PMPC_URL", server.url)
        monkeypatch.setenv("PMPC_TOKEN", made.create_token("root@pam", "shell"))
        monkeypatch.setenv("PMPC_FINGERPRINT", str(server.fingerprint))
        yield made


def test_json_in_a_pipe(cluster: SimulatedCluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["GET", "/nodes"]) == 0
    nodes = json.loads(capsys.readouterr().out)
    assert sorted(row["node"] for row in nodes) == ["pve1", "pve2"]


def test_a_table_for_people(cluster: SimulatedCluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", "cluster/resources", "type=vm", "-o", "table"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:6] == ["vmid", "node", "id", "name", "type", "status"]
    assert row.split()[:6] == ["100", "pve1", "qemu/100", "web", "qemu", "stopped"]
    assert main(["get", "/nodes/pve1/qemu/100/config", "-o", "table"]) == 0
    assert "memory   512" in capsys.readouterr().out


def test_parameters_are_sent(
    cluster: SimulatedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text").write_text("from a file\n", encoding="utf-8")
    path = "/nodes/pve1/qemu/100/config"
    assert main(["PUT", path, f"description=@{tmp_path}/text", "tags=a", "name=a-b"]) == 0
    assert cluster.guests[100].config["description"] == "from a file"
    monkeypatch.setattr(sys, "stdin", io.StringIO("from stdin=1\n"))
    assert main(["set", path, "description=@-"]) == 0
    assert cluster.guests[100].config["description"] == "from stdin=1"
    assert main(["set", path, "description=@@home"]) == 0
    assert cluster.guests[100].config["description"] == "@home"
    assert main(["set", path, "delete=tags"]) == 0
    assert "tags" not in cluster.guests[100].config


def test_a_task_is_waited_for(
    cluster: SimulatedCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    start = ["POST", "/nodes/pve1/qemu/100/status/start", "--wait"]
    assert main(start) == 0
    said = capsys.readouterr()
    assert json.loads(said.out).startswith("UPID:pve1:")
    assert "TASK OK" in said.err
    assert main(start) == 1
    assert "VM 100 already running" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["GET", "/nodes/pve1/qemu/999/config"], 1, "does not exist"),
        (["GET", "/nowhere"], 1, "not implemented"),
        (["PUT", "/nodes/pve1/qemu/100/config", "novalue"], 2, "a parameter is KEY=VALUE"),
        (["GET", "/nodes?x=1"], 2, "use params"),
        (["PUT", "/nodes/pve1/qemu/100/config", "name=@/no/such"], 2, "cannot read /no/such"),
        (["GET", "/nodes", "--context", "x"], 2, "no context 'x'"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_an_exit_code(
    cluster: SimulatedCluster,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    assert main(arguments) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert words in said.err
    assert "Traceback" not in said.err


def test_not_allowed_and_no_connection(
    cluster: SimulatedCluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMPC_TOKEN", "root@pam!shell=wrong-secret")
    assert main(["GET", "/nodes"]) == 3
    monkeypatch.setenv("PMPC_FINGERPRINT", ":".join(["AB"] * 32))
    assert main(["GET", "/nodes"]) == 4
    assert "wrong-secret" not in capsys.readouterr().err
    monkeypatch.delenv("PMPC_URL")
    assert main(["GET", "/nodes"]) == 2
    assert "Set PMPC_URL" in capsys.readouterr().err


def test_help_and_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code in ((["--help"], 0), (["PATCH", "/x"], 2), (["GET"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == code
    said = capsys.readouterr()
    assert "exit codes" in said.out
    assert "PMPC_TOKEN" in said.out


def test_odd_answers_have_a_table_too() -> None:
    assert as_table(None) == ""
    assert as_table("text") == "text"
    assert as_table([1, "b"]) == "1\nb"
    assert as_table([]) == ""
    assert as_table([{"a": [1], "b": "x\ny" * 50}, {"c": None}]).count("\n") == 2


def test_as_a_process_and_into_a_pipe_that_closes(cluster: SimulatedCluster) -> None:
    command = f"{sys.executable} -W error -m proxmox_client GET /version"
    done = subprocess.run(
        ["sh", "-c", f"{command} && {command} | true"], capture_output=True, text=True, timeout=30
    )
    assert json.loads(done.stdout)["release"] == "9.2"
    assert done.stderr == ""


def test_the_package_is_imported_without_it() -> None:
    script = (
        "import sys, proxmox_client; proxmox_client.Client; "
        "wrong = {'argparse', 'proxmox_client.pvesh', 'proxmox_client.credentials', 'yaml', "
        "'platformdirs', 'keyring', 'opentelemetry'} & set(sys.modules); assert not wrong, wrong"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
