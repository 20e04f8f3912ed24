"""Every fault at every step of a session on the simulator, in both colours.

A step either does its work or says what went wrong; no write happens twice, whatever comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from proxmox_client import (
    AmbiguousWrite,
    AsyncClient,
    Client,
    PasswordLogin,
    PveError,
    RetryPolicy,
    TaskResult,
)
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import Answer, Drop, ExpiredTickets, Fault, Latency, Where

PASSWORD = "correct horse battery staple"
Session = Callable[[SimulatedCluster], Awaitable[TaskResult]]
STEPS = {
    "login": ("POST", "/access/ticket"),
    "read": ("GET", "/nodes/pve1/qemu/100/config"),
    "write": ("POST", "/nodes/pve1/qemu/100/status/start"),
    "wait": ("GET", "*/tasks/*/status"),
}
FAULTS: dict[str, Callable[[Where], Fault]] = {
    "dropped before": lambda where: Drop("before", where),
    "dropped after": lambda where: Drop("after", where),
    "500": lambda where: Answer(500, "something went wrong", where),
    "502": lambda where: Answer(502, "Bad Gateway", where),
    "595": lambda where: Answer(595, "No route to host", where),
    "596": lambda where: Answer(596, "Connection reset by peer", where),
    "401": lambda where: Answer(401, "permission denied - invalid PVE ticket", where),
    "csrf": lambda where: Answer(401, "Permission denied - invalid csrf token", where),
    "slow": lambda where: Latency(20.0, where=where),
}
SURVIVED = {
    "login": {"dropped before", "dropped after", "502", "595", "596", "slow"},
    "read": set(FAULTS) - {"500"},
    "write": {"401", "csrf", "slow"},
    "wait": set(FAULTS) - {"500"},
}


def options(cluster: SimulatedCluster) -> dict[str, Any]:
    login = PasswordLogin("root@pam", PASSWORD)
    return {"login": login, "retry": RetryPolicy(first_delay=0.0), "now": cluster.clock.now}


def _blocking(cluster: SimulatedCluster) -> TaskResult:
    with Client(
        "pve1", transport=cluster.transport(), sleep=cluster.clock.sleep, **options(cluster)
    ) as pve:
        guest = pve.nodes("pve1").qemu(100)
        assert guest.config.get().name == "web"
        return guest.status.start().wait(600)


async def blocking(cluster: SimulatedCluster) -> TaskResult:
    return await asyncio.to_thread(_blocking, cluster)


async def awaiting(cluster: SimulatedCluster) -> TaskResult:
    async with AsyncClient(
        "pve1", transport=cluster.async_transport(), sleep=cluster.clock.asleep, **options(cluster)
    ) as pve:
        guest = pve.nodes("pve1").qemu(100)
        assert (await guest.config.get()).name == "web"
        return await (await guest.status.start()).wait(600)


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.access.users["root@pam"].password = PASSWORD
    made.add_vm("pve1", 100, {"name": "web", "memory": "128"})
    return made


def starts(cluster: SimulatedCluster) -> int:
    rows = cluster.call("GET", "/nodes/pve1/tasks", {"source": "all"})
    return sum(row["type"] == "qmstart" for row in rows)


@pytest.mark.parametrize("session", [blocking, awaiting], ids=["sync", "async"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
async def test_fault_at_a_step(
    cluster: SimulatedCluster, session: Session, step: str, fault: str
) -> None:
    method, path = STEPS[step]
    active = cluster.faults.add(FAULTS[fault](Where(method, path, times=1)))
    if fault in SURVIVED[step]:
        assert (await session(cluster)).ok
        assert starts(cluster) == 1
    else:
        with pytest.raises(PveError) as caught:
            await session(cluster)
        assert PASSWORD not in f"{caught.value} {caught.value!r}"
        doubtful = step == "write" and fault in {"dropped before", "dropped after", "502", "596"}
        assert isinstance(caught.value, AmbiguousWrite) is doubtful
        assert starts(cluster) <= 1
    assert active.hits == 1


@pytest.mark.parametrize("session", [blocking, awaiting], ids=["sync", "async"])
async def test_tickets_that_end_at_once(cluster: SimulatedCluster, session: Session) -> None:
    assert (await session(cluster)).ok
    cluster.faults.add(ExpiredTickets("root@pam"))
    assert not (await session(cluster)).ok  # it runs already, says the task: logged in anew
    assert starts(cluster) == 2
