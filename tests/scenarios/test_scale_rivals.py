"""Pains at scale: a reused vmid destroys a stranger (CAPMOX#856), two creators take one id
(bpg#1521, #1610), a lost answer or a crash leaves orphans and duplicates.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import httpx
import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.events import StepFailed, StepSkipped
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.manifests import load_text
from pmpc_state import State
from pmpc_state.repositories.journal import JournalWriter
from proxmox_client import ApiToken, AsyncClient
from proxmox_client.testing.outside import FileServer
from tests.lab.leftovers import leftovers

WEB = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {{name: {name}}}
spec:
  source: {{clone: {{template: debian-13}}}}
  config: {{cores: 2}}
"""


def stack(*names: str) -> str:
    return "---".join(WEB.format(name=name) for name in names)


async def test_two_hundred_times_a_stranger_takes_our_vmid_and_is_never_touched(lab: Any) -> None:
    text = stack("web-1")
    await lab.applied(text)
    strangers: dict[int, dict[str, Any]] = {}
    for cycle in range(200):
        vmid = int(lab.vmid("web-1"))
        guest = lab.cluster.guests[vmid]
        lab.cluster.call("DELETE", f"/nodes/{guest.node}/qemu/{vmid}")
        lab.cluster.clock.advance(15)
        node = f"pve{cycle % 3 + 1}"
        lab.cluster.add_vm(node, vmid, {"name": f"theirs-{cycle}", "cores": cycle % 4 + 1})
        strangers[vmid] = dict(lab.config(vmid))
        await lab.applied(text)
        if len(strangers) == 5:  # they go again, so that vmids come back
            for other, before in strangers.items():
                assert dict(lab.config(other)) == before
                place = lab.cluster.guests[other].node
                lab.cluster.call("DELETE", f"/nodes/{place}/qemu/{other}")
            lab.cluster.clock.advance(15)
            strangers.clear()
    assert not any("theirs" in name for name in lab.writes)
    assert len(lab.vmids()) == 1


STORAGES = ("shared", "shared-2")
LEFT: ContextVar[list[int] | None] = ContextVar("LEFT", default=None)
"""How many more writes of its journal the worker has before its power goes off."""


class PowerCut(BaseException):
    """Nothing of ours catches this."""


class Rough(httpx.AsyncBaseTransport):
    """A network that loses one answer in twenty, with rivals who take the vmids we ask for."""

    def __init__(self, cluster: Any, chance: random.Random) -> None:
        self.cluster = cluster
        self.chance = chance
        self.inner = cluster.async_transport()
        self.lost = 0
        self.taken: set[int] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/clone") and self.chance.random() < 0.1:
            self._rival(httpx.QueryParams(request.content.decode()))
        response: httpx.Response = await self.inner.handle_async_request(request)
        if request.method != "GET" and self.chance.random() < 0.05:
            self.lost += 1
            raise httpx.ReadError("connection reset", request=request)
        return response

    def _rival(self, asked: httpx.QueryParams) -> None:
        vmid = int(asked["newid"])
        if vmid not in self.cluster.guests:
            self.cluster.add_vm("pve3", vmid, {"name": "rival"})
            self.taken.add(vmid)


class Crew:
    """Eight workers with a release each, in one database, cut off again and again."""

    def __init__(self, cluster: Any, state: State) -> None:
        self.chance = random.Random(7)
        self.cluster = cluster
        self.state = state
        self.network = Rough(cluster, self.chance)
        self.token = ApiToken.parse(cluster.create_token("root@pam", "crew"))
        self.cuts = 0

    async def work(self, release: str, names: list[str], cuts: list[int]) -> None:
        """Apply until all is done; each cut ends a try after so many writes of the journal."""
        for writes in (*cuts, None):
            clock = self.cluster.clock
            async with AsyncClient(
                "https://pve1:8006",
                token=self.token,
                transport=self.network,
                sleep=clock.asleep,
                now=clock.now,
            ) as client:
                patience = Patience(lost=1.0, poll=0.2, longest=2.0)
                engine = Reconciler(
                    client,
                    self.state,
                    "lab",
                    now=clock.now,
                    sleep=clock.asleep,
                    patience=patience,
                )
                plan = await engine.plan(load_text(stack(*names)), release)
                LEFT.set(None if writes is None else [writes])
                try:
                    report = await engine.apply(plan)
                except BaseException as error:
                    if not _is_cut(error):
                        raise
                    self.cuts += 1
                else:
                    assert writes is not None or report.ok, [x.reason for x in report.failed]


