"""How long an apply of many clones takes in a simulated cluster's own time."""

from __future__ import annotations

from pathlib import Path

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.execute.lanes import Pace
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.manifests import load_text
from pmpc_state import State
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from tests.lab.virtual_time import run_virtually

CLONE = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {{name: web-{number}}}
spec:
  placement: {{nodes: [pve{node}]}}
  source: {{clone: {{template: debian-13, storage: shared}}}}
  config: {{cores: 2}}
  state: running
"""


def clones(count: int) -> str:
    """Return manifests of clones on three nodes."""
    return "---".join(CLONE.format(number=number, node=number % 3 + 1) for number in range(count))


def seconds_for_clones(
    cluster: SimulatedCluster, database: Path, count: int, *, width: int | None = None
) -> float:
    """Apply clones and return how long that took by the cluster's clock.

    Args:
        cluster: The cluster, with a template `debian-13`.
        database: File of the state.
        count: How many clones.
        width: A fixed number of steps at once on a node; None lets the engine find one.
    """
    pace = Pace() if width is None else Pace(first=width, least=width, most=width)

    async def apply() -> float:
        clock = cluster.clock
        with State.open(f"sqlite:///{database}", now=clock.now) as state:
            async with AsyncClient(
                "https://pve1:8006",
                token=cluster.create_token("root@pam", "clones"),
                transport=cluster.async_transport(),
                now=clock.now,
            ) as client:
                engine = Reconciler(
                    client, state, "lab", now=clock.now, patience=Patience(pace=pace)
                )
                plan = await engine.plan(load_text(clones(count)), "shop")
                began = clock.now()
                report = await engine.apply(plan)
                assert report.ok, [result.reason for result in report.failed]
                return clock.now() - began

    return run_virtually(cluster.clock, apply)
