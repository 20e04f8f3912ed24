"""How much one run may delete unless more is allowed: a wrong folder costs little then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from pmpc_reconcile.diagnostics import error
from pmpc_reconcile.plans.model import ObjectAction

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.plans.situation import Built

MOST_DELETED: Final = 10
"""Most objects pruning deletes in one run unless more is allowed."""


def too_many_deletions(built: Iterable[Built], most: int | None) -> Iterator[Diagnostic]:
    """Say if a plan would delete more than it may.

    Args:
        built: What planning the objects gave.
        most: Most deletions; None for any number.
    """
    deleting = (ObjectAction.DELETE, ObjectAction.REPLACE)
    gone = [one.item.address for one in built if one.item.action in deleting]
    if most is not None and len(gone) > most:
        yield error(
            f"{len(gone)} objects would be deleted, more than {most}: {', '.join(gone[:5])}, …",
            hint=f"look whether all manifests were given; --max-delete {len(gone)} allows it",
        )