def _is_cut(error: BaseException) -> bool:
    if isinstance(error, PowerCut):
        return True
    inner = tuple[BaseException, ...](getattr(error, "exceptions", ()))
    return bool(inner) and all(_is_cut(one) for one in inner)


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the power of a worker go off when its journal was written so often (`LEFT`)."""

    def falling(write: Any) -> Any:
        def write_and_fall(self: Any, *args: Any, **more: Any) -> None:
            left = LEFT.get()
            if left is not None and left[0] <= 0:
                raise PowerCut
            write(self, *args, **more)
            if left is not None:
                left[0] -= 1
                if left[0] <= 0:
                    raise PowerCut

        return write_and_fall

    for name in ("intend", "called", "upid", "done", "failed", "verified"):
        monkeypatch.setattr(JournalWriter, name, falling(getattr(JournalWriter, name)))


@pytest.mark.usefixtures("cuts")
async def test_eight_workers_make_two_hundred_guests_between_rivals_losses_and_crashes(
    furnished: Any, tmp_path: Path
) -> None:
    cluster = furnished()
    with State.open(f"sqlite:///{tmp_path / 'state.db'}", now=cluster.clock.now) as state:
        crew = Crew(cluster, state)
        wanted: list[str] = []
        workers: list[Coroutine[Any, Any, None]] = []
        for worker in range(8):
            names = [f"w{worker}-{number}" for number in range(25)]
            # The first worker is cut at each of its first journal writes, the others by chance.
            cuts = list(range(1, 13)) if worker == 0 else [crew.chance.randint(1, 200)]
            workers.append(crew.work(f"r{worker}", names, cuts))
            wanted += names
        async with asyncio.TaskGroup() as group:
            for work in workers:
                group.create_task(work)
        assert crew.cuts >= 15
        assert crew.network.lost >= 10
        assert len(crew.network.taken) >= 10
    there = [
        str(guest.config.get("name")) for guest in cluster.guests.values() if not guest.template
    ]
    ours = [name for name in there if name != "rival"]
    assert sorted(ours) == sorted(wanted), "duplicates or orphans"
    assert there.count("rival") == len(crew.network.taken)
    for vmid in crew.network.taken:
        assert cluster.guests[vmid].config.get("name") == "rival"
    cluster.clock.advance(120)
    with State.open(f"sqlite:///{tmp_path / 'state.db'}", now=cluster.clock.now) as state:
        assert leftovers(cluster, state) == [], "volumes, locks, tasks, runs or leases of nobody"


async def test_a_hundred_clones_at_once_show_no_lock_error(lab: Any) -> None:
    """Three nodes, two storages: PVE's locks are waited for, whatever their time-outs."""
    text = "---".join(
        WEB.format(name=f"web-{number}").replace(
            "source: {clone: {template: debian-13}}",
            f"placement: {{nodes: [pve{number % 3 + 1}]}}\n"
            f"  source: {{clone: {{template: debian-13, storage: {STORAGES[number % 2]}}}}}",
        )
        for number in range(100)
    )
    lab.cluster.outside.files["192.0.2.9"] = FileServer(exports={"/two": "*"})
    lab.cluster.call(
        "POST",
        "/storage",
        {"storage": "shared-2", "type": "nfs", "server": "192.0.2.9", "export": "/two",
         "content": "images"},
    )  # fmt: skip
    report = await lab.applied(text)
    assert len(lab.vmids()) == 100
    assert report.failed == ()
    shown = [event for event in lab.events if isinstance(event, (StepFailed, StepSkipped))]
    assert shown == []
