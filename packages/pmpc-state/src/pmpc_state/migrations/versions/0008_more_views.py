"""Views of the kinds that had none: what is set up on nodes, disks, Ceph, and the rest.

Builds its SQL by itself though 0007 does alike: a migration is history, and must go on making what
it made whatever becomes of another.
"""

from __future__ import annotations

from collections.abc import Mapping

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Columns = Mapping[str, str]
"""Column by name: `key`, `kind`, `node`, or how and which option of the configuration is read."""

_VIEWS: Mapping[str, tuple[tuple[str, ...], Columns]] = {
    "second_factors": (
        ("tfa",),
        {
            "id": "text:id",
            "type": "text:type",
            "description": "text:description",
            "enabled": "flag:enable",
            "created": "whole:created",
        },
    ),
    "vnet_firewalls": (
        ("vnet-firewall",),
        {
            "vnet": "key",
            "enabled": "flag:options.enable",
            "policy_forward": "text:options.policy_forward",
            "rules": "text:rules",
        },
    ),
    "node_dns": (
        ("node-dns",),
        {
            "node": "node",
            "search": "text:search",
            "dns1": "text:dns1",
            "dns2": "text:dns2",
            "dns3": "text:dns3",
        },
    ),
    "node_hosts": (("node-hosts",), {"node": "node", "data": "text:data"}),
    "node_times": (("node-time",), {"node": "node", "timezone": "text:timezone"}),
    "node_options": (
        ("node-config",),
        {
            "node": "node",
            "description": "text:description",
            "location": "text:location",
            "acme": "text:acme",
            "wakeonlan": "text:wakeonlan",
            "startall_onboot_delay": "whole:startall-onboot-delay",
            "ballooning_target": "whole:ballooning-target",
        },
    ),
    "certificates": (
        ("node-certificate",),
        {
            "node": "node",
            "filename": "text:filename",
            "subject": "text:subject",
            "issuer": "text:issuer",
            "names": "text:san",
            "fingerprint": "text:fingerprint",
            "not_before": "whole:notbefore",
            "not_after": "whole:notafter",
            "public_key_type": "text:public-key-type",
            "public_key_bits": "whole:public-key-bits",
        },
    ),
    "package_repositories": (
        ("node-repositories",),
        {
            "node": "node",
            "files": "text:files",
            "standard": "text:standard-repos",
            "infos": "text:infos",
            "errors": "text:errors",
        },
    ),
    "subscriptions": (
        ("node-subscription",),
        {
            "node": "node",
            "subscription": "text:status",
            "level": "text:level",
            "product": "text:productname",
            "sockets": "whole:sockets",
            "registered": "text:regdate",
            "next_due": "text:nextduedate",
        },
    ),
    "disks": (
        ("node-disk",),
        {
            "node": "node",
            "devpath": "text:devpath",
            "type": "text:type",
            "vendor": "text:vendor",
            "model": "text:model",
            "serial": "text:serial",
            "wwn": "text:wwn",
            "size_bytes": "whole:size",
            "used": "text:used",
            "mounted": "flag:mounted",
        },
    ),
    "directories": (
        ("node-directory",),
        {
            "node": "node",
            "path": "text:path",
            "device": "text:device",
            "type": "text:type",
            "options": "text:options",
        },
    ),
    "volume_groups": (
        ("node-lvm",),
        {
            "node": "node",
            "volume_group": "text:name",
            "size_bytes": "whole:size",
            "physical_volumes": "text:children",
        },
    ),
    "thin_pools": (
        ("node-lvmthin",),
        {
            "node": "node",
            "volume_group": "text:vg",
            "logical_volume": "text:lv",
            "size_bytes": "whole:lv_size",
            "metadata_size_bytes": "whole:metadata_size",
        },
    ),
    "zfs_pools": (
        ("node-zfs",),
        {"node": "node", "zpool": "text:name", "size_bytes": "whole:size"},
    ),
    "corosync_nodes": (
        ("corosync-node",),
        {
            "name": "key",
            "nodeid": "whole:nodeid",
            "votes": "whole:quorum_votes",
            "ring0": "text:ring0_addr",
            "ring1": "text:ring1_addr",
        },
    ),
    "corosync": (
        ("corosync-totem",),
        {
            "cluster_name": "text:cluster_name",
            "ip_version": "text:ip_version",
            "link_mode": "text:link_mode",
            "secauth": "text:secauth",
        },
    ),
    "ceph_flags": (("ceph-flag",), {"name": "key", "value": "flag:value"}),
    "ceph_pools": (
        ("ceph-pool",),
        {
            "name": "key",
            "type": "text:type",
            "copies": "whole:size",
            "min_copies": "whole:min_size",
            "pg_num": "whole:pg_num",
            "pg_autoscale_mode": "text:pg_autoscale_mode",
            "crush_rule_name": "text:crush_rule_name",
        },
    ),
    "ceph_filesystems": (
        ("ceph-fs",),
        {
            "name": "key",
            "data_pools": "text:data_pools",
            "metadata_pool": "text:metadata_pool",
        },
    ),
    "ceph_daemons": (
        ("ceph-mon", "ceph-mgr", "ceph-mds"),
        {
            "kind": "kind",
            "name": "key",
            "host": "text:host",
            "addr": "text:addr",
            "fs_name": "text:fs_name",
            "version": "text:ceph_version_short",
        },
    ),
    "ceph_config": (
        ("ceph-config",),
        {
            "section": "text:section",
            "mask": "text:mask",
            "name": "text:name",
            "value": "text:value",
            "level": "text:level",
        },
    ),
    "metric_servers": (
        ("metric-server",),
        {
            "id": "key",
            "type": "text:type",
            "server": "text:server",
            "port": "whole:port",
            "disabled": "flag:disable",
        },
    ),
    "acme_accounts": (("acme-account",), {"name": "key"}),
    "acme_plugins": (
        ("acme-plugin",),
        {
            "plugin": "key",
            "type": "text:type",
            "api": "text:api",
            "nodes": "text:nodes",
            "disabled": "flag:disable",
        },
    ),
    "cpu_models": (
        ("cpu-model",),
        {
            "cputype": "key",
            "reported_model": "text:reported-model",
            "flags": "text:flags",
            "hidden": "flag:hidden",
        },
    ),
}
_FROM_NOW = """
FROM resource r
JOIN cluster c ON c.id = r.cluster_id
LEFT JOIN observation o ON o.resource_id = r.id AND o.valid_to IS NULL
LEFT JOIN blob b ON b.id = o.blob_id
LEFT JOIN volatile v ON v.resource_id = r.id"""


