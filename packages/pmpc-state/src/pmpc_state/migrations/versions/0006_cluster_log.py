"""The cluster's log, which names who made edits that leave no task."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "log_line",
        sa.Column("cluster_id", sa.Integer(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cluster_id", "node", "at", "uid", name="pk_log_line"),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_log_line_cluster_id"),
    )
    op.create_index("ix_log_line_at", "log_line", ["cluster_id", "at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("log_line")
