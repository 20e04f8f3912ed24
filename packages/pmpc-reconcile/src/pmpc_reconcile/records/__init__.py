"""What is remembered between runs: objects, plans, releases, who did what.

Every method is one short transaction in a thread; values come back in this package's words. What
the values mean is decided elsewhere (`plans`, `releases`).
"""

from __future__ import annotations

from pmpc_reconcile.records.objects import MARKER, ManagedRecord
from pmpc_reconcile.records.records import Records, lease_name
from pmpc_reconcile.records.releases import documents_of

__all__ = ["MARKER", "ManagedRecord", "Records", "documents_of", "lease_name"]
