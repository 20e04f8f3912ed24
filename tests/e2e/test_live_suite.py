"""The live suite itself works: it passes on the simplest server there is, and says why it skips."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from proxmox_client.testing import SimulatedCluster
from tests.e2e.site import SPEED

ROOT = Path(__file__).parents[2]


def run_suite(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PMPC_")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", "tests/live"]
    return subprocess.run(
        command, cwd=ROOT, env={**clean, **environ}, capture_output=True, text=True, timeout=300
    )


def test_it_passes_on_one_node_with_one_directory_storage_and_cleans_up() -> None:
    cluster = SimulatedCluster(nodes=("solo",), storages=("local",), seed=3)
    token = cluster.create_token("root@pam", "live")
    with cluster.serve(speed=SPEED) as server:
        done = run_suite(
            {
                "PMPC_LIVE_URL": server.url,
                "PMPC_LIVE_TOKEN": token,
                "PMPC_LIVE_FINGERPRINT": str(server.fingerprint),
                "PMPC_LIVE_VMIDS": "90000-90003",
                "PMPC_LIVE_POOL": "pmpc-live",
            }
        )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
    assert not cluster.guests
    assert cluster.call("GET", "/pools") == []


def test_it_skips_with_the_reason_where_nothing_is_set() -> None:
    done = run_suite({})
    assert done.returncode == 0, done.stdout
    assert "PMPC_LIVE_URL" in done.stdout
    assert "passed" not in done.stdout
