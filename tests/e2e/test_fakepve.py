"""The main job against fakepve, a PVE double that others wrote, running as its own process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from pmpc_reconcile.contexts import Context, Contexts, Trust, save_contexts
from proxmox_client import fetch_fingerprint

PMPC = str(Path(sys.executable).with_name("pmpc"))
ROOT = Path(__file__).parents[2]
TOKEN = "root@pam!pmpc=00000000-1111-2222-3333-444444444444"
GUESTS = [
    {
        "vmid": 9000,
        "name": "debian-13",
        "template": True,
        "config": {"cores": 1, "memory": "512", "scsi0": "local-lvm:base-9000-disk-0,size=8G"},
    },
    {"vmid": 100, "name": "db-1", "status": "running", "config": {"cores": 2}},
]
STACK = """
apiVersion: pmpc/v1
kind: Pool
metadata: {name: web}
spec: {comment: managed}
---
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  pool: web
  source: {clone: {template: debian-13}}
  config: {cores: 2, memory: 1024, tags: [web]}
"""


@attrs.frozen
class Fake:
    """A running fakepve and an environment whose context points to it."""

    url: str
    token: str = attrs.field(repr=False)
    environ: dict[str, str] = attrs.field(repr=False)
    stack: Path

    def pmpc(self, *arguments: str, expect: int = 0) -> str:
        done = subprocess.run(
            [PMPC, *arguments], env=self.environ, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def read(self, path: str) -> Any:
        answer = httpx.get(
            f"{self.url}/api2/json{path}",
            headers={"Authorization": f"PVEAPIToken={self.token}"},
            verify=False,
            trust_env=False,
        )
        return answer.json()["data"]

    def names(self) -> list[str]:
        listed = self.read("/cluster/resources?type=vm")
        return sorted(str(row["name"]) for row in listed)

    def traces(self) -> tuple[set[str], dict[str, Any]]:
        """Return what every write leaves behind: tasks, and the configuration of each guest."""
        tasks = {str(row["upid"]) for row in self.read("/cluster/tasks")}
        guests = self.read("/cluster/resources?type=vm")
        return tasks, {
            str(row["vmid"]): self.read(f"/nodes/{row['node']}/qemu/{row['vmid']}/config")
            for row in guests
        }


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    stack = tmp_path / "stack.yaml"
    stack.write_text(STACK, encoding="utf-8")
    command = [sys.executable, "-m", "tests.e2e.fakepve_process", json.dumps(GUESTS), TOKEN]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            config = tmp_path / "pmpc.yaml"
            trust = Trust("fingerprint", str(fetch_fingerprint(url)))
            state = f"sqlite:///{tmp_path / 'fake.db'}"
            context = Context("fake", url, token=TOKEN, tls=trust, state=state)
            save_contexts(Contexts().with_context(context), config)
            environ = {"HOME": str(tmp_path), "PMPC_CONFIG": str(config), "NO_COLOR": "1"}
            yield Fake(url, TOKEN, environ, stack)
        finally:
            process.terminate()


def test_sync_plan_apply_apply_again_and_delete(fake: Fake) -> None:
    fake.pmpc("sync")
    listed = json.loads(fake.pmpc("get", "vm", "-o", "json"))
    assert {"debian-13", "db-1"} <= {item["name"] for item in listed}

    assert "web-1" in fake.pmpc("plan", "-f", str(fake.stack))
    assert fake.names() == ["db-1", "debian-13"]

    fake.pmpc("apply", "-f", str(fake.stack), "--yes")
    assert fake.names() == ["db-1", "debian-13", "web-1"]

    done = fake.traces()
    assert done[0], "the first apply left tasks"
    fake.pmpc("plan", "-f", str(fake.stack), "--detailed-exitcode")
    assert "Nothing to do" in fake.pmpc("apply", "-f", str(fake.stack), "--yes")
    assert fake.names() == ["db-1", "debian-13", "web-1"]
    assert fake.traces() == done, "the second apply wrote nothing"

    fake.pmpc("delete", "--release", "default", "--yes")
    assert fake.names() == ["db-1", "debian-13"]
