"""Views for people who bring their own SQL: one per kind, one of everything, one of changes."""

from __future__ import annotations

from collections.abc import Mapping

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Columns = Mapping[str, str]

_GUEST: Columns = {
    "vmid": "int:key",
    "name": "name",
    "node": "volatile:node",
    "status": "volatile:status",
    "tags": "text:config.tags",
    "template": "flag:facts.template",
    "lock": "facts:lock",
    "pool": "facts:pool",
    "ha_state": "facts:hastate",
    "cpus": "real:facts.maxcpu",
    "cpu_usage": "real:facts.cpu",
    "memory_bytes": "whole:facts.maxmem",
    "memory_used_bytes": "whole:facts.mem",
    "disk_bytes": "whole:facts.maxdisk",
    "uptime_seconds": "whole:facts.uptime",
}
_VIEWS: Mapping[str, tuple[str, Columns]] = {
    "nodes": (
        "node",
        {
            "node": "key",
            "status": "volatile:status",
            "address": "text:config.address",
            "version": "text:config.version",
            "kernel": "text:config.kernel",
            "cpu_model": "text:config.cpu.model",
            "cpus": "whole:config.cpu.cpus",
            "cpu_usage": "real:facts.cpu",
            "memory_bytes": "whole:config.memory",
            "memory_used_bytes": "whole:facts.mem",
            "disk_bytes": "whole:facts.maxdisk",
            "disk_used_bytes": "whole:facts.disk",
            "uptime_seconds": "whole:facts.uptime",
        },
    ),
    "vms": ("qemu", {**_GUEST, "pending": "json:pending"}),
    "containers": ("lxc", {**_GUEST, "pending": "json:pending"}),
    "storages": (
        "storage",
        {
            "storage": "key",
            "type": "text:config.type",
            "status": "volatile:status",
            "content": "text:config.content",
            "restricted_to": "text:config.nodes",
            "shared": "shared",
            "on_nodes": "json:facts.nodes",
        },
    ),
    "volumes": (
        "content",
        {
            "volid": "text:config.volid",
            "storage": "text:config.storage",
            "node": "volatile:node",
            "content": "text:config.content",
            "format": "text:config.format",
            "vmid": "whole:config.vmid",
            "size_bytes": "whole:config.size",
            "used_bytes": "whole:facts.used",
        },
    ),
    "pools": (
        "pool",
        {"pool": "key", "comment": "text:config.comment", "members": "json:config.members"},
    ),
}
_NAMES: Columns = {"qemu": "config.name", "lxc": "config.hostname", "content": "config.volid"}
"""Where the name of a kind is; others are called by their key."""

_FROM_NOW = """
FROM resource r
JOIN cluster c ON c.id = r.cluster_id
LEFT JOIN observation o ON o.resource_id = r.id AND o.valid_to IS NULL
LEFT JOIN blob b ON b.id = o.blob_id
LEFT JOIN volatile v ON v.resource_id = r.id
WHERE r.vanished_at IS NULL"""


def upgrade() -> None:
    """Make the views."""
    sql = _Sqlite() if op.get_bind().dialect.name == "sqlite" else _Postgres()
    for view, (kind, columns) in _VIEWS.items():
        op.execute(f"CREATE VIEW {view} AS {_now(sql, columns)} AND r.kind = '{kind}'")
    everything = {
        "kind": "kind",
        "key": "key",
        "name": "name",
        "node": "volatile:node",
        "status": "volatile:status",
    }
    op.execute(f"CREATE VIEW resources AS {_now(sql, everything)}")
    op.execute(f"CREATE VIEW tasks AS {_tasks(sql)}")
    op.execute(f"CREATE VIEW changes AS {_changes(sql)}")


def downgrade() -> None:
    """Drop the views."""
    for view in ("changes", "tasks", "resources", *_VIEWS):
        op.execute(f"DROP VIEW {view}")


class _Sqlite:
    """How SQLite reads our columns."""

    @staticmethod
    def get(document: str, path: str) -> str:
        return f"json_extract({document}, '$.{path}')"

    json = text = get

    def whole(self, document: str, path: str) -> str:
        return f"CAST({self.get(document, path)} AS INTEGER)"

    def real(self, document: str, path: str) -> str:
        return f"CAST({self.get(document, path)} AS REAL)"

    def flag(self, document: str, path: str) -> str:
        return f"CASE WHEN {self.get(document, path)} IN (1, '1') THEN 1 ELSE 0 END"

    @staticmethod
    def moment(column: str) -> str:
        seconds = f"strftime('%Y-%m-%dT%H:%M:%S', {column} / 1000000, 'unixepoch')"
        return f"{seconds} || printf('.%06dZ', {column} % 1000000)"


