"""What every step of a plan has."""

from __future__ import annotations

from typing import ClassVar

import attrs

from pmpc_reconcile.risk import Risk


@attrs.frozen(kw_only=True)
class Step:
    """What every step has.

    Attributes:
        id: Unique in the plan and the same for the same work: `VirtualMachine/web-1#configure`.
        address: The object.
        summary: One line for people.
        reason: Why the step is here.
        after: Ids of steps that must have ended well before.
        locks: What the step must have for itself: `guest:100`, `template:9000`, …
        downtime: Expected interruption of the guest: `none`, `restart`, `stop`, `until started`.
        inverse: What would undo it, None if nothing can.
    """

    type: ClassVar[str]
    risk: ClassVar[Risk] = Risk.CHANGE

    id: str
    address: str
    summary: str
    reason: str = ""
    after: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    downtime: str = "none"
    inverse: str | None = None
