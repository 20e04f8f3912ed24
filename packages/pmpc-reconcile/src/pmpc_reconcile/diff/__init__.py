"""Diff: what to change on an object, field by field, and the calls' parameters that do it.

Pure functions over fields: what the manifest wants, what the server shows, what we recorded of our
last apply. When and in which order anything is sent belongs to the plan.
"""

from __future__ import annotations

from pmpc_reconcile.diff.before import BEFORE, before_text, before_us, read_before
from pmpc_reconcile.diff.change import Action, Claim, Diff, FieldChange
from pmpc_reconcile.diff.create import create_options
from pmpc_reconcile.diff.pending import pending_options
from pmpc_reconcile.diff.threeway import three_way
from pmpc_reconcile.diff.wire import Move, Resize, Wire, to_wire

__all__ = [
    "BEFORE",
    "Action",
    "Claim",
    "Diff",
    "FieldChange",
    "Move",
    "Resize",
    "Wire",
    "before_text",
    "before_us",
    "create_options",
    "pending_options",
    "read_before",
    "three_way",
    "to_wire",
]
