"""What is different: between two documents, and between what is recorded and what was seen.

Belongs here: pure comparison. Does not belong here: which documents to compare (repositories) and
what a difference means for a plan (reconcile).
"""

from __future__ import annotations

from pmpc_state.diff.fields import compare_documents
from pmpc_state.diff.section import Delta, Recorded, Seen, compare, store_form

__all__ = ["Delta", "Recorded", "Seen", "compare", "compare_documents", "store_form"]
