"""Every fault at every step of a session on the simulator, in both colours.

A step either does its work or says what went wrong. Two counters on the server prove that no write
is sent twice and none happens twice, whatever comes; and each write whose answer is lost ends as
applied, not applied or unknown.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from proxmox_client import (
    AmbiguousWrite,
    NodeUnreachable,
    PasswordLogin,
    Pin,
    PveError,
    RetryPolicy,
    TaskFailed,
    TaskLost,
    TaskResult,
    Verdict,
)
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import (
    Answer,
    Drop,
    ExpiredTickets,
    Fault,
    Latency,
    NodeOffline,
    SomebodyElse,
    Where,
)
from tests.lab.colours import COLOURS, connect, open_client

PASSWORD = "correct horse battery staple"
START = Where("POST", "/nodes/pve2/qemu/100/status/start")
UPLOAD = Where("POST", "/nodes/pve2/storage/local/upload")
STEPS = {
    "login": Where("POST", "/access/ticket", times=1),
    "read": Where("GET", "/nodes/pve2/qemu/100/config", times=1),
    "write": attrs.evolve(START, times=1),
    "wait": Where("GET", "*/tasks/*/status", times=1),
    "upload": attrs.evolve(UPLOAD, times=1),
}


def _node_dies(world: SimulatedCluster) -> None:
    world.faults.add(NodeOffline("pve2"))


def _tickets_expire(world: SimulatedCluster) -> None:
    world.auth.expire_tickets("root@pam")


FAULTS: dict[str, Callable[[Where], Fault]] = {
    "dropped before": lambda where: Drop("before", where),
    "dropped after": lambda where: Drop("after", where),
    "500": lambda where: Answer(500, "something went wrong", where),
    "502": lambda where: Answer(502, "Bad Gateway", where),
    "595": lambda where: Answer(595, "No route to host", where),
    "596": lambda where: Answer(596, "Connection reset by peer", where),
    "401": lambda where: Answer(401, "permission denied - invalid PVE ticket", where),
    "wrong csrf": lambda where: Answer(401, "Permission denied - invalid csrf token", where),
    "slow": lambda where: Latency(20.0, where=where),
    "expired ticket": lambda where: SomebodyElse(_tickets_expire, where=where),
    "node down": lambda where: SomebodyElse(_node_dies, where=where),
    "node down after": lambda where: SomebodyElse(_node_dies, when="after", where=where),
}
HARMLESS = {"slow", "expired ticket"}
AT_THE_DOOR = {"401", "wrong csrf", "expired ticket"}
"""Refused before anything is done: a write follows once more, and only then does something."""
REPEATED = {"dropped before", "dropped after", "502", "595", "596"}
"""Reads are sent again."""
DOUBTFUL = {
    "dropped before": Verdict.NOT_APPLIED,
    "dropped after": Verdict.APPLIED,
    "502": Verdict.NOT_APPLIED,
    "596": Verdict.NOT_APPLIED,
}
"""What becomes of a write whose answer is lost."""
SURVIVED = {
    "login": HARMLESS | REPEATED,
    "read": HARMLESS | REPEATED | AT_THE_DOOR,
    "write": HARMLESS | AT_THE_DOOR,
    "wait": HARMLESS | REPEATED | AT_THE_DOOR,
    "upload": HARMLESS | AT_THE_DOOR,
}


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.access.users["root@pam"].password = PASSWORD
    made.add_vm("pve2", 100, {"name": "web", "memory": "128"})
    return made


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.iso"
    path.write_bytes(b"not much")
    return path


@pytest.fixture(params=COLOURS)
async def pve(cluster: SimulatedCluster, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    login = PasswordLogin("root@pam", PASSWORD)
    retry = RetryPolicy(first_delay=0.0)
    async with open_client(request.param, cluster, login=login, retry=retry) as made:
        yield made


async def session(pve: Any, iso: Path) -> list[TaskResult]:
    """Log in, read, write, wait for the task, upload: through pve1, all of it about pve2."""
    config = await pve.request("GET", "/nodes/pve2/qemu/100/config")
    assert config["name"] == "web"
    upid = await pve.request("POST", START.path)
    started = await pve.task(upid).wait(600)
    if isinstance(started, TaskLost):
        return [started]
    upload = await pve.upload("pve2", "local", iso)
    return [started, await upload.wait(600)]


def effects(cluster: SimulatedCluster) -> tuple[int, int]:
    """How often the server began what the writes ask for."""
    types = [task.upid.type for node in cluster.nodes.values() for task in node.tasks]
    return types.count("qmstart"), types.count("imgcopy")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
async def test_fault_at_a_step(
    cluster: SimulatedCluster, pve: Any, iso: Path, step: str, fault: str
) -> None:
    sent = [cluster.faults.add(Latency(0.0, where=where)) for where in (START, UPLOAD)]
    active = cluster.faults.add(FAULTS[fault](STEPS[step]))
    if fault in SURVIVED[step]:
        assert all(result.ok for result in await session(pve, iso))
        assert effects(cluster) == (1, 1)
    elif fault.startswith("node down"):
        await _node_is_gone(pve, iso)
    else:
        with pytest.raises(PveError) as caught:
            await session(pve, iso)
        assert PASSWORD not in f"{caught.value} {caught.value!r}"
        await _check_doubt(cluster, pve, caught.value, step, fault)
    assert active.hits == 1
    assert all(count <= 1 for count in effects(cluster))
    for arrivals, of in zip(sent, ("write", "upload"), strict=True):
        again = fault in AT_THE_DOOR and step == of
        assert arrivals.seen <= (2 if again else 1), "a write was sent twice"


async def _check_doubt(
    cluster: SimulatedCluster, pve: Any, error: PveError, step: str, fault: str
) -> None:
    doubtful = step in ("write", "upload") and fault in DOUBTFUL
    assert isinstance(error, AmbiguousWrite) is doubtful
    if doubtful:
        before = effects(cluster)
        resolution = await pve.resolve(error)
        assert resolution.verdict is DOUBTFUL[fault]
        assert (resolution.upid is not None) is (resolution.verdict is Verdict.APPLIED)
        assert effects(cluster) == before


async def _node_is_gone(pve: Any, iso: Path) -> None:
    """A node that dies is an error of the next call, or a lost task; never a false success."""
    results: list[TaskResult] = []
    with contextlib.suppress(NodeUnreachable):
        results = await session(pve, iso)
    for result in results:
        assert result.ok or isinstance(result, (TaskLost, TaskFailed))


@pytest.mark.parametrize("fault", ["dropped before", "dropped after", "596"])
async def test_verdict_is_unknown_where_nobody_can_be_asked(
    cluster: SimulatedCluster, pve: Any, iso: Path, fault: str
) -> None:
    cluster.faults.add(FAULTS[fault](STEPS["write"]))
    with pytest.raises(AmbiguousWrite) as caught:
        await session(pve, iso)
    cluster.faults.add(NodeOffline("pve2"))
    resolution = await pve.resolve(caught.value)
    assert resolution.verdict is Verdict.UNKNOWN
    assert effects(cluster)[0] <= 1


@pytest.mark.parametrize(
    ("fault", "verdict"), [("dropped before", Verdict.UNKNOWN), ("dropped after", Verdict.APPLIED)]
)
async def test_lost_upload_is_found_though_another_node_is_silent(
    cluster: SimulatedCluster, pve: Any, iso: Path, fault: str, verdict: Verdict
) -> None:
    cluster.faults.add(FAULTS[fault](STEPS["upload"]))
    with pytest.raises(AmbiguousWrite) as caught:
        await session(pve, iso)
    cluster.faults.add(NodeOffline("pve3"))
    assert (await pve.resolve(caught.value)).verdict is verdict


async def test_tickets_that_end_at_once(cluster: SimulatedCluster, pve: Any, iso: Path) -> None:
    assert all(result.ok for result in await session(pve, iso))
    cluster.faults.add(ExpiredTickets("root@pam"))
    again, _ = await session(pve, iso)
    assert not again.ok  # it runs already, says the task: logged in anew
    assert effects(cluster) == (2, 2)


@pytest.fixture(params=COLOURS)
async def resolving(
    cluster: SimulatedCluster, request: pytest.FixtureRequest
) -> AsyncIterator[Any]:
    options: dict[str, Any] = {
        "login": PasswordLogin("root@pam", PASSWORD),
        "retry": RetryPolicy(first_delay=0.0),
        "resolve_writes": True,
    }
    async with open_client(request.param, cluster, **options) as made:
        yield made


@pytest.mark.parametrize("fault", DOUBTFUL)
@pytest.mark.parametrize("step", ["write", "upload"])
async def test_client_that_resolves_by_itself(
    cluster: SimulatedCluster, resolving: Any, iso: Path, step: str, fault: str
) -> None:
    sent = [cluster.faults.add(Latency(0.0, where=where)) for where in (START, UPLOAD)]
    cluster.faults.add(FAULTS[fault](STEPS[step]))
    if DOUBTFUL[fault] is Verdict.APPLIED:
        assert all(result.ok for result in await session(resolving, iso))
        assert effects(cluster) == (1, 1)
    else:
        with pytest.raises(AmbiguousWrite, match="It is not applied: ") as caught:
            await session(resolving, iso)
        assert caught.value.resolution is not None
        assert caught.value.resolution.verdict is Verdict.NOT_APPLIED
    assert all(arrivals.seen <= 1 for arrivals in sent)


async def test_write_without_a_task_counts_as_answered(
    cluster: SimulatedCluster, resolving: Any
) -> None:
    config = "/nodes/pve2/qemu/100/config"
    cluster.faults.add(Drop("after", Where("PUT", config)))
    assert await resolving.request("PUT", config, {"name": "shop"}) is None
    cluster.faults.clear()
    assert await resolving.update(config, {"name": "web"})
    content = "/nodes/pve2/storage/local-lvm/content"
    cluster.faults.add(Drop("after", Where("POST", content)))
    volume = {"vmid": 100, "size": "1G", "filename": "vm-100-disk-9"}
    with pytest.raises(AmbiguousWrite, match="It is unknown"):  # what was the answer?
        await resolving.request("POST", content, volume)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("fault", ["dropped before", "dropped after", "401"])
@pytest.mark.parametrize("step", ["write", "upload"])
async def test_nothing_is_sent_twice_over_https(
    cluster: SimulatedCluster, iso: Path, colour: str, step: str, fault: str
) -> None:
    sent = [cluster.faults.add(Latency(0.0, where=where)) for where in (START, UPLOAD)]
    cluster.faults.add(FAULTS[fault](STEPS[step]))
    with cluster.serve(speed=50.0) as server:
        options: dict[str, Any] = {
            "login": PasswordLogin("root@pam", PASSWORD),
            "tls": Pin(server.fingerprint),
        }
        async with connect(colour, server.url, **options) as pve:
            if fault in AT_THE_DOOR:
                assert all(result.ok for result in await session(pve, iso))
            else:
                with pytest.raises(AmbiguousWrite) as caught:
                    await session(pve, iso)
                resolution = await pve.resolve(caught.value, patience=0.3)
                assert resolution.verdict is DOUBTFUL[fault]
    assert all(count <= 1 for count in effects(cluster))
    for arrivals, of in zip(sent, ("write", "upload"), strict=True):
        assert arrivals.seen <= (2 if fault in AT_THE_DOOR and step == of else 1)
