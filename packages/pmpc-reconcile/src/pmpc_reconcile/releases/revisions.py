"""When a plan makes a revision, and which revision a rollback means."""

from __future__ import annotations

from collections.abc import Sequence

from pmpc_reconcile.errors import ReleaseNotFound
from pmpc_reconcile.plans.model import Plan, Purpose
from pmpc_state import Revision, RevisionStatus

_WHOLE = (RevisionStatus.APPLIED, RevisionStatus.SUPERSEDED)


def needs_revision(plan: Plan, newest: Revision | None) -> bool:
    """Return whether applying a plan makes a new revision.

    The same manifests applied again without anything to do make none.

    Args:
        plan: The plan.
        newest: The newest revision of its release, None before the first.
    """
    if newest is None or plan.steps or plan.purpose is not Purpose.APPLY:
        return True
    if newest.action == Purpose.DELETE.value or newest.status not in _WHOLE:
        return True
    before = [dict(document) for document in newest.manifests]
    return before != [dict(document) for document in plan.documents]


def rollback_target(release: str, revisions: Sequence[Revision], wanted: int | None) -> Revision:
    """Return the revision a rollback goes back to.

    Args:
        release: The release, for the message.
        revisions: Oldest first.
        wanted: Its number; None for the last one before the newest that was applied whole.

    Raises:
        ReleaseNotFound: There is no such revision.
    """
    if wanted is not None:
        for revision in revisions:
            if revision.number == wanted:
                return revision
        known = ", ".join(str(revision.number) for revision in revisions) or "none"
        raise ReleaseNotFound(f"release {release!r} has no revision {wanted}; it has {known}")
    earlier = [item for item in revisions[:-1] if item.status in _WHOLE]
    if not earlier:
        raise ReleaseNotFound(f"release {release!r} has no earlier revision to go back to")
    return earlier[-1]
