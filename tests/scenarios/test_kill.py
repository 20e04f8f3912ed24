"""Pain: killed in the middle, a tool duplicates or orphans guests.

Real processes and a real `kill -9`; `test_crash_points` has every phase of every call.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPT = "tests.scenarios.dying_apply"
STACK = """
apiVersion: pmpc/v1
kind: Pool
metadata: {name: shop}
spec: {}
---
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  pool: shop
  config: {cores: 2, scsi0: {size: 16G}}
  state: running
"""


class Site:
    """The simulator over HTTPS and a way to run the dying script against it."""

    def __init__(self, cluster: Any, server: Any, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        manifests = folder / "stack.yaml"
        manifests.write_text(STACK)
        self._arguments = [
            server.url,
            str(server.fingerprint),
            cluster.create_token("root@pam", "kill"),
            str(folder / "state.db"),
            str(manifests),
        ]

    def run(self, *death: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", SCRIPT, *self._arguments, *death],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def forget_plan(self) -> None:
        (self.folder / "state.plan").unlink()

    def tasks(self) -> Counter[str]:
        """Return how many tasks of each type there have been, on all nodes."""
        found: Counter[str] = Counter()
        for node in self.cluster.nodes:
            rows = self.cluster.call("GET", f"/nodes/{node}/tasks", {"limit": 100})
            found.update(row["type"] for row in rows)
        return found


@pytest.fixture
def site(tmp_path: Path, furnished: Any) -> Iterator[Site]:
    cluster = furnished()
    with cluster.serve(speed=30.0) as server:
        yield Site(cluster, server, tmp_path)


DEATHS = [
    ("web-1#create|clone", "intent"),
    ("web-1#create|clone", "called"),
    ("web-1#create|clone", "upid"),
    ("web-1#resize-scsi0|resize scsi0", "done"),
    ("web-1#start|start", "verified"),
]
UNANSWERED = [("/clone", "called!"), ("/config", "called!")]


def check(site: Site) -> None:
    """Say what must hold after the second run, whatever happened in the first."""
    guests = [vmid for vmid, guest in site.cluster.guests.items() if not guest.template]
    assert len(guests) == 1, "duplicated or lost"
    tasks = site.tasks()
    assert (tasks["qmclone"], tasks["qmstart"], tasks["resize"]) == (1, 1, 1), tasks
    (vmid,) = guests
    node = site.cluster.guests[vmid].node
    config = site.cluster.call("GET", f"/nodes/{node}/qemu/{vmid}/config")
    assert "size=16G" in config["scsi0"]
    assert str(config["cores"]) == "2"


@pytest.mark.e2e
@pytest.mark.parametrize(("call", "phase"), [*DEATHS, *UNANSWERED])
def test_the_same_plan_is_taken_up_where_it_was(site: Site, call: str, phase: str) -> None:
    killed = site.run(call, phase)
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    again = site.run()
    assert again.returncode == 0, again.stdout + again.stderr
    check(site)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("call", "phase"),
    [("web-1#create|clone", "upid"), ("/clone", "called!")],
)
def test_a_new_plan_finds_what_the_killed_one_made(site: Site, call: str, phase: str) -> None:
    killed = site.run(call, phase)
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    site.forget_plan()
    again = site.run()
    assert again.returncode == 0, again.stdout + again.stderr
    check(site)
