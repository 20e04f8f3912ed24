"""`adopt`: write the manifests of what nobody manages, and prove that they change nothing."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.plans.model import Plan


@attrs.frozen
class AdoptInput:
    """Which objects.

    Attributes:
        names: Names, or vmids of guests; none for everything of these kinds but templates. What is
            named and the release manages already is taken as it is now.
        kinds: VirtualMachine, Container, Storage, Pool, Sdn, NodeNetwork or Firewall; none for
            every guest.
        release: The release they are to belong to.
        save: Store the plan; applying it makes them ours.
    """

    names: tuple[str, ...] = attrs.field(
        default=(), metadata={"help": "names, or vmids of guests; none for all"}
    )
    kinds: tuple[str, ...] = attrs.field(
        default=(), metadata={"help": "kinds of manifests; none for guests"}
    )
    release: str = attrs.field(default="default", metadata={"help": "name of the release"})
    save: bool = attrs.field(
        default=False, metadata={"help": "store the plan: applying it adopts them"}
    )


@attrs.frozen
class AdoptOutput:
    """The manifests and the proof.

    Attributes:
        text: The manifests as YAML.
        plan: The plan of these manifests; its steps only put our marker into descriptions.
        proven: Whether the plan changes no field of any object.
        left: What is left out, each with the reason.
    """

    text: str
    plan: Plan
    proven: bool
    left: tuple[str, ...]


async def run(context: ActionContext, value: AdoptInput, on_event: EventSink) -> AdoptOutput:
    """Read what is there, write its manifests, plan them.

    Raises:
        InputInvalid: There is no such object, or none that can be adopted.
    """
    engine = reconciler(context, on_event)
    adopted, plan = await engine.adopt(value.names, value.kinds, value.release, save=value.save)
    proven = not plan.errors and not plan.conflicts and not any(i.changes for i in plan.objects)
    return AdoptOutput(adopted.text, plan, proven, adopted.left)


SPEC = ActionSpec(
    name="adopt",
    summary="Write the manifests of guests and settings that nobody manages yet",
    risk=Risk.READ,
    input=AdoptInput,
    output=AdoptOutput,
    run=run,
)
