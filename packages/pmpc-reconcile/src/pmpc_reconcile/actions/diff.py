"""`diff`: how the cluster differs from the manifests (drift)."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.planning.request import DEFAULT
from pmpc_reconcile.plans.model import ObjectPlan, Plan


@attrs.frozen
class DiffInput:
    """What to compare.

    Attributes:
        paths: Manifest files and folders; none and no text: the release's last revision.
        text: Manifests as text.
        release: The release.
    """

    paths: tuple[str, ...] = attrs.field(default=(), metadata={"help": "manifest files or folders"})
    text: str | None = attrs.field(default=None, metadata={"help": "manifests as text"})
    release: str = attrs.field(default=DEFAULT, metadata={"help": "name of the release"})


@attrs.frozen
class DiffOutput:
    """How they differ.

    Attributes:
        release: The release.
        drifted: Objects that differ, with changes and conflicts.
        clean: Addresses of objects that are as declared.
        plan: The plan behind it, not stored.
    """

    release: str
    drifted: tuple[ObjectPlan, ...]
    clean: tuple[str, ...]
    plan: Plan


async def run(context: ActionContext, value: DiffInput, on_event: EventSink) -> DiffOutput:
    """Plan without storing and keep what differs.

    Raises:
        ManifestInvalid: The manifests have mistakes.
        ReleaseNotFound: No manifests were given and there is no such release.
    """
    from pmpc_reconcile.actions.sources import read_manifests

    engine = reconciler(context, on_event)
    if value.paths or value.text is not None:
        manifests = read_manifests(value.paths, value.text)
    else:
        manifests = await engine.manifests_of(value.release)
    named = None if value.release == DEFAULT else value.release
    plan = await engine.plan(manifests, named, save=False)
    drifted = tuple(item for item in plan.objects if item.differs)
    clean = tuple(item.address for item in plan.objects if not item.differs)
    return DiffOutput(plan.release, drifted, clean, plan)


SPEC = ActionSpec(
    name="diff",
    summary="Show how the cluster differs from the manifests",
    risk=Risk.READ,
    input=DiffInput,
    output=DiffOutput,
    run=run,
)
