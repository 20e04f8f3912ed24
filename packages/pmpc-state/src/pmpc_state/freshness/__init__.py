"""How fresh the record is, and what to read again to keep it so.

Belongs here: pure decisions: what a list's entry says in short, which objects a sweep reads next.
Does not belong here: reading (discovery) and the database (repositories).
"""

from __future__ import annotations

from pmpc_state.freshness.summaries import summary_of
from pmpc_state.freshness.sweep import Sweep, Unit, choose

__all__ = ["Sweep", "Unit", "choose", "summary_of"]
