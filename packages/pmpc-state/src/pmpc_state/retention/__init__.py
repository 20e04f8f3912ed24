"""Forgetting old history by a policy, so that what is kept stays exact.

Belongs here: which intervals go (pure) and removing them. Does not belong here: when it runs.
"""

from __future__ import annotations

from pmpc_state.retention.applying import Forgotten, forget_old
from pmpc_state.retention.policy import Retention

__all__ = ["Forgotten", "Retention", "forget_old"]
