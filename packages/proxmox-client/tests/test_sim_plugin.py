"""The fixtures for pytest: found by themselves, and no burden to who does not use them."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from proxmox_client import AsyncClient, Client
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.server import SimulatorServer


@pytest.mark.requirement("plugin.fixtures")
def test_each_test_has_a_fresh_cluster_and_a_client_of_it(
    pve_cluster: SimulatedCluster, pve_client: Client
) -> None:
    pve_cluster.add_vm("pve1", 100, {"name": "web"})
    begun = pve_cluster.clock.now()
    assert pve_client.nodes("pve1").qemu(100).status.start().wait(timeout=60).ok
    assert pve_cluster.clock.now() > begun
    assert list(pve_cluster.nodes) == ["pve1", "pve2", "pve3"]


@pytest.mark.requirement("plugin.fixtures")
@pytest.mark.pve(nodes=("a", "b"), version="8.4")
async def test_a_marker_says_what_kind_of_cluster(
    pve_cluster: SimulatedCluster, pve_async_client: AsyncClient
) -> None:
    assert list(pve_cluster.nodes) == ["a", "b"]
    assert (await pve_async_client.version.get()).release == "8.4"


@pytest.mark.requirement("plugin.fixtures")
@pytest.mark.pve(nodes=("red", "blue"), guests=30, seed=4, speed=20.0)
def test_a_cluster_can_be_filled_and_served(
    pve_cluster: SimulatedCluster, pve_server: SimulatorServer, pve_token: str
) -> None:
    context = ssl.create_default_context(cafile=pve_server.ca_file)
    headers = {"authorization": f"PVEAPIToken={pve_token}"}
    with httpx.Client(verify=context, headers=headers) as client:
        answer = client.get(f"{pve_server.url}/api2/json/cluster/resources?type=vm")
    assert len(answer.json()["data"]) == len(pve_cluster.guests) == 30
    assert pve_cluster.clock.speed == 20
    assert list(pve_server.urls) == ["red", "blue"]


QUIET = """
import sys
def test_nothing_is_loaded():
    assert "proxmox_client.pytest_plugin" in sys.modules
    heavy = {"proxmox_client.testing", "proxmox_client.client", "httpx", "aiohttp", "attrs", "yaml"}
    assert not heavy & set(sys.modules)
"""
OWN = """
import pytest
@pytest.fixture
def pve_client():
    return "mine"
def test_an_own_fixture_wins(pve_client):
    assert pve_client == "mine"
@pytest.mark.pve(nodez=3)
def test_a_wrong_marker_is_named(pve_cluster):
    pass
"""


def run(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run a test file with this plugin alone: others' load what they like."""
    (folder / "test_users.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -W error\n")
    alone = ["-p", "proxmox_client.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *alone, "test_users.py"],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.requirement("plugin.light")
def test_who_does_not_use_the_fixtures_pays_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, QUIET)
    assert done.returncode == 0, done.stdout


@pytest.mark.requirement("plugin.light")
def test_own_fixtures_win_and_mistakes_in_the_marker_are_named(tmp_path: Path) -> None:
    done = run(tmp_path, OWN)
    assert "1 passed, 1 error" in done.stdout
    assert "the pve marker has no nodez" in done.stdout
