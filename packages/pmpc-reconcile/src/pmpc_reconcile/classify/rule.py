"""The values of the table: one rule per group of options."""

from __future__ import annotations

import enum
from collections.abc import Callable

import attrs

from pmpc_reconcile.diff import Action
from pmpc_reconcile.values import Absent, FieldValue

Value = FieldValue | Absent


class Effect(enum.Enum):
    """What it takes until a change counts."""

    LIVE = "live"
    RESTART = "needs-restart"
    STOP = "needs-stop"
    CREATE_ONLY = "create-only"
    REPLACE = "replace"


@attrs.frozen(kw_only=True)
class Rule:
    """What changes of some options take while the guest runs.

    Attributes:
        options: Options, families without an index.
        effect: What they take.
        source: How that is known.
        feature: The hot-plug feature without which the guest has to be restarted.
        keys: Only these keys of the property strings; None for every change.
        actions: Only these actions; None for all.
        slot: Only where the option as a whole comes or goes (True) or stays (False).
        unless: Whether the values before and after make it wait for a restart all the same.
    """

    options: frozenset[str]
    effect: Effect
    source: str
    feature: str | None = None
    keys: frozenset[str] | None = None
    actions: frozenset[Action] | None = None
    slot: bool | None = None
    unless: Callable[[Value, Value], bool] | None = None
