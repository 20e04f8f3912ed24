"""Two doubles of PVE to ask the same: our simulator, and fakepve, which others wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from proxmox_client import Pin, fetch_fingerprint
from proxmox_client.testing import SimulatedCluster

ROOT = Path(__file__).parents[2]
TOKEN = "root@pam!pmpc=00000000-1111-2222-3333-444444444444"
VERSION = "9.2"
CONFIG: dict[str, Any] = {"cores": 2, "memory": "512", "agent": "1", "serial0": "socket"}
GUESTS: Final = range(100, 150)
"""One for each test: a double is started once."""


@attrs.frozen
class Double:
    """A running double of PVE.

    Attributes:
        name: `simulator` or `fakepve`.
        url: Its address.
        token: A token of root's.
    """

    name: str
    url: str
    token: str = attrs.field(repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """Return what a client needs."""
        return {"token": self.token, "tls": Pin(fetch_fingerprint(self.url))}


@contextmanager
def simulator() -> Generator[Double]:
    cluster = SimulatedCluster(nodes=("pve1",), version=VERSION)
    for vmid in GUESTS:
        disk = "shared:8,format=qcow2"
        cluster.add_vm("pve1", vmid, {"name": f"db-{vmid}", **CONFIG, "scsi0": disk})
        cluster.guests[vmid].agent_answers = True
    token = cluster.create_token("root@pam", "pmpc")
    cluster.clock.advance(20)
    with cluster.serve(speed=100.0) as server:
        yield Double("simulator", server.url, token)


@contextmanager
def fakepve() -> Generator[Double]:
    guests = [
        {
            "vmid": vmid,
            "name": f"db-{vmid}",
            "status": "stopped",
            "config": {**CONFIG, "scsi0": f"local-lvm:vm-{vmid}-disk-0,size=8G"},
        }
        for vmid in GUESTS
    ]
    command = [
        sys.executable,
        "-m",
        "tests.e2e.fakepve_process",
        json.dumps(guests),
        TOKEN,
        VERSION,
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield Double("fakepve", process.stdout.readline().strip(), TOKEN)
        finally:
            process.terminate()
