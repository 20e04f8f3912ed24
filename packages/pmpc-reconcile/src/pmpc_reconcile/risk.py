"""How much something can hurt: the scale actions, plans and steps are measured on."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Risk(enum.Enum):
    """How much an action or a step can hurt.

    `READ` changes nothing on the cluster, `CHANGE` changes configuration, `DISRUPTIVE` may
    interrupt a guest, `DESTRUCTIVE` may lose data.
    """

    READ = "read"
    CHANGE = "change"
    DISRUPTIVE = "disruptive"
    DESTRUCTIVE = "destructive"

    @property
    def rank(self) -> int:
        """Return the place in the order from harmless to destructive."""
        return list(Risk).index(self)


def highest(risks: Iterable[Risk]) -> Risk:
    """Return the worst of them; `READ` if there are none."""
    return max(risks, key=lambda risk: risk.rank, default=Risk.READ)
