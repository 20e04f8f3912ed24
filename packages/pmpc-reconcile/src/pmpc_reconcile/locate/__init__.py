"""Location: which object on the cluster an address means, and the proof that it is ours.

Here belong the decision (pure, `decision`) and the reading it needs (`search`). Never an adoption:
what cannot be proven ours is left alone.
"""

from __future__ import annotations

from pmpc_reconcile.locate.decision import (
    Found,
    Location,
    Missing,
    Recorded,
    Refused,
    Unknown,
    decide,
)
from pmpc_reconcile.locate.search import Locator

__all__ = [
    "Found",
    "Location",
    "Locator",
    "Missing",
    "Recorded",
    "Refused",
    "Unknown",
    "decide",
]
