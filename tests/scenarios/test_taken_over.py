"""Pain: what is done once, such as a snapshot before a change, is done twice when a worker dies.

A worker that has just looked does not know what happened since: another one began the same work
and died over it, or did all of it. The first one must not go by what it saw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import pytest

from pmpc_reconcile.actions import ActionContext, invoke
from pmpc_reconcile.actions.status import StatusInput, StatusOutput
from pmpc_reconcile.controllers import (
    LOOK,
    Healed,
    MemoryQueue,
    News,
    Postponed,
    ReconcileLoop,
    Work,
)
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.manifests import Manifest, load_text
from pmpc_state import RunStatus
from proxmox_client import ApiToken, AsyncClient
from tests.lab.hooked import VM, snapshots
from tests.lab.moments import UNRECORDED, Moment
from tests.lab.power_cuts import cut_at, is_cut

HOOKS = "hooks: {preApply: [{snapshot: {}}]}"
STACK = VM.replace("NAME", "web-1").replace("CORES", "2").replace("MORE", HOOKS)
WEB_1 = "VirtualMachine/web-1"
HEAL, LOOKING = Work("lab", "shop", WEB_1), Work("lab", "shop", LOOK)
SNAPSHOT = "*#before-1*|snapshot"

Happening = Callable[[], Awaitable[None]]


class Meanwhile(httpx.AsyncBaseTransport):
    """Lets something happen between the n-th answer to a kind of request and its arrival."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, path: str, number: int, happening: Happening
    ) -> None:
        self._inner = inner
        self._path = path
        self._left = number
        self._happening = happening

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if request.url.path.endswith(self._path):
            self._left -= 1
            if self._left == 0:
                await answer.aread()
                await self._happening()
        return answer


class Worker:
    """A loop of its own over the lab's release, one piece of work at a time."""

    def __init__(self, engine: Reconciler, **more: Any) -> None:
        self.news: list[News] = []
        self.queue = MemoryQueue()
        self.loop = ReconcileLoop(engine, self.queue, on_news=self.news.append, **more)

    async def falls(self, work: Work, moment: Moment) -> None:
        """Do a piece of work until the power goes off."""
        with pytest.MonkeyPatch.context() as patch:
            cut_at(patch, moment)
            with pytest.raises(BaseException) as caught:  # noqa: PT011 (alone or in groups)
                await self.loop.handle(work, 0)
            assert is_cut(caught.value), caught.value


async def _edited(lab: Any) -> None:
    await lab.applied(STACK)
    lab.state.writer().controls.set("lab", "shop", self_heal=True, actor="alice")
    lab.cluster.edit(lab.vmid("web-1"), user="bob@pam", cores=4)
    lab.forget_writes()


def _done_once(lab: Any) -> bool:
    runs = lab.state.reader().journal.runs("lab", status=RunStatus.RUNNING)
    cores = str(lab.config(lab.vmid("web-1"))["cores"])
    return (len(snapshots(lab)), cores, len(runs)) == (1, "2", 0)


@pytest.mark.parametrize("work", [LOOKING, HEAL], ids=["looking", "healing"])
@pytest.mark.parametrize("phase", ["called", UNRECORDED, "upid", "verified"])
async def test_whoever_dies_after_another_one_looked_is_taken_over_with_its_plan(
    lab: Any, work: Work, phase: str
) -> None:
    await _edited(lab)
    dying, deaths = Worker(lab.engine_on(lab.state)), 0

    async def manifests(release: str) -> Sequence[Manifest]:
        """Between the question whether anything was cut off, and the plan."""
        nonlocal deaths
        if not deaths:
            deaths += 1
            await dying.falls(HEAL, Moment(SNAPSHOT, phase))
        return load_text(STACK)

    worker = Worker(lab.engine, manifests=manifests)
    await worker.queue.put(work)
    await worker.queue.drain(worker.loop.handle)
    while not any(isinstance(each, Healed) for each in worker.news):
        lab.cluster.clock.advance(60)
        await worker.queue.put(LOOKING)
        await worker.queue.drain(worker.loop.handle)
    assert _done_once(lab), (snapshots(lab), worker.news)


@pytest.mark.parametrize("number", [1, 2])
async def test_a_plan_from_before_another_worker_did_it_all_is_not_carried_out(
    lab: Any, number: int
) -> None:
    await _edited(lab)
    other = Worker(lab.engine_on(lab.state))

    async def do_it_all() -> None:
        assert await other.loop.handle(HEAL, 0) is None

    vmid = lab.vmid("web-1")
    late = Meanwhile(lab.recorder, f"/qemu/{vmid}/config", number, do_it_all)
    token = ApiToken.parse(lab.token)
    clock = lab.cluster.clock
    async with AsyncClient(
        "https://pve1:8006", token=token, transport=late, sleep=clock.asleep, now=clock.now
    ) as client:
        engine = Reconciler(client, lab.state, "lab", now=clock.now, sleep=clock.asleep)
        slow = Worker(engine)
        async with asyncio.timeout(10):
            while await slow.loop.handle(HEAL, 0) is not None:
                assert len(snapshots(lab)) == 1, slow.news
    assert any(isinstance(each, Healed) for each in other.news)
    assert not any(isinstance(each, Postponed) and each.failed for each in slow.news), slow.news
    assert _done_once(lab), (snapshots(lab), slow.news)


async def test_a_look_at_the_status_does_not_end_what_a_controller_goes_on_with(lab: Any) -> None:
    await _edited(lab)
    clock = lab.cluster.clock
    door = ActionContext("lab", lab.state, lab.client, now=clock.now, sleep=clock.asleep)
    seen: StatusOutput = await invoke("status", door, StatusInput())
    assert seen.items
    assert not seen.notes
    await Worker(lab.engine_on(lab.state)).falls(HEAL, Moment(SNAPSHOT, "verified"))
    clock.advance(3600)
    again: StatusOutput = await invoke("status", door, StatusInput())
    assert again.items == seen.items
    assert "was cut off" in again.notes[0]
    worker = Worker(lab.engine)
    await worker.queue.put(LOOKING)
    await worker.queue.drain(worker.loop.handle)
    assert _done_once(lab), (snapshots(lab), worker.news)
    assert not (await invoke("status", door, StatusInput())).notes
