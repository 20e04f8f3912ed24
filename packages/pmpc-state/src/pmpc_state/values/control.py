"""What people told the reconcile loop, and the conditions it last found."""

from __future__ import annotations

from datetime import datetime

import attrs


@attrs.frozen
class Control:
    """What somebody told the loop.

    Attributes:
        cluster: The cluster.
        release: The release; empty for every release.
        address: The object in it; empty for the whole release.
        suspended: True to leave it alone, False to go on, None to leave it to the wider word.
        self_heal: True to undo drift, False to only report it, None as above.
        reason: Why, in their words.
        actor: Who said it.
        changed_at: When.
    """

    cluster: str
    release: str
    address: str
    suspended: bool | None
    self_heal: bool | None
    reason: str
    actor: str
    changed_at: datetime


@attrs.frozen
class ConditionRecord:
    """A condition of an object as it was last seen.

    Attributes:
        type: Such as `Synced` or `Drifted`.
        status: `true`, `false` or `unknown`.
        reason: One word for programs.
        message: A sentence for people.
        changed_at: Since when the status is what it is.
        seen_at: When somebody last looked.
    """

    cluster: str
    release: str
    address: str
    type: str
    status: str
    reason: str
    message: str
    changed_at: datetime
    seen_at: datetime
