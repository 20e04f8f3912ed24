"""How an object on a cluster is recognised as ours.

Here belong the marker line kept in the object's own description and the evidence recorded next to
it. Pure: nothing here talks to a cluster or a database.
"""

from __future__ import annotations

from pmpc_reconcile.identity.evidence import Evidence, evidence_of
from pmpc_reconcile.identity.markers import (
    Marker,
    new_marker_id,
    read_marker,
    strip_marker,
    with_marker,
)

__all__ = [
    "Evidence",
    "Marker",
    "evidence_of",
    "new_marker_id",
    "read_marker",
    "strip_marker",
    "with_marker",
]
