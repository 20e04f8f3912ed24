"""Where PVE lists what, what an entry is called, and which privilege shows all of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

import attrs

_WHOLE: Final = ("/", "/nodes", "/access/realm")


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
        inside: What every entry has inside, a request each: name and path suffix. Without a name
            it is the entry's own page, and wins over what the list says of it.
        within: Field of the answer that holds the list.
        only: Fields of an entry that are of interest; None for all but `drop`.
        nested: Field that holds entries of its own (tokens of users), and what names them.
        drop: Fields that are not settings.
        sets: Comma lists that come in another order each time.
        until: Last major version of PVE that has it.
        secrets: Fields whose values are secrets though their names do not say so.
        is_thinned: Whether who lacks the privilege gets some of the fields without being told.
        is_ceph: Whether only nodes with Ceph have it. They all have the same, so one is asked.
        params: Query of the request.
    """

    kind: str
    path: str
    key: tuple[str, ...] = ()
    privilege: str = "Sys.Audit"
    root: str = "/"
    shape: Shape = Shape.ENTRIES
    inside: tuple[tuple[str, str], ...] = ()
    within: str | None = None
    only: tuple[str, ...] | None = None
    nested: tuple[str, str] | None = None
    drop: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    until: int | None = None
    secrets: tuple[str, ...] = ()
    is_thinned: bool = False
    is_ceph: bool = False
    params: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    @property
    def is_per_node(self) -> bool:
        """Whether each node has its own."""
        return "{node}" in self.path and not (self.is_per_guest or self.is_ceph)

    @property
    def is_filtered(self) -> bool:
        """Whether its list leaves out, without a word, what one may not see.

        Lists that need a privilege on everything, or none at all, are whole or refused.
        """
        return self.shape is Shape.ENTRIES and self.root not in _WHOLE

    @property
    def is_per_guest(self) -> bool:
        """Whether each guest has its own."""
        return "{vmid}" in self.path


def _document(kind: str, path: str, **more: Any) -> Collection:
    return Collection(kind, path, shape=Shape.DOCUMENT, **more)


def _sequence(kind: str, path: str) -> Collection:
    return Collection(kind, path, shape=Shape.SEQUENCE, drop=("pos",))


