"""How fresh everything is: when it was last proven, and what each sync read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table; what was seen so far was proven when it was seen."""
    op.add_column("volatile", sa.Column("proven_at", sa.BigInteger(), nullable=True))
    op.add_column("volatile", sa.Column("summary", sa.Text(), nullable=True))
    op.execute("UPDATE volatile SET proven_at = seen_at WHERE known")
    op.add_column("sync_run", sa.Column("mode", sa.Text(), nullable=False, server_default="full"))
    op.add_column("sync_run", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column("sync_run", sa.Column("figures", sa.Text(), nullable=True))
    op.create_table(
        "reading",
        sa.Column("cluster_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("cluster_id", "section", "scope", name="pk_reading"),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_reading_cluster_id"),
    )


def downgrade() -> None:
    """Remove them; the history stays."""
    op.drop_table("reading")
    for table, columns in (
        ("sync_run", ("figures", "seen_at", "mode")),
        ("volatile", ("summary", "proven_at")),
    ):
        for column in columns:
            op.drop_column(table, column)
