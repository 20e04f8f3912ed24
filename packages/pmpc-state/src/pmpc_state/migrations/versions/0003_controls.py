"""Tables of the reconcile loop: controls and conditions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "control",
        sa.Column("cluster_id", sa.Integer(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=True),
        sa.Column("self_heal", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("cluster_id", "release", "address", name="pk_control"),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_control_cluster_id"),
    )
    op.create_table(
        "condition",
        sa.Column("cluster_id", sa.Integer(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("cluster_id", "release", "address", "type", name="pk_condition"),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_condition_cluster_id"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("condition")
    op.drop_table("control")
