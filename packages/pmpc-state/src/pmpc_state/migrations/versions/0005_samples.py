"""Tables of metrics."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the view of them."""
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resource_id", sa.Integer(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("resource_id", "metric", name="uq_series_resource_id_metric"),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], name="fk_series_resource_id"),
    )
    op.create_table(
        "sample",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("total", sa.Float(53), nullable=False),
        sa.Column("low", sa.Float(53), nullable=False),
        sa.Column("high", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "tier", "at", name="pk_sample"),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name="fk_sample_series_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sample_tier", "sample", ["tier", "at"])
    if op.get_bind().dialect.name == "sqlite":
        moment = "strftime('%Y-%m-%dT%H:%M:%SZ', p.at / 1000000, 'unixepoch')"
    else:
        moment = "to_timestamp(p.at / 1000000)"
    op.execute(
        f"""CREATE VIEW samples AS SELECT c.name AS cluster, r.kind AS kind, r.key AS key,
s.metric AS metric, p.tier AS seconds, {moment} AS at, p.total / p.count AS mean,
p.low AS low, p.high AS high, p.count AS count, r.uid AS uid
FROM sample p JOIN series s ON s.id = p.series_id JOIN resource r ON r.id = s.resource_id
JOIN cluster c ON c.id = r.cluster_id"""  # noqa: S608
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP VIEW samples")
    op.drop_table("sample")
    op.drop_table("series")
