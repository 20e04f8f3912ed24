"""Releases: what was applied, revision by revision, and what the next revision needs.

Pure decisions over plans and recorded revisions; reading and writing them is `records`.
"""

from __future__ import annotations

from pmpc_reconcile.releases.naming import check_release_name
from pmpc_reconcile.releases.revisions import needs_revision, rollback_target

__all__ = ["check_release_name", "needs_revision", "rollback_target"]
