"""First tables: what was seen, what was asked for, what is being done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    _setting_and_cluster()
    _resources()
    _snapshots_and_syncs()
    _plans_and_journal()
    _releases()
    _leases_and_audit()


def downgrade() -> None:
    """Drop every table, those that refer to others first."""
    for table in (
        "audit",
        "lease",
        "field_owner",
        "managed",
        "revision",
        "release",
        "journal_step",
        "journal_run",
        "plan",
        "task",
        "sync_section",
        "sync_run",
        "snapshot",
        "volatile",
        "observation",
        "blob",
        "resource",
        "cluster",
        "setting",
    ):
        op.drop_table(table)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _moment(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), nullable=False)


def _primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")


def _setting_and_cluster() -> None:
    op.create_table("setting", _text("name"), _text("value"), _primary("setting", "name"))
    op.create_table(
        "cluster",
        _id(),
        _text("name"),
        _moment("created_at"),
        _moment("latest_at"),
        _primary("cluster", "id"),
        _unique("cluster", "name"),
    )


def _resources() -> None:
    op.create_table(
        "resource",
        _id(),
        _text("uid"),
        _number("cluster_id"),
        _text("kind"),
        _text("key"),
        _text("identity"),
        _moment("created_at"),
        _moment("vanished_at", null=True),
        _primary("resource", "id"),
        _unique("resource", "uid"),
        _foreign("resource", "cluster_id", "cluster.id"),
    )
    op.create_index("ix_resource_natural", "resource", ["cluster_id", "kind", "key"])
    op.create_index(
        "uq_resource_present",
        "resource",
        ["cluster_id", "kind", "key"],
        unique=True,
        sqlite_where=sa.text("vanished_at IS NULL"),
        postgresql_where=sa.text("vanished_at IS NULL"),
    )
    op.create_table(
        "blob",
        _id(),
        _text("hash"),
        _text("body"),
        _primary("blob", "id"),
        _unique("blob", "hash"),
    )
    op.create_table(
        "observation",
        _id(),
        _number("resource_id"),
        _moment("valid_from"),
        _moment("valid_to", null=True),
        _number("blob_id"),
        _text("task", null=True),
        _text("user", null=True),
        _text("end_task", null=True),
        _text("end_user", null=True),
        _primary("observation", "id"),
        _unique("observation", "resource_id", "valid_from"),
        _foreign("observation", "resource_id", "resource.id"),
        _foreign("observation", "blob_id", "blob.id"),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_observation_interval")
        ),
    )
    op.create_index("ix_observation_valid_from", "observation", ["valid_from"])
    op.create_index("ix_observation_valid_to", "observation", ["valid_to"])
    op.create_index(
        "uq_observation_open",
        "observation",
        ["resource_id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "volatile",
        _number("resource_id"),
        _text("node", null=True),
        _text("status", null=True),
        _text("facts"),
        sa.Column("known", sa.Boolean(), nullable=False),
        _text("reason", null=True),
        _moment("seen_at", null=True),
        _primary("volatile", "resource_id"),
        _foreign("volatile", "resource_id", "resource.id"),
    )


def _snapshots_and_syncs() -> None:
    op.create_table(
        "snapshot",
        _id(),
        _number("cluster_id"),
        _moment("taken_at"),
        _text("root_hash"),
        _number("resources"),
        _text("name"),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        _primary("snapshot", "id"),
        _unique("snapshot", "cluster_id", "name"),
        _foreign("snapshot", "cluster_id", "cluster.id"),
    )
    op.create_table(
        "sync_run",
        _id(),
        _number("cluster_id"),
        _moment("started_at"),
        _moment("finished_at", null=True),
        _text("status"),
        sa.Column("token", sa.BigInteger(), nullable=False),
        _primary("sync_run", "id"),
        _foreign("sync_run", "cluster_id", "cluster.id"),
    )
    op.create_index("ix_sync_run_cluster", "sync_run", ["cluster_id", "started_at"])
    op.create_table(
        "sync_section",
        _number("run_id"),
        _text("section"),
        _text("status"),
        _moment("finished_at"),
        _text("counts"),
        _text("failures"),
        _primary("sync_section", "run_id", "section"),
        _foreign("sync_section", "run_id", "sync_run.id"),
    )
    op.create_table(
        "task",
        _number("cluster_id"),
        _text("upid"),
        _text("node"),
        _text("type"),
        _text("object_id"),
        _text("user"),
        _moment("started_at"),
        _moment("ended_at", null=True),
        _text("status", null=True),
        _primary("task", "cluster_id", "upid"),
        _foreign("task", "cluster_id", "cluster.id"),
    )
    op.create_index("ix_task_object", "task", ["cluster_id", "object_id", "started_at"])
    op.create_index("ix_task_started", "task", ["cluster_id", "started_at"])


def _plans_and_journal() -> None:
    op.create_table(
        "plan",
        _text("id"),
        _number("cluster_id"),
        _text("release"),
        _number("version"),
        _text("status"),
        _text("actor"),
        _moment("created_at"),
        _moment("updated_at"),
        _text("document"),
        _primary("plan", "id"),
        _foreign("plan", "cluster_id", "cluster.id"),
    )
    op.create_index("ix_plan_cluster", "plan", ["cluster_id", "created_at"])
    op.create_table(
        "journal_run",
        _text("id"),
        _number("cluster_id"),
        _text("release"),
        _text("plan_id", null=True),
        _text("actor"),
        _text("lease"),
        sa.Column("token", sa.BigInteger(), nullable=False),
        _text("status"),
        _moment("started_at"),
        _moment("finished_at", null=True),
        _primary("journal_run", "id"),
        _foreign("journal_run", "cluster_id", "cluster.id"),
        _foreign("journal_run", "plan_id", "plan.id"),
    )
    op.create_index("ix_journal_run_cluster", "journal_run", ["cluster_id", "started_at"])
    op.create_table(
        "journal_step",
        _text("run_id"),
        _text("step"),
        _number("position"),
        _text("address"),
        _text("phase"),
        _text("intent"),
        _text("upid", null=True),
        _text("result", null=True),
        _text("error", null=True),
        _moment("intent_at"),
        _moment("called_at", null=True),
        _moment("upid_at", null=True),
        _moment("done_at", null=True),
        _moment("failed_at", null=True),
        _moment("verified_at", null=True),
        _primary("journal_step", "run_id", "step"),
        _foreign("journal_step", "run_id", "journal_run.id"),
    )


def _releases() -> None:
    op.create_table(
        "release",
        _id(),
        _number("cluster_id"),
        _text("name"),
        _moment("created_at"),
        _moment("deleted_at", null=True),
        _primary("release", "id"),
        _unique("release", "cluster_id", "name"),
        _foreign("release", "cluster_id", "cluster.id"),
    )
    op.create_table(
        "revision",
        _number("release_id"),
        _number("number"),
        _moment("created_at"),
        _text("actor"),
        _text("action"),
        _text("status"),
        _text("plan_id", null=True),
        _text("manifests"),
        _text("note"),
        _primary("revision", "release_id", "number"),
        _foreign("revision", "release_id", "release.id"),
        _foreign("revision", "plan_id", "plan.id"),
    )
    op.create_table(
        "managed",
        _number("release_id"),
        _text("address"),
        _text("kind"),
        _text("key"),
        _text("identity"),
        _moment("recorded_at"),
        _primary("managed", "release_id", "address"),
        _foreign("managed", "release_id", "release.id"),
    )
    op.create_index("ix_managed_natural", "managed", ["kind", "key"])
    op.create_table(
        "field_owner",
        _number("release_id"),
        _text("address"),
        _text("path"),
        _text("applied", null=True),
        _text("fingerprint", null=True),
        _moment("recorded_at"),
        _primary("field_owner", "release_id", "address", "path"),
        sa.ForeignKeyConstraint(
            ["release_id", "address"],
            ["managed.release_id", "managed.address"],
            name="fk_field_owner_release_id_address",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "(applied IS NULL) <> (fingerprint IS NULL)", name=op.f("ck_field_owner_one_value")
        ),
    )


def _leases_and_audit() -> None:
    op.create_table(
        "lease",
        _text("name"),
        _text("holder"),
        sa.Column("token", sa.BigInteger(), nullable=False),
        _moment("acquired_at"),
        _moment("expires_at"),
        _primary("lease", "name"),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), nullable=False, autoincrement=False),
        _moment("at"),
        _text("cluster"),
        _text("actor"),
        _text("action"),
        _text("subject"),
        _text("detail"),
        _text("previous"),
        _text("hash"),
        _primary("audit", "seq"),
        _unique("audit", "hash"),
    )
