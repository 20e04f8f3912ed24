"""Pain: one stuck object holds up everything else; too much at once on one node."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.events import Event, StepDone, StepFailed, StepStarted
from pmpc_reconcile.execute.lanes import Pace
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.manifests import load_text
from pmpc_state import State
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from tests.lab.virtual_time import run_virtually

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {{name: web-{number}}}
spec:
  placement: {{nodes: [pve1]}}
  source: {{clone: {{template: debian-13, storage: shared}}}}
  config: {{cores: {cores}}}
"""


def stack(count: int, *, cores: int = 2) -> str:
    return "---".join(VM.format(number=number, cores=cores) for number in range(count))


class Timed:
    """An engine on the cluster's own time, which tells when each step began and ended."""

    def __init__(self, cluster: SimulatedCluster, database: Path, pace: Pace) -> None:
        self.cluster = cluster
        self.database = database
        self.patience = Patience(pace=pace)
        self.running: set[str] = set()
        self.most = 0
        self.ended: dict[str, float] = {}

    def told(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self.running.add(event.step_id)
            self.most = max(self.most, len(self.running))
        elif isinstance(event, (StepDone, StepFailed)):
            self.running.discard(event.step_id)
            self.ended[event.address] = self.cluster.clock.now()

    def apply(self, text: str) -> Any:
        return run_virtually(self.cluster.clock, lambda: self._apply(text))

    async def _apply(self, text: str) -> Any:
        now = self.cluster.clock.now
        with State.open(f"sqlite:///{self.database}", now=now) as state:
            async with AsyncClient(
                "https://pve1:8006",
                token=self.cluster.create_token("root@pam", "fair"),
                transport=self.cluster.async_transport(),
                now=now,
            ) as client:
                engine = Reconciler(
                    client, state, "lab", now=now, on_event=self.told, patience=self.patience
                )
                return await engine.apply(await engine.plan(load_text(text), "shop"))


def test_guests_that_are_locked_for_long_do_not_hold_up_the_others_of_their_node(
    furnished: Any, tmp_path: Path
) -> None:
    timed = Timed(furnished(), tmp_path / "state.db", Pace(first=2, least=2, most=2))
    assert timed.apply(stack(12)).ok
    clock, guests = timed.cluster.clock, timed.cluster.guests
    made = sorted(vmid for vmid, guest in guests.items() if not guest.template)
    for vmid in made[:6]:
        guests[vmid].config["lock"] = "backup"
        clock.after(600, partial(guests[vmid].config.__delitem__, "lock"))
    began = clock.now()
    assert timed.apply(stack(12, cores=4)).ok
    quick = [at - began for at in timed.ended.values() if at - began < 300]
    assert len(quick) == 6, "six are locked, and the node has room for two at once"
    assert clock.now() - began < 700


def test_no_more_steps_go_on_at_once_on_a_node_than_its_cap(furnished: Any, tmp_path: Path) -> None:
    timed = Timed(furnished(), tmp_path / "state.db", Pace(first=3, least=1, most=3))
    assert timed.apply(stack(12)).ok
    assert timed.most == 3
