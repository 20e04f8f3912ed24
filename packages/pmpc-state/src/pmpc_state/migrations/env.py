"""Alembic's way in: runs migrations on the connection and in the transaction it is given."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from pmpc_state.database.versions import VERSION_TABLE
from pmpc_state.schema import metadata


def run() -> None:
    """Run the migrations Alembic chose on the connection in the configuration's attributes."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        transactional_ddl=True,  # true for SQLite too: our engine begins transactions itself
    )
    context.run_migrations()


run()
