"""A corpus of generated guests, applied by the engine: afterwards nothing is planned or written.

Pain: disks, tags, boot order or cloud-init differ for ever (bpg#2199, #321, #850, #1083).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from pmpc_reconcile import Reconciler
from pmpc_reconcile.kinds import Kind
from pmpc_reconcile.manifests import Manifest, load_text
from pmpc_state import State
from proxmox_client import AsyncClient, PasswordLogin
from proxmox_client.testing import SimulatedCluster
from tests.lab.generated import CASES, IMAGE, KINDS, VERSIONS, Case, document, shuffled

# A third runs, a third is stopped, and a third is as somebody has it.
STATES: tuple[dict[str, str], ...] = ({"state": "running"}, {"state": "stopped"}, {})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("of", KINDS, ids=lambda of: of.name)
async def test_applied_by_the_engine_it_plans_to_nothing_and_writes_nothing(
    of: Kind, version: str, tmp_path: Path
) -> None:
    """The whole way: plan, apply, and three plans more, each applied, without one more write."""
    cluster = SimulatedCluster(version=version)
    for node in cluster.nodes:
        cluster.add_volume("local", IMAGE.partition(":")[2], 1_000_000, node=node)
    cluster.access.users["root@pam"].password = "secret"
    cases = [case for case in CASES if (case.of, case.version) == (of, version)]
    wanted = _all_of(cases, lambda case: case.config)
    server = Counting(cluster.async_transport())
    with State.open(f"sqlite:///{tmp_path / 'state.db'}", now=cluster.clock.now) as state:
        async with AsyncClient(
            "https://pve1:8006",
            login=PasswordLogin("root@pam", "secret"),  # only root's own session may set some
            transport=server,
            sleep=cluster.clock.asleep,
            now=cluster.clock.now,
        ) as client:
            clock = cluster.clock
            engine = Reconciler(client, state, "lab", now=clock.now, sleep=clock.asleep)
            report = await engine.apply(await engine.plan(wanted))
            assert report.ok, [result.reason for result in report.failed]
            assert len(cluster.guests) == len(cases)
            running = [guest for guest in cluster.guests.values() if guest.running]
            assert len(running) >= len(cases) // 3
            server.writes.clear()
            for again in (wanted, _all_of(cases, shuffled), wanted):
                plan = await engine.plan(again)
                assert plan.counts() == {"none": len(cases)}, plan.explain()
                assert (await engine.apply(plan)).ok
            assert server.writes == []


class Counting(httpx.AsyncBaseTransport):
    """Passes requests on and remembers those that write."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.writes: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            self.writes.append(f"{request.method} {request.url.path}")
        return await self.inner.handle_async_request(request)


def _all_of(
    cases: Sequence[Case], config: Callable[[Case], Mapping[str, Any]]
) -> tuple[Manifest, ...]:
    """Return one manifest per case, each with a name of its own."""
    documents = [document(case, config(case)) for case in cases]
    for number, each in enumerate(documents):
        each["metadata"] = {"name": f"guest-{number}"}
        each["spec"] |= STATES[number % len(STATES)]
    random.Random(len(documents)).shuffle(documents)
    text = "---\n".join(json.dumps(each) + "\n" for each in documents)
    return load_text(text, version=cases[0].version)
