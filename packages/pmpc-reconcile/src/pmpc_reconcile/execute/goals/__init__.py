"""The goal of each type of step: when it is reached and which request is missing until then.

Here belongs, per type of step, looking at the object and choosing the next request. Not here:
journal, retries, waiting (`drive`).
"""

from __future__ import annotations

from pmpc_reconcile.execute.goals.registry import goal_for

__all__ = ["goal_for"]
