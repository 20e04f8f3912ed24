"""Diff: what to change on an object, field by field, and the calls' parameters that do it.

Pure functions over fields: what the manifest wants, what the server shows, what we recorded of our
last apply. When and in which order anything is sent belongs to the plan.
"""

from __future__ import annotations

from pmpc_reconcile.diff.change import Action, Claim, Diff, FieldChange
from pmpc_reconcile.diff.create import create_options
from pmpc_reconcile.diff.pending import pending_options
from pmpc_reconcile.diff.threeway import three_way
from pmpc_reconcile.diff.wire import Move, Resize, Wire, to_wire

__all__ = [
    "Action",
    "Claim",
    "Diff",
    "FieldChange",
    "Move",
    "Resize",
    "Wire",
    "create_options",
    "pending_options",
    "three_way",
    "to_wire",
]
