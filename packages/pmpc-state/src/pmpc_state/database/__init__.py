"""Opening databases: engines for SQLite and PostgreSQL, transactions, versions, the key file.

Belongs here: what differs between the two databases, and what decides whether a database may be
used at all. Does not belong here: what is stored (schema) and how it is asked for (repositories).
"""

from __future__ import annotations
