"""The catalogue of actions: every verb of the product, once, for every front door.

An action is one module with a typed input, a typed output, a risk and `run`. Here belongs what all
front doors share: choosing what to read, calling the engine, shaping the answer. Not here: parsing
of command lines, HTTP, presentation.
"""

from __future__ import annotations

from pmpc_reconcile.actions.catalogue import catalogue, find, invoke
from pmpc_reconcile.actions.plain import from_plain, to_plain
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk

__all__ = [
    "ActionContext",
    "ActionSpec",
    "Risk",
    "catalogue",
    "find",
    "from_plain",
    "invoke",
    "to_plain",
]
