"""Pain: killed in the middle, a tool duplicates or orphans guests.

Real processes on SQLite and a real `kill -9`; `test_crash_points` has every kind of step, and
`test_workers` has many processes on PostgreSQL.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.manifests import load_text
from pmpc_state import State
from tests.lab.fleet import Fleet, fleet_of
from tests.lab.leftovers import leftovers
from tests.lab.moments import UNRECORDED

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
DEATHS = [
    ("create|clone", "intend"),
    ("create|clone", "called"),
    ("create|clone", UNRECORDED),
    ("create|clone", "upid"),
    ("resize-scsi0|resize scsi0", "done"),
    ("configure|write options", UNRECORDED),
    ("start|start", "verified"),
]


@pytest.fixture
def site(tmp_path: Path, furnished: Any) -> Iterator[Fleet]:
    with fleet_of(furnished(), f"sqlite:///{tmp_path / 'state.db'}", tmp_path) as made:
        yield made


async def planned(engine: Reconciler) -> str:
    return (await engine.plan(load_text(STACK), "shop")).id


def killed(site: Fleet, call: str, phase: str) -> str:
    """Let a process die over a plan and return the plan's id."""
    plan: str = site.ask(planned)
    site.dies("it", f"VirtualMachine/web-1#{call}", phase)
    site.apply(plan)
    assert site.ended() == [-signal.SIGKILL], site.told()
    return plan


def goes_on(site: Fleet, plan: str) -> None:
    """Let another process apply a plan, and say what must hold whatever happened before."""
    site.apply(plan)
    assert site.ended() == [0], site.told()
    (vmid,) = [vmid for vmid, guest in site.cluster.guests.items() if not guest.template]
    node = site.cluster.guests[vmid].node
    config = site.cluster.call("GET", f"/nodes/{node}/qemu/{vmid}/config")
    assert "size=16G" in config["scsi0"]
    assert str(config["cores"]) == "2"
    sent = Counter(each.name.rpartition("/")[2] for each in site.sent)
    assert (sent["clone"], sent["start"], sent["resize"], sent["config"]) == (1, 1, 1, 1), sent
    with State.open(site.post.database) as state:
        assert leftovers(site.cluster, state) == []


@pytest.mark.e2e
@pytest.mark.parametrize(("call", "phase"), DEATHS)
def test_the_same_plan_is_taken_up_where_it_was(site: Fleet, call: str, phase: str) -> None:
    goes_on(site, killed(site, call, phase))


@pytest.mark.e2e
@pytest.mark.parametrize("phase", ["upid", UNRECORDED])
def test_a_new_plan_finds_what_the_killed_one_made(site: Fleet, phase: str) -> None:
    killed(site, "create|clone", phase)
    goes_on(site, site.ask(planned))
