"""Pain: two workers do the same thing twice, and a dead worker's half-done work stays half done.

Three real processes share the work through PostgreSQL, and one of them is killed with -9 in the
middle of a step. What it did stays done once, and the others do the rest.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.manifests import load_text
from pmpc_state import State
from proxmox_client import AsyncClient, Pin
from tests.lab.postgres import Server, running_postgres

ROOT = Path(__file__).parents[2]
NAMES = ("web-1", "web-2", "web-3")
STACK = "---".join(
    f"""
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {{name: {name}}}
spec:
  source: {{clone: {{template: debian-13}}}}
  config: {{cores: 2, scsi0: {{size: 16G}}}}
  state: running
"""
    for name in NAMES
)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with running_postgres() as server:
        yield server


class Fleet:
    """A served cluster with the stack applied and self-healing on, and its workers."""

    def __init__(self, cluster: Any, server: Any, database: str) -> None:
        self.cluster = cluster
        self.database = database
        self._server = server
        self.token = cluster.create_token("root@pam", "fleet")
        self._workers: list[subprocess.Popen[str]] = []

    async def apply(self) -> None:
        tls = Pin(str(self._server.fingerprint))
        async with AsyncClient(self._server.url, token=self.token, tls=tls) as client:
            with State.open(self.database) as state:
                engine = Reconciler(client, state, "lab")
                report = await engine.apply(await engine.plan(load_text(STACK), "shop"))
                assert report.ok, [result.reason for result in report.failed]
                state.writer().controls.set("lab", self_heal=True, actor="alice")

    def worker(self, *death: str) -> subprocess.Popen[str]:
        arguments = [self._server.url, str(self._server.fingerprint), self.token, self.database]
        started = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.loop_worker", *arguments, *death],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._workers.append(started)
        return started

    def dies(self, call: str, phase: str) -> None:
        """Start a worker and wait until it killed itself there."""
        doomed = self.worker(call, phase)
        doomed.wait(timeout=40)
        assert doomed.returncode == -signal.SIGKILL, doomed.communicate()[0]

    def destroy(self, name: str) -> None:
        """Stop a guest and delete it, as somebody does who does not know of us."""
        vmid, guest = self.guest(name)
        self.cluster.call("POST", f"/nodes/{guest.node}/qemu/{vmid}/status/stop")
        wait("it stops", lambda: self.status(name) == "stopped")
        self.cluster.call("DELETE", f"/nodes/{guest.node}/qemu/{vmid}")
        wait("it goes", lambda: vmid not in self.vmids())

    def end(self) -> list[str]:
        """Let every worker finish what it began, and return what they told."""
        told: list[str] = []
        for worker in self._workers:
            told.append(worker.communicate(timeout=30)[0])
        self._workers.clear()
        return told

    def vmids(self) -> set[int]:
        """Return the vmids there are; asking moves the cluster on to the present moment."""
        rows = [
            row
            for node in self.cluster.nodes
            for row in self.cluster.call("GET", f"/nodes/{node}/qemu")
        ]
        return {int(row["vmid"]) for row in rows}

    def tasks(self) -> Counter[str]:
        """Return how many tasks of each type there have been."""
        found: Counter[str] = Counter()
        for node in self.cluster.nodes:
            rows = self.cluster.call("GET", f"/nodes/{node}/tasks", {"limit": 500})
            found.update(row["type"] for row in rows)
        return found

    def guest(self, name: str) -> tuple[int, Any]:
        (found,) = [
            (vmid, guest)
            for vmid, guest in self.cluster.guests.items()
            if guest.config.get("name") == name
        ]
        return found

    def cores(self, name: str) -> str:
        vmid, guest = self.guest(name)
        config = self.cluster.call("GET", f"/nodes/{guest.node}/qemu/{vmid}/config")
        return str(config["cores"])

    def status(self, name: str) -> str:
        vmid, guest = self.guest(name)
        path = f"/nodes/{guest.node}/qemu/{vmid}/status/current"
        return str(self.cluster.call("GET", path)["status"])

    def as_declared(self) -> bool:
        self.vmids()
        names = [guest.config.get("name") for guest in self.cluster.guests.values()]
        return all(
            names.count(name) == 1 and self.cores(name) == "2" and self.status(name) == "running"
            for name in NAMES
        )


@pytest.fixture
async def fleet(postgres: Server, furnished: Any, tmp_path: Path) -> Any:
    postgres.empty("state")
    cluster = furnished()
    os.environ["XDG_DATA_HOME"] = str(tmp_path / "data")
    with cluster.serve(speed=30.0) as server:
        made = Fleet(cluster, server, postgres.url("state"))
        await made.apply()
        yield made
        made.end()


def wait(what: str, check: Any, seconds: float = 40.0) -> None:
    """Look again and again until something holds; the workers run in real time."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(0.1)


@pytest.mark.e2e
def test_what_killed_workers_leave_is_taken_over_and_done_once(fleet: Fleet) -> None:
    before = fleet.tasks()
    fleet.cluster.edit(fleet.guest("web-1")[0], user="bob@pam", cores=4)
    fleet.dies("web-1#configure|write options", "called")
    fleet.destroy("web-2")
    fleet.dies("web-2#create|clone", "upid")
    fleet.dies("web-2#start|start", "upid")
    fleet.worker()
    fleet.worker()
    wait("all is as declared", fleet.as_declared)
    told = fleet.end()
    made = fleet.tasks() - before
    assert (made["qmclone"], made["qmstart"], made["resize"]) == (1, 1, 1), (made, told)
    names = [str(guest.config.get("name")) for guest in fleet.cluster.guests.values()]
    assert sorted(names) == ["debian-13", *NAMES]
