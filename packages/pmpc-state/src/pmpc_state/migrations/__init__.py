"""How a database gets from one version of the tables to the next, and back.

Belongs here: the Alembic environment and one hand-written module per version. A migration says
in full what it does and imports nothing of the schema, which moves on.
"""

from __future__ import annotations

from typing import Final

NEWEST: Final = "0008"
"""The version this code works with; kept here so that opening a database needs no Alembic."""