_PAGE: Final = (("", ""),)
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
    Collection("realm", "/access/domains", ("realm",), root="/access/realm", inside=_PAGE),
    Collection(
        "tfa", "/access/tfa", ("userid",), root="/access/groups", nested=("entries", "id"),
    ),
)  # fmt: skip
_FIREWALL: Final = (
    _document("firewall-options", "/cluster/firewall/options"),
    _sequence("firewall-rules", "/cluster/firewall/rules"),
    Collection("firewall-ipset", "/cluster/firewall/ipset", ("name",), inside=(("members", ""),)),
    Collection("firewall-alias", "/cluster/firewall/aliases", ("name",)),
    Collection("firewall-group", "/cluster/firewall/groups", ("group",), inside=(("rules", ""),)),
    _document("node-firewall-options", "/nodes/{node}/firewall/options", root="/nodes"),
    _sequence("node-firewall-rules", "/nodes/{node}/firewall/rules"),
    _document(
        "guest-firewall", "/nodes/{node}/qemu/{vmid}/firewall", privilege="VM.Audit", root="/vms"
    ),
    Collection(
        "vnet-firewall", "/cluster/sdn/vnets", ("vnet",), "SDN.Audit", "/sdn", only=("vnet",),
        inside=(("options", "/firewall/options"), ("rules", "/firewall/rules")), drop=("pos",),
        params={"running": 1},  # one that is not applied yet has none
    ),
)  # fmt: skip
_SDN: Final = tuple(
    Collection(f"sdn-{name}", path, (name,), "SDN.Audit", "/sdn", inside=inside, sets=sets)
    for name, path, inside, sets in (
        ("zone", "/cluster/sdn/zones", (), ("nodes", "exitnodes", "peers", "rt-import")),
        ("vnet", "/cluster/sdn/vnets", (("subnets", "/subnets"),), ()),
        ("controller", "/cluster/sdn/controllers", (), ("peers",)),
        ("ipam", "/cluster/sdn/ipams", (), ()),
        ("dns", "/cluster/sdn/dns", (), ()),
    )
)
_FABRICS: Final = tuple(
    Collection(f"sdn-{name}", f"/cluster/sdn/{path}", key, "SDN.Audit", "/sdn", params=params)
    for name, path, key, params in (
        ("fabric", "fabrics/fabric", ("id",), {}),
        ("fabric-node", "fabrics/node", ("fabric_id", "node_id"), {}),
        ("prefix-list", "prefix-lists", ("id",), {"verbose": 1}),
        ("route-map-entry", "route-maps/entries", ("route-map-id", "order"), {}),
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
    Collection(
        "realm-sync-job", "/cluster/jobs/realm-sync", ("id",), drop=("next-run", "last-run"),
    ),
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
    # Bridges show only to whoever may audit them as networks; the rest shows to all.
    Collection("node-network", "/nodes/{node}/network", ("iface",), "SDN.Audit", "/sdn",
               drop=("active", "exists", "priority")),
    _document("node-dns", "/nodes/{node}/dns", root="/nodes"),
    _document("node-hosts", "/nodes/{node}/hosts"),
    _document("node-time", "/nodes/{node}/time", root="/nodes", drop=("time", "localtime")),
    _document("node-config", "/nodes/{node}/config"),
    Collection("node-certificate", "/nodes/{node}/certificates/info", ("filename",), root="/nodes",
               drop=("pem",)),
    _document("node-repositories", "/nodes/{node}/apt/repositories", root="/nodes"),
    _document("node-subscription", "/nodes/{node}/subscription", root="/nodes",
              drop=("checktime", "signature", "url"), secrets=("key",), is_thinned=True),
    Collection("node-disk", "/nodes/{node}/disks/list", ("devpath",), params={"skipsmart": 1},
               drop=("health", "wearout")),
    Collection("node-directory", "/nodes/{node}/disks/directory", ("path",)),
    Collection("node-lvm", "/nodes/{node}/disks/lvm", ("name",), within="children",
               drop=("free", "leaf", "lvcount")),
    Collection("node-lvmthin", "/nodes/{node}/disks/lvmthin", ("vg", "lv"),
               drop=("used", "metadata_used")),
    Collection("node-zfs", "/nodes/{node}/disks/zfs", ("name",),
               drop=("alloc", "free", "frag", "dedup", "health")),
)  # fmt: skip
_COROSYNC: Final = (
    Collection("corosync-node", "/cluster/config/nodes", ("name",), drop=("node",)),
    _document("corosync-totem", "/cluster/config/totem", drop=("config_version",)),
)
_CEPH: Final = tuple(
    Collection(f"ceph-{name}", path, key, drop=drop, is_ceph=True)
    for name, path, key, drop in (
        ("flag", "/cluster/ceph/flags", ("name",), ("description",)),
        ("pool", "/nodes/{node}/ceph/pool", ("pool_name",),
         ("bytes_used", "percent_used", "autoscale_status")),
        ("fs", "/nodes/{node}/ceph/fs", ("name",), ()),
        ("mon", "/nodes/{node}/ceph/mon", ("name",), ("quorum", "rank", "state")),
        ("mgr", "/nodes/{node}/ceph/mgr", ("name",), ("state",)),
        ("mds", "/nodes/{node}/ceph/mds", ("name",), ("state", "rank", "standby_replay")),
        ("config", "/nodes/{node}/ceph/cfg/db", ("section", "mask", "name"), ()),
    )
)  # fmt: skip

COLLECTIONS: Final[tuple[Collection, ...]] = (
    *_ACCESS,
    _document("datacenter-options", "/cluster/options", is_thinned=True, drop=("allowed-tags",)),
    *_COROSYNC,
    *_FIREWALL,
    *_SDN,
    *_FABRICS,
    *_HA,
    *_JOBS,
    *_MAPPINGS,
    *_NOTIFICATIONS,
    Collection("metric-server", "/cluster/metrics/server", ("id",), inside=_PAGE),
    Collection("acme-account", "/cluster/acme/account", ("name",)),
    Collection("acme-plugin", "/cluster/acme/plugins", ("plugin",), "Sys.Modify",
               secrets=("data",)),
    Collection("cpu-model", "/cluster/qemu/custom-cpu-models", ("cputype",), "Mapping.Audit",
               "/mapping/cpu"),
    *_NODES,
    *_CEPH,
    Collection("guest-snapshots", "/nodes/{node}/qemu/{vmid}/snapshot", privilege="VM.Audit",
               root="/vms"),
)  # fmt: skip
"""All of them."""
