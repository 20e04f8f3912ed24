"""Diagnostics: what is wrong with a user's input, where it stands, and what to write instead.

Here belong the value that carries one finding, its text form, and the search for a near word.
Finding out *that* something is wrong belongs to whoever reads the input.
"""

from __future__ import annotations

from pmpc_reconcile.diagnostics.diagnostic import Diagnostic, Severity, error, note, warning
from pmpc_reconcile.diagnostics.suggestion import did_you_mean, suggest

__all__ = [
    "Diagnostic",
    "Severity",
    "did_you_mean",
    "error",
    "note",
    "suggest",
    "warning",
]
