"""`history`: releases and their revisions."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import RevisionView
from pmpc_reconcile.events import EventSink


@attrs.frozen
class HistoryInput:
    """Which release.

    Attributes:
        release: The release; the last revision of every release by default.
    """

    release: str | None = attrs.field(
        default=None, metadata={"help": "name of the release; all by default"}
    )


@attrs.frozen
class HistoryOutput:
    """The revisions.

    Attributes:
        items: Oldest first.
    """

    items: tuple[RevisionView, ...]


async def run(context: ActionContext, value: HistoryInput, on_event: EventSink) -> HistoryOutput:
    """Look into the recorded state.

    Raises:
        ReleaseNotFound: There is no such release.
    """
    return HistoryOutput(await reconciler(context, on_event).history(value.release))


SPEC = ActionSpec(
    name="history",
    summary="List the revisions of a release",
    risk=Risk.READ,
    input=HistoryInput,
    output=HistoryOutput,
    run=run,
    needs_client=False,
)
