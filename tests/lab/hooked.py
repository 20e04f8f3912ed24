"""What scenarios of hooks share: a small stack, what hooks left behind, and a command inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pmpc_reconcile.plans.model import Plan
from proxmox_client.testing.guests.agentcommands import CommandOutcome

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: NAME}
spec:
  source: {clone: {template: debian-13, storage: local-lvm}}
  config: {cores: CORES}
  MORE
---
"""
RELEASE = "apiVersion: pmpc/v1\nkind: Release\nmetadata: {name: shop}\nspec: {hooks: HOOKS}\n---\n"
POOL = """
apiVersion: pmpc/v1
kind: Pool
metadata: {name: shop}
spec: {comment: WORDS, hooks: HOOKS}
---
"""
SNAPSHOT = "{preApply: [{snapshot: {keep: 2}}]}"


def stack(
    cores: int = 2,
    hooks: str = SNAPSHOT,
    more: str = "state: stopped",
    names: Sequence[str] = ("web-1", "db-1"),
) -> str:
    guests = [
        VM.replace("NAME", name).replace("CORES", str(cores)).replace("MORE", more)
        for name in names
    ]
    return RELEASE.replace("HOOKS", hooks) + "".join(guests)


def snapshots(lab: Any, name: str = "web-1") -> list[str]:
    vmid = lab.vmid(name)
    rows = lab.cluster.call("GET", f"/nodes/pve1/qemu/{vmid}/snapshot")
    return [str(row["name"]) for row in rows if row["name"] != "current"]


def backups(lab: Any) -> list[str]:
    rows = lab.cluster.call("GET", "/nodes/pve1/storage/local/content", {"content": "backup"})
    return sorted(str(row["notes"]) for row in rows)


def ids(plan: Plan) -> list[str]:
    return [step.id.removeprefix("VirtualMachine/") for step in plan.steps]


def waits(plan: Plan) -> Mapping[str, set[str]]:
    """Return for each step everything that has to end well before, near or far."""
    direct = {step.id: step.after for step in plan.steps}

    def all_of(step_id: str) -> set[str]:
        near = set(direct.get(step_id, ()))
        return near.union(*(all_of(other) for other in near))

    return {step.id.removeprefix("VirtualMachine/"): all_of(step.id) for step in plan.steps}


async def done(lab: Any, plan: Plan, **options: Any) -> None:
    report = await lab.engine.apply(plan, **options)
    assert report.ok, [item.reason for item in (*report.failed, *report.skipped)]


class Inside:
    """A command inside the guests, and how often it was run."""

    def __init__(self, lab: Any, *, code: int = 0, seconds: float = 0.0) -> None:
        self.ran: list[list[str]] = []
        self.code = code
        self.seconds = seconds
        lab.cluster.agent_commands["freeze-db"] = self

    def __call__(self, arguments: Sequence[str], stdin: str) -> CommandOutcome:
        self.ran.append(list(arguments))
        return CommandOutcome(exit_code=self.code, seconds=self.seconds)


def awake(lab: Any, *names: str) -> None:
    """Let the agents of guests answer."""
    for name in names:
        lab.cluster.guests[lab.vmid(name)].agent_answers = True


async def with_a_command(lab: Any) -> tuple[Plan, Inside]:
    await lab.applied(stack(more="state: running", names=("web-1",)))
    awake(lab, "web-1")
    hooks = "{preApply: [{run: {command: [freeze-db, now]}}]}"
    plan = await lab.plan(stack(4, hooks, more="state: running", names=("web-1",)))
    return plan, Inside(lab, seconds=2.0)
