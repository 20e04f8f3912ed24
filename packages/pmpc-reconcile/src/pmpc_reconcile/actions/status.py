"""`status`: the conditions of every object of the releases, seen now or by the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.moments import show_moment

if TYPE_CHECKING:
    from pmpc_state import ConditionRecord


@attrs.frozen
class StatusInput:
    """Which releases, and whether to look.

    Attributes:
        release: The release; all by default.
        last: Show what the loop last saw instead of asking the cluster.
    """

    release: str | None = attrs.field(
        default=None, metadata={"help": "name of the release; all by default"}
    )
    last: bool = attrs.field(
        default=False, metadata={"help": "what the loop last saw; do not ask the cluster"}
    )


@attrs.frozen
class ObjectStatus:
    """One object.

    Attributes:
        release: Its release.
        address: The object.
        conditions: Type to status: `true`, `false` or `unknown`.
        message: What is wrong, empty if nothing is.
        since: Since when the first wrong condition, or else `Synced`, is as it is.
        seen: When it was looked at.
    """

    release: str
    address: str
    conditions: dict[str, str]
    message: str
    since: str
    seen: str


@attrs.frozen
class StatusOutput:
    """The objects.

    Attributes:
        items: By release and address.
        notes: Why releases are shown as they were seen last.
    """

    items: tuple[ObjectStatus, ...]
    notes: tuple[str, ...] = ()


async def run(context: ActionContext, value: StatusInput, on_event: EventSink) -> StatusOutput:
    """Look at the releases, record their conditions and return them.

    A release the controller was healing when it died is not looked at: that would end what the
    next controller goes on with.

    Raises:
        ReleaseNotFound: There is no such release.
        ClientRequired: The cluster is to be asked, but no connection was given.
        PveError: The cluster cannot be read.
    """
    from pmpc_reconcile.controllers import MemoryQueue, ReconcileLoop
    from pmpc_reconcile.controllers.interrupted import GivenUp
    from pmpc_reconcile.errors import RunCutOff

    notes: list[str] = []
    engine = reconciler(context, on_event)
    if not value.last:
        context.connection()
        loop = ReconcileLoop(engine, MemoryQueue())
        there = () if value.release else await engine.records.releases()
        names = [value.release] if value.release else [item.name for item in there]
        for name in names:
            try:
                await loop.look(name, heal=False, given_up=GivenUp())
            except RunCutOff:
                notes.append(
                    f"release {name} is shown as it was seen last: its healing was cut off; "
                    "`pmpc controller` goes on with it, `pmpc plan` begins anew"
                )
    elif value.release:
        await engine.manifests_of(value.release)
    found = await engine.records.run(
        lambda: context.state.reader().controls.conditions(context.cluster, value.release)
    )
    return StatusOutput(_views(found), tuple(notes))


def _views(found: tuple[ConditionRecord, ...]) -> tuple[ObjectStatus, ...]:
    by_object: dict[tuple[str, str], list[ConditionRecord]] = {}
    for record in found:
        by_object.setdefault((record.release, record.address), []).append(record)
    return tuple(_view(records) for records in by_object.values())


def _view(records: list[ConditionRecord]) -> ObjectStatus:
    good = {"Synced": "true", "Healthy": "true"}
    wrong = [item for item in records if item.status != good.get(item.type, "false")]
    synced = next(item for item in records if item.type == "Synced")
    told = wrong[0] if wrong else synced
    messages = dict.fromkeys(f"{item.reason}: {item.message}".rstrip(": ") for item in wrong)
    return ObjectStatus(
        release=synced.release,
        address=synced.address,
        conditions={item.type: item.status for item in records},
        message="; ".join(messages),
        since=show_moment(told.changed_at),
        seen=show_moment(synced.seen_at),
    )


SPEC = ActionSpec(
    name="status",
    summary="Show the conditions of every object: synced, healthy, drifted, in conflict",
    risk=Risk.READ,
    input=StatusInput,
    output=StatusOutput,
    run=run,
    needs_client=False,
)
