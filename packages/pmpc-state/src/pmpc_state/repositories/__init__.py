"""Repositories: one module per thing the database keeps, each with a reader and a writer.

Belongs here: SQL, and turning rows into frozen values. Does not belong here: decisions about what
should be written (sync, reconcile) and transactions (database).
"""

from __future__ import annotations
