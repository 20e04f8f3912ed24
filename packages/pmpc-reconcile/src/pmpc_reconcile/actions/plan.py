"""`plan`: what an apply would do, without doing it."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.approvals import Approval
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.plan.caps import MOST_DELETED
from pmpc_reconcile.plan.model import Plan
from pmpc_reconcile.staleness import StaleObject


@attrs.frozen
class PlanInput:
    """What is wanted.

    Attributes:
        paths: Manifest files and folders.
        text: Manifests as text, instead of or besides paths.
        release: The release they belong to.
        resolve: How to settle conflicts: `VirtualMachine/web-1:config.cores` or just
            `config.cores` to `ours`, `theirs` or `ignore`.
        max_delete: Most objects that pruning deletes.
        restart: Restart guests of the policy `on-demand` that have options waiting for it.
        prune: Delete objects of the release that the manifests no longer have.
        needs_approval: Let it be applied only after somebody else approved it.
        save: Store the plan so that it can be applied by its id.
    """

    paths: tuple[str, ...] = attrs.field(default=(), metadata={"help": "manifest files or folders"})
    text: str | None = attrs.field(default=None, metadata={"help": "manifests as text"})
    release: str = attrs.field(default="default", metadata={"help": "name of the release"})
    resolve: Mapping[str, str] = attrs.field(
        factory=dict[str, str],
        metadata={"help": "settle conflicts: FIELD or ADDRESS:FIELD = ours, theirs or ignore"},
    )
    prune: bool = attrs.field(
        default=False, metadata={"help": "delete objects the manifests no longer have"}
    )
    max_delete: int = attrs.field(
        default=MOST_DELETED, metadata={"help": "most objects that pruning deletes"}
    )
    restart: bool = attrs.field(
        default=False, metadata={"help": "restart guests that wait for it, if on-demand"}
    )
    needs_approval: bool = attrs.field(
        default=False, metadata={"help": "somebody else has to approve it before it is applied"}
    )
    save: bool = attrs.field(default=True, metadata={"help": "store the plan for a later apply"})


@attrs.frozen
class PlanOutput:
    """The plan.

    Attributes:
        plan: What would be done, and why.
        saved: Whether it can be applied by its id.
        approvals: Who approved it.
        stale: Which of its guests changed since it was made, where that was asked for.
    """

    plan: Plan
    saved: bool
    approvals: tuple[Approval, ...] = ()
    stale: tuple[StaleObject, ...] = ()


async def run(context: ActionContext, value: PlanInput, on_event: EventSink) -> PlanOutput:
    """Read manifests and cluster, compare, plan.

    Raises:
        ManifestInvalid: The manifests have mistakes.
    """
    from pmpc_reconcile.actions.sources import read_manifests

    manifests = read_manifests(value.paths, value.text)
    engine = reconciler(context, on_event)
    plan = await engine.plan(
        manifests,
        value.release,
        resolve=value.resolve,
        prune=value.prune,
        most_deleted=value.max_delete,
        restart=("*",) if value.restart else (),
        needs_approval=value.needs_approval,
        save=value.save,
    )
    return PlanOutput(plan, value.save)


SPEC = ActionSpec(
    name="plan",
    summary="Show what an apply would do",
    risk=Risk.READ,
    input=PlanInput,
    output=PlanOutput,
    run=run,
)
