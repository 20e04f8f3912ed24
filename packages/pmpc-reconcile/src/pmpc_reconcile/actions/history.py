"""`history`: releases and their revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import RevisionView
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.moments import show_moment

if TYPE_CHECKING:
    from pmpc_state import Revision


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
    revisions = await reconciler(context, on_event).history(value.release)
    return HistoryOutput(tuple(_view(revision) for revision in revisions))


def _view(revision: Revision) -> RevisionView:
    return RevisionView(
        release=revision.release,
        revision=revision.number,
        time=show_moment(revision.created_at),
        status=revision.status.value,
        description=revision.note or revision.action,
        objects=tuple(
            f"{document.get('kind')}/{document.get('metadata', {}).get('name')}"
            for document in revision.manifests
        ),
    )


SPEC = ActionSpec(
    name="history",
    summary="List the revisions of a release",
    risk=Risk.READ,
    input=HistoryInput,
    output=HistoryOutput,
    run=run,
    needs_client=False,
)
