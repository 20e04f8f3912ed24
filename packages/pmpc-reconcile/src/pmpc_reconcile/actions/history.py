"""`history`: releases and their revisions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.actions.paging import PageInput, choice_of, understood
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import RevisionView
from pmpc_reconcile.errors import ReleaseNotFound
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.moments import show_moment

if TYPE_CHECKING:
    from pmpc_state import Revision


@attrs.frozen
class HistoryInput(PageInput):
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
        items: By release, its oldest first, unless sorted otherwise.
        total: How many there are on all pages.
        next: Marker of the next page, None on the last.
    """

    items: tuple[RevisionView, ...]
    total: int = 0
    next: str | None = None


async def run(context: ActionContext, value: HistoryInput, on_event: EventSink) -> HistoryOutput:
    """Look into the recorded state.

    Raises:
        InputInvalid: The filter, the order or the page is not understood.
        ReleaseNotFound: There is no such release.
    """

    def read() -> HistoryOutput:
        releases = context.state.reader().releases
        if value.release is not None and releases.find(context.cluster, value.release) is None:
            raise ReleaseNotFound(f"release {value.release!r} was never applied")
        choice = choice_of(value, context.now)
        choice["sort"] = choice.get("sort") or ("release", "number")
        with understood():
            found = releases.revisions(
                context.cluster,
                value.release,
                newest=value.release is None,
                limit=value.limit,
                **choice,
            )
        return HistoryOutput(tuple(map(_view, found)), found.total, found.next)

    return await asyncio.to_thread(read)


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
