"""Where PVE lists what, what an entry is called, and which privilege shows all of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

import attrs


class Shape(enum.Enum):
    """What the answer at a path is."""

    ENTRIES = "a list of objects, each a resource"
    DOCUMENT = "one object that is a resource"
    SEQUENCE = "a list whose order counts, as a whole a resource"


@attrs.frozen
class Collection:
    """One list, or one document, of PVE's API.

    Attributes:
        kind: Kind of the resources, and name of the section.
        path: Where it is; `{node}` where each node has its own.
        key: Fields of an entry that name it.
        privilege: Who lacks it on `root` is refused, or sees only a part without being told.
        root: ACL path below which the privilege is needed.
        child: Name and path suffix of a list inside every entry, one more request for each.
        nested: Field that holds entries of its own (tokens of users), and what names them.
        drop: Fields that are not settings.
        sets: Comma lists that come in another order each time.
        until: Last major version of PVE that has it.
        secrets: Fields whose values are secrets though their names do not say so.
        is_thinned: Whether who lacks the privilege gets some of the fields without being told.
        params: Query of the request.
    """

    kind: str
    path: str
    key: tuple[str, ...] = ()
    privilege: str = "Sys.Audit"
    root: str = "/"
    shape: Shape = Shape.ENTRIES
    child: tuple[str, str] | None = None
    nested: tuple[str, str] | None = None
    drop: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    until: int | None = None
    secrets: tuple[str, ...] = ()
    is_thinned: bool = False
    params: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    @property
    def is_per_node(self) -> bool:
        """Whether each node has its own."""
        return "{node}" in self.path and not self.is_per_guest

    @property
    def is_per_guest(self) -> bool:
        """Whether each guest has its own."""
        return "{vmid}" in self.path


def _document(kind: str, path: str, **more: Any) -> Collection:
    return Collection(kind, path, shape=Shape.DOCUMENT, **more)


def _sequence(kind: str, path: str) -> Collection:
    return Collection(kind, path, shape=Shape.SEQUENCE, drop=("pos",))


_ACCESS: Final = (
    Collection(
        "user", "/access/users", ("userid",), root="/access/groups", params={"full": 1},
        drop=("tokens", "realm-type", "totp-locked", "tfa-locked-until"), sets=("groups",),
    ),
    Collection(
        "token", "/access/users", ("userid",), root="/access/groups", params={"full": 1},
        nested=("tokens", "tokenid"),
    ),
    Collection("group", "/access/groups", ("groupid",), root="/access/groups", sets=("users",)),
    Collection("role", "/access/roles", ("roleid",), sets=("privs",)),
    Collection(
        "acl", "/access/acl", ("path", "type", "ugid", "roleid"), root="/access",
    ),
    Collection("realm", "/access/domains", ("realm",)),
)  # fmt: skip
_FIREWALL: Final = (
    _document("firewall-options", "/cluster/firewall/options"),
    _sequence("firewall-rules", "/cluster/firewall/rules"),
    Collection("firewall-ipset", "/cluster/firewall/ipset", ("name",), child=("members", "")),
    Collection("firewall-alias", "/cluster/firewall/aliases", ("name",)),
    Collection("firewall-group", "/cluster/firewall/groups", ("group",), child=("rules", "")),
    _document("node-firewall-options", "/nodes/{node}/firewall/options", root="/nodes"),
    _sequence("node-firewall-rules", "/nodes/{node}/firewall/rules"),
    _document(
        "guest-firewall", "/nodes/{node}/qemu/{vmid}/firewall", privilege="VM.Audit", root="/vms"
    ),
)
_SDN: Final = tuple(
    Collection(f"sdn-{name}", path, (name,), "SDN.Audit", "/sdn", child=child)
    for name, path, child in (
        ("zone", "/cluster/sdn/zones", None),
        ("vnet", "/cluster/sdn/vnets", ("subnets", "/subnets")),
        ("controller", "/cluster/sdn/controllers", None),
        ("ipam", "/cluster/sdn/ipams", None),
        ("dns", "/cluster/sdn/dns", None),
    )
)
_FABRICS: Final = tuple(
    Collection(f"sdn-{name}", f"/cluster/sdn/{path}", key, "SDN.Audit", "/sdn")
    for name, path, key in (
        ("fabric", "fabrics/fabric", ("id",)),
        ("fabric-node", "fabrics/node", ("fabric_id", "node_id")),
        ("prefix-list", "prefix-lists", ("id",)),
        ("route-map-entry", "route-maps/entries", ("route-map-id", "order")),
    )
)
_HA: Final = (
    Collection("ha-resource", "/cluster/ha/resources", ("sid",)),
    Collection("ha-rule", "/cluster/ha/rules", ("rule",)),
    Collection("ha-group", "/cluster/ha/groups", ("group",), sets=("nodes",), until=8),
)
_JOBS: Final = (
    Collection("backup-job", "/cluster/backup", ("id",), drop=("next-run",)),
    Collection(
        "replication-job", "/cluster/replication", ("id",), "VM.Audit", "/vms",
    ),
    Collection("realm-sync-job", "/cluster/jobs/realm-sync", ("id",), drop=("next-run",)),
)  # fmt: skip
_MAPPINGS: Final = tuple(
    Collection(f"mapping-{name}", f"/cluster/mapping/{name}", ("id",), "Mapping.Audit", "/mapping")
    for name in ("pci", "usb", "dir")
)
_NOTIFICATIONS: Final = tuple(
    Collection(
        f"notification-{name}", f"/cluster/notifications/{path}", ("name",), "Mapping.Audit",
        "/mapping/notifications",
    )
    for name, path in (
        ("sendmail", "endpoints/sendmail"),
        ("gotify", "endpoints/gotify"),
        ("smtp", "endpoints/smtp"),
        ("webhook", "endpoints/webhook"),
        ("matcher", "matchers"),
    )
)  # fmt: skip
_NODES: Final = (
    Collection("node-network", "/nodes/{node}/network", ("iface",), root="/nodes",
               drop=("active", "exists", "priority")),
    _document("node-dns", "/nodes/{node}/dns", root="/nodes"),
    _document("node-hosts", "/nodes/{node}/hosts", root="/nodes"),
    _document("node-time", "/nodes/{node}/time", root="/nodes", drop=("time", "localtime")),
    _document("node-config", "/nodes/{node}/config", root="/nodes"),
    Collection("node-certificate", "/nodes/{node}/certificates/info", ("filename",), root="/nodes",
               drop=("pem",)),
    _document("node-repositories", "/nodes/{node}/apt/repositories", root="/nodes"),
)  # fmt: skip

COLLECTIONS: Final[tuple[Collection, ...]] = (
    *_ACCESS,
    _document("datacenter-options", "/cluster/options", is_thinned=True),
    *_FIREWALL,
    *_SDN,
    *_FABRICS,
    *_HA,
    *_JOBS,
    *_MAPPINGS,
    *_NOTIFICATIONS,
    Collection("metric-server", "/cluster/metrics/server", ("id",)),
    Collection("acme-account", "/cluster/acme/account", ("name",)),
    Collection("acme-plugin", "/cluster/acme/plugins", ("plugin",), "Sys.Modify",
               secrets=("data",)),
    Collection("cpu-model", "/cluster/qemu/custom-cpu-models", ("cputype",)),
    *_NODES,
)  # fmt: skip
"""All of them."""
