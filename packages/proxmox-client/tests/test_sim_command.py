"""The simulator's command: where a cluster comes from, and where it goes to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from proxmox_client import Client, Pin
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.__main__ import main

RECORDINGS = Path(__file__).parents[3] / "tests" / "data" / "recordings"


class Running:
    """The command at work: its nodes' addresses, fingerprint and token."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: dict[str, str] = {}
        assert process.stdout is not None
        while "token" not in self.said:
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            word, _, rest = line.partition(" ")
            self.said[word] = rest.strip()

    @property
    def nodes(self) -> list[str]:
        return [name for name in self.said if name not in ("fingerprint", "token")]

    def client(self) -> Client:
        url = self.said[self.nodes[0]]
        return Client(url, token=self.said["token"], tls=Pin(self.said["fingerprint"]))


def start(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "proxmox_client.testing", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )


def end(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    return said


@pytest.mark.requirement("command.sources")
def test_a_generated_cluster_is_saved_at_the_end_and_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    with start("--nodes", "2", "--generate", "30", "--seed", "5", "--save", str(path)) as process:
        running = Running(process)
        assert running.nodes == ["pve1", "pve2"]
        with running.client() as pve:
            pve.request("POST", "/pools", {"poolid": "mine"})
            vmid = pve.request("GET", "/nodes/pve1/qemu")[0]["vmid"]
            # Still at work when the interrupt comes: the save waits for it.
            pve.request("POST", f"/nodes/pve1/qemu/{vmid}/clone", {"newid": 900, "full": 1})
        end(process)
    saved = SimulatedCluster.load(path)
    assert len(saved.guests) == 31
    with start("--load", str(path)) as process:
        running = Running(process)
        with running.client() as pve:
            assert "mine" in [row["poolid"] for row in pve.request("GET", "/pools")]
            assert len(pve.request("GET", "/cluster/resources", {"type": "vm"})) == 31
        end(process)


@pytest.mark.requirement("command.sources")
def test_recordings_and_live_clusters_are_served(tmp_path: Path) -> None:
    with start("--recordings", str(RECORDINGS / "cluster" / "proxied.jsonl")) as process:
        running = Running(process)
        assert running.nodes == ["pve1", "pve2", "pve3"]
        with running.client() as pve:
            assert pve.request("GET", "/nodes/pve1/qemu/100/config")
        environ = {
            "PMPC_URL": running.said["pve1"],
            "PMPC_TOKEN": running.said["token"],
            "PMPC_FINGERPRINT": running.said["fingerprint"],
            "PMPC_CONFIG": str(tmp_path / "none.yaml"),
        }
        with start("--copy", **environ) as copying:
            copied = Running(copying)
            with copied.client() as pve:
                assert pve.request("GET", "/nodes/pve1/qemu/100/config")
            end(copying)
        dump = tmp_path / "dump.yaml"
        with start("--copy", "--save", str(dump), "--no-serve", **environ) as copying:
            assert copying.wait(timeout=20) == 0
        assert 100 in SimulatedCluster.load(dump).guests
        wrong = {**environ, "PMPC_TOKEN": "root@pam!demo=00000000-0000-0000-0000-000000000000"}
        with start("--copy", **wrong) as copying:
            _, said = copying.communicate(timeout=20)
        assert (copying.returncode, "cannot copy the cluster" in said) == (1, True)
        end(process)


@pytest.mark.requirement("command.help")
def test_help_shows_examples_and_mistakes_are_one_line(tmp_path: Path) -> None:
    with start("--help") as process:
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    for word in ("--load", "--save", "--generate", "--copy", "--recordings", "--speed", "examples"):
        assert word in said
    (tmp_path / "x.yaml").write_text("a: 1\n")
    for arguments in (["--load", "/nowhere"], ["--load", str(tmp_path / "x.yaml")]):
        with start(*arguments) as process:
            _, said = process.communicate(timeout=20)
        assert (process.returncode, len(said.splitlines())) == (1, 1)


@pytest.mark.requirement("command.help")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--nodes", "3", "--load", "x.yaml"], "--nodes: only for a new cluster"),
        (["--seed", "1", "--copy"], "--seed: only for a new cluster"),
        (["--port", "65534"], "ports are 0 (any) to 65535, one for each node"),
        (["--port", "-1"], "ports are 0"),
        (["--speed", "0"], "--speed 0: time has to pass"),
        (["--save", "/nowhere/x.yaml"], "--save /nowhere/x.yaml: there is no such folder"),
    ],
)
def test_options_that_contradict_each_other_are_refused_at_once(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert says in capsys.readouterr().err


@pytest.mark.requirement("command.help")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--nodes", "0"], "a cluster has nodes"),
        (["--generate", "-5"], "a cluster cannot have -5 guests"),
        (["--host", "192.0.2.1"], "192.0.2.1"),
    ],
)
def test_clusters_that_cannot_be_are_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1


@pytest.mark.requirement("command.help")
def test_a_port_that_is_taken_leaves_nothing_open() -> None:
    cluster = SimulatedCluster()
    with cluster.serve() as running:
        taken = urlsplit(running.url).port or 0
        server = cluster.serve(port=taken)
        with pytest.raises(OSError, match=str(taken)):
            server.start()
        assert not server.ca_file.exists()