class _Postgres:
    """How PostgreSQL reads our columns."""

    @staticmethod
    def text(document: str, path: str) -> str:
        return f"({document})::json #>> '{{{path.replace('.', ',')}}}'"

    def json(self, document: str, path: str) -> str:
        return f"({self.text(document, path)})::json"

    def whole(self, document: str, path: str) -> str:
        return f"({self.text(document, path)})::numeric::bigint"

    def real(self, document: str, path: str) -> str:
        return f"({self.text(document, path)})::double precision"

    def flag(self, document: str, path: str) -> str:
        return f"CASE WHEN {self.text(document, path)} IN ('1', 'true') THEN 1 ELSE 0 END"

    @staticmethod
    def moment(column: str) -> str:
        return f"to_timestamp({column} / 1000000.0)"


_Dialect = _Sqlite | _Postgres


def _now(sql: _Dialect, columns: Columns) -> str:
    shown = [f"{_column(sql, source)} AS {name}" for name, source in columns.items()]
    return f"""SELECT c.name AS cluster, {", ".join(shown)},
v.known AS known, v.reason AS unknown_because,
{sql.moment("v.seen_at")} AS seen_at, {sql.moment("o.valid_from")} AS configured_since,
{sql.json("b.body", "config")} AS config, r.uid AS uid{_FROM_NOW}"""


def _column(sql: _Dialect, source: str) -> str:
    how, _, where = source.partition(":")
    if how in ("key", "kind"):
        return f"r.{how}"
    if how == "name":
        return _name(sql)
    if how == "shared":  # network storages are, without an option that says so
        shared = " OR ".join(f"v.facts LIKE '%\"shared\"_{yes}%'" for yes in ("1", "true"))
        return f"CASE WHEN {shared} THEN 1 ELSE 0 END"
    if how == "int":
        return f"CAST(r.{where} AS INTEGER)"
    if how == "volatile":
        return f"v.{where}"
    if how == "facts":
        return sql.text("v.facts", where)
    if where.startswith("facts."):
        document, path = "v.facts", where.removeprefix("facts.")
    else:
        document, path = "b.body", where
    read = {"text": sql.text, "json": sql.json, "whole": sql.whole, "real": sql.real}
    return sql.flag(document, path) if how == "flag" else read[how](document, path)


def _name(sql: _Dialect) -> str:
    cases = " ".join(
        f"WHEN '{kind}' THEN {sql.text('b.body', path)}" for kind, path in _NAMES.items()
    )
    return f"COALESCE(CASE r.kind {cases} END, r.key)"


def _tasks(sql: _Dialect) -> str:
    return f"""SELECT c.name AS cluster, t.upid AS upid, t.node AS node, t.type AS type,
t.object_id AS object_id, t."user" AS actor, t.status AS status,
{sql.moment("t.started_at")} AS started_at, {sql.moment("t.ended_at")} AS ended_at,
(t.ended_at - t.started_at) / 1000000.0 AS seconds
FROM task t JOIN cluster c ON c.id = t.cluster_id"""  # noqa: S608


def _changes(sql: _Dialect) -> str:
    """Every beginning of an interval, and every end that is not the beginning of the next."""
    return f"""WITH life AS (
SELECT o.resource_id, o.valid_from, o.valid_to, o.blob_id, o.task, o."user", o.end_task, o.end_user,
lag(o.valid_to) OVER w AS ended_before, lag(o.blob_id) OVER w AS blob_before,
lead(o.valid_from) OVER w AS begins_next
FROM observation o WINDOW w AS (PARTITION BY o.resource_id ORDER BY o.valid_from)
), told AS (
SELECT resource_id, valid_from AS at, CASE WHEN blob_before IS NULL THEN 'created'
WHEN ended_before = valid_from THEN 'changed' ELSE 'returned' END AS action,
task, "user" AS actor, CASE WHEN ended_before = valid_from THEN blob_before END AS old_id,
blob_id AS new_id FROM life
UNION ALL
SELECT resource_id, valid_to, 'vanished', end_task, end_user, blob_id, NULL FROM life
WHERE valid_to IS NOT NULL AND (begins_next IS NULL OR begins_next <> valid_to)
)
SELECT c.name AS cluster, {sql.moment("t.at")} AS at, t.action AS action, r.kind AS kind,
r.key AS key, {_name(sql)} AS name, t.actor AS actor, t.task AS task,
{sql.json("old.body", "config")} AS old_config, {sql.json("new.body", "config")} AS new_config,
r.uid AS uid
FROM told t
JOIN resource r ON r.id = t.resource_id
JOIN cluster c ON c.id = r.cluster_id
LEFT JOIN blob old ON old.id = t.old_id
LEFT JOIN blob new ON new.id = t.new_id
LEFT JOIN blob b ON b.id = COALESCE(t.new_id, t.old_id)"""  # noqa: S608