def upgrade() -> None:
    """Make the views."""
    sql = _Sqlite() if op.get_bind().dialect.name == "sqlite" else _Postgres()
    for view, (kinds, columns) in _VIEWS.items():
        shown = ", ".join(f"{_column(sql, how)} AS {name}" for name, how in columns.items())
        among = ", ".join(f"'{kind}'" for kind in kinds)
        op.execute(
            f"CREATE VIEW {view} AS SELECT c.name AS cluster, {shown}, {_shared(sql)}{_FROM_NOW}\n"
            f"WHERE r.vanished_at IS NULL AND r.kind IN ({among})"
        )
    op.execute(f"CREATE VIEW guest_snapshots AS {_snapshots(sql)}")


def downgrade() -> None:
    """Drop the views."""
    for view in ("guest_snapshots", *_VIEWS):
        op.execute(f"DROP VIEW {view}")


class _Sqlite:
    """How SQLite reads a document."""

    config = "json_extract(b.body, '$.config')"
    each_snapshot = "JOIN json_each(COALESCE(json_extract(b.body, '$.config.snapshots'), '{}')) e"

    @staticmethod
    def text(document: str, path: str) -> str:
        inside = ".".join(f'"{name}"' for name in path.split("."))
        return f"CAST(json_extract({document}, '$.{inside}') AS TEXT)"

    @staticmethod
    def whole(value: str) -> str:
        is_number = f"{value} GLOB '[0-9-]*' AND {value} NOT GLOB '*[^0-9.-]*'"
        return f"CASE WHEN {is_number} THEN CAST({value} AS INTEGER) END"

    @staticmethod
    def moment(column: str) -> str:
        seconds = f"strftime('%Y-%m-%dT%H:%M:%S', {column} / 1000000, 'unixepoch')"
        return f"{seconds} || printf('.%06dZ', {column} % 1000000)"


class _Postgres:
    """How PostgreSQL reads a document."""

    config = "((b.body)::json #> '{config}')"
    each_snapshot = (
        "CROSS JOIN LATERAL json_each(CASE WHEN r.kind = 'guest-snapshots' "
        "THEN (b.body)::json #> '{config,snapshots}' END) AS e(key, value)"
    )

    @staticmethod
    def text(document: str, path: str) -> str:
        return f"(({document})::json #>> '{{{path.replace('.', ',')}}}')"

    @staticmethod
    def whole(value: str) -> str:
        is_number = f"{value} ~ '^-?[0-9]+(\\.[0-9]+)?$'"
        return f"CASE WHEN {is_number} THEN ({value})::numeric::bigint END"

    @staticmethod
    def moment(column: str) -> str:
        return f"to_timestamp({column} / 1000000.0)"


_Dialect = _Sqlite | _Postgres


def _column(sql: _Dialect, source: str) -> str:
    how, _, option = source.partition(":")
    if how in ("key", "kind"):
        return f"r.{how}"
    if how == "node":
        return "v.node"
    value = sql.text("b.body", f"config.{option}")
    return {"flag": _flag(value), "whole": sql.whole(value), "text": value}[how]


def _flag(value: str) -> str:
    return f"CASE WHEN {value} IS NULL THEN NULL WHEN {value} IN ('1', 'true') THEN 1 ELSE 0 END"


def _shared(sql: _Dialect) -> str:
    return (
        f"v.known AS known, v.reason AS unknown_because, {sql.moment('v.seen_at')} AS seen_at, "
        f"{sql.moment('o.valid_from')} AS configured_since, {sql.config} AS config, r.uid AS uid"
    )


def _snapshots(sql: _Dialect) -> str:
    """Tell each snapshot of each guest."""
    told = {name: sql.text("e.value", name) for name in ("snaptime", "parent", "description")}
    return f"""SELECT c.name AS cluster, r.key AS guest, e.key AS snapshot,
{sql.whole(told["snaptime"])} AS taken, {told["parent"]} AS parent,
{told["description"]} AS description, {_flag(sql.text("e.value", "vmstate"))} AS with_memory,
v.known AS known, r.uid AS uid
{_FROM_NOW} {sql.each_snapshot}
WHERE r.vanished_at IS NULL AND r.kind = 'guest-snapshots'"""
