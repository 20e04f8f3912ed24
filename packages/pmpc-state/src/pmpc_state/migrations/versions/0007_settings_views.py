"""Views of settings: networks, access, cluster options, firewall, SDN, HA, jobs, and the rest."""

from __future__ import annotations

from collections.abc import Mapping

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

Columns = Mapping[str, str]
"""Column by name: `key`, `kind`, `node`, or how and which option of the configuration is read."""

_VIEWS: Mapping[str, tuple[tuple[str, ...], Columns]] = {
    "networks": (
        ("node-network",),
        {
            "node": "node",
            "interface": "text:iface",
            "type": "text:type",
            "method": "text:method",
            "cidr": "text:cidr",
            "gateway": "text:gateway",
            "cidr6": "text:cidr6",
            "gateway6": "text:gateway6",
            "autostart": "flag:autostart",
            "mtu": "text:mtu",
            "bridge_ports": "text:bridge_ports",
            "bridge_vlan_aware": "flag:bridge_vlan_aware",
            "bond_slaves": "text:slaves",
            "bond_mode": "text:bond_mode",
            "vlan_device": "text:vlan-raw-device",
            "vlan_id": "text:vlan-id",
            "comments": "text:comments",
        },
    ),
    "users": (
        ("user",),
        {
            "userid": "key",
            "enabled": "flag:enable",
            "expires": "text:expire",
            "groups": "text:groups",
            "email": "text:email",
            "firstname": "text:firstname",
            "lastname": "text:lastname",
            "comment": "text:comment",
        },
    ),
    "tokens": (
        ("token",),
        {
            "token": "key",
            "privilege_separation": "flag:privsep",
            "expires": "text:expire",
            "comment": "text:comment",
        },
    ),
    "user_groups": (
        ("group",),
        {"user_group": "key", "users": "text:users", "comment": "text:comment"},
    ),
    "roles": (
        ("role",),
        {"role": "key", "privileges": "text:privs", "built_in": "flag:special"},
    ),
    "acl": (
        ("acl",),
        {
            "path": "text:path",
            "type": "text:type",
            "subject": "text:ugid",
            "role": "text:roleid",
            "propagate": "flag:propagate",
        },
    ),
    "realms": (("realm",), {"realm": "key", "type": "text:type", "comment": "text:comment"}),
    "cluster_options": (
        ("datacenter-options",),
        {
            "keyboard": "text:keyboard",
            "language": "text:language",
            "console": "text:console",
            "email_from": "text:email_from",
            "http_proxy": "text:http_proxy",
            "mac_prefix": "text:mac_prefix",
            "max_workers": "text:max_workers",
            "description": "text:description",
        },
    ),
    "firewall": (
        (
            "firewall-options", "firewall-ipset", "firewall-alias", "firewall-group",
            "node-firewall-options", "guest-firewall",
        ),
        {
            "kind": "kind",
            "key": "key",
            "enabled": "flag:enable|options.enable",
            "policy_in": "text:policy_in|options.policy_in",
            "policy_out": "text:policy_out|options.policy_out",
            "cidr": "text:cidr",
            "members": "text:members",
            "comment": "text:comment",
        },
    ),
    "sdn": (
        (
            "sdn-zone", "sdn-vnet", "sdn-controller", "sdn-ipam", "sdn-dns", "sdn-fabric",
            "sdn-fabric-node", "sdn-prefix-list", "sdn-route-map-entry",
        ),
        {
            "kind": "kind",
            "key": "key",
            "type": "text:type",
            "zone": "text:zone",
            "tag": "text:tag",
            "alias": "text:alias",
            "bridge": "text:bridge",
            "nodes": "text:nodes",
            "subnets": "text:subnets",
        },
    ),
    "ha": (
        ("ha-resource", "ha-rule", "ha-group"),
        {
            "kind": "kind",
            "key": "key",
            "type": "text:type",
            "wanted_state": "text:state",
            "ha_group": "text:group",
            "resources": "text:resources",
            "nodes": "text:nodes",
            "affinity": "text:affinity",
            "max_restart": "text:max_restart",
            "max_relocate": "text:max_relocate",
            "comment": "text:comment",
        },
    ),
    "jobs": (
        ("backup-job", "replication-job", "realm-sync-job"),
        {
            "kind": "kind",
            "key": "key",
            "schedule": "text:schedule",
            "enabled": "flag:enabled",
            "disabled": "flag:disable",
            "guests": "text:vmid|guest",
            "every_guest": "flag:all",
            "storage": "text:storage",
            "mode": "text:mode",
            "target": "text:target",
            "realm": "text:realm",
            "comment": "text:comment",
        },
    ),
    "mappings": (
        ("mapping-pci", "mapping-usb", "mapping-dir"),
        {
            "kind": "kind",
            "key": "key",
            "description": "text:description",
            "on_nodes": "text:map",
        },
    ),
    "notifications": (
        (
            "notification-sendmail", "notification-gotify", "notification-smtp",
            "notification-webhook", "notification-matcher",
        ),
        {
            "kind": "kind",
            "name": "key",
            "disabled": "flag:disable",
            "server": "text:server",
            "url": "text:url",
            "mail_to": "text:mailto",
            "mail_to_users": "text:mailto-user",
            "targets": "text:target",
            "matches": "text:match-field",
            "severities": "text:match-severity",
            "comment": "text:comment",
        },
    ),
}  # fmt: skip
_RULES = ("firewall-rules", "firewall-group", "node-firewall-rules", "guest-firewall")
_RULE: Columns = {
    "direction": "type",
    "action": "action",
    "macro": "macro",
    "interface": "iface",
    "source": "source",
    "destination": "dest",
    "protocol": "proto",
    "destination_port": "dport",
    "source_port": "sport",
    "comment": "comment",
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
        op.execute(
            f"CREATE VIEW {view} AS SELECT c.name AS cluster, {shown}, {_shared(sql)}{_FROM_NOW}\n"
            f"WHERE r.vanished_at IS NULL AND r.kind IN ({_quoted(kinds)})"
        )
    op.execute(f"CREATE VIEW firewall_rules AS {_rules(sql)}")


def downgrade() -> None:
    """Drop the views."""
    for view in ("firewall_rules", *_VIEWS):
        op.execute(f"DROP VIEW {view}")


class _Sqlite:
    """How SQLite reads a document."""

    @staticmethod
    def text(document: str, path: str) -> str:
        inside = ".".join(f'"{name}"' for name in path.split("."))
        return f"CAST(json_extract({document}, '$.{inside}') AS TEXT)"

    @staticmethod
    def config() -> str:
        return "json_extract(b.body, '$.config')"

    @staticmethod
    def moment(column: str) -> str:
        seconds = f"strftime('%Y-%m-%dT%H:%M:%S', {column} / 1000000, 'unixepoch')"
        return f"{seconds} || printf('.%06dZ', {column} % 1000000)"

    @staticmethod
    def each_rule() -> str:
        found = ", ".join(
            f"json_extract(b.body, '$.config.{name}')" for name in ("entries", "rules")
        )
        return f"JOIN json_each(COALESCE({found}, '[]')) e"

    position = "e.key"


class _Postgres:
    """How PostgreSQL reads a document."""

    @staticmethod
    def text(document: str, path: str) -> str:
        return f"(({document})::json #>> '{{{path.replace('.', ',')}}}')"

    @staticmethod
    def config() -> str:
        return "((b.body)::json #> '{config}')"

    @staticmethod
    def moment(column: str) -> str:
        return f"to_timestamp({column} / 1000000.0)"

    @staticmethod
    def each_rule() -> str:
        found = ", ".join(f"(b.body)::json #> '{{config,{name}}}'" for name in ("entries", "rules"))
        listed = f"CASE WHEN r.kind IN ({_quoted(_RULES)}) THEN COALESCE({found}) END"
        return f"CROSS JOIN LATERAL json_array_elements({listed}) WITH ORDINALITY AS e(value, n)"

    position = "(e.n - 1)"


_Dialect = _Sqlite | _Postgres


def _column(sql: _Dialect, source: str) -> str:
    how, _, options = source.partition(":")
    if how in ("key", "kind"):
        return f"r.{how}"
    if how == "node":
        return "v.node"
    read = [sql.text("b.body", f"config.{option}") for option in options.split("|")]
    value = read[0] if len(read) == 1 else f"COALESCE({', '.join(read)})"
    return _flag(value) if how == "flag" else value


def _flag(value: str) -> str:
    return f"CASE WHEN {value} IS NULL THEN NULL WHEN {value} IN ('1', 'true') THEN 1 ELSE 0 END"


def _shared(sql: _Dialect) -> str:
    return (
        f"v.known AS known, v.reason AS unknown_because, {sql.moment('v.seen_at')} AS seen_at, "
        f"{sql.moment('o.valid_from')} AS configured_since, {sql.config()} AS config, r.uid AS uid"
    )


def _quoted(kinds: tuple[str, ...]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def _rules(sql: _Dialect) -> str:
    shown = ", ".join(f"{sql.text('e.value', path)} AS {name}" for name, path in _RULE.items())
    return f"""SELECT c.name AS cluster, r.kind AS kind, r.key AS key, {sql.position} AS position,
{_flag(sql.text("e.value", "enable"))} AS enabled, {shown}, v.known AS known, r.uid AS uid
{_FROM_NOW} {sql.each_rule()}
WHERE r.vanished_at IS NULL AND r.kind IN ({_quoted(_RULES)})"""
