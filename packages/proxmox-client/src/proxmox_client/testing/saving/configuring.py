"""Accounts, pools, firewall, networks and jobs made from what a cluster said, by its own API.

Each object is created as a client would create it, so that no second place knows how it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from proxmox_client import schema
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.saving.wirevalues import fields, is_dict, is_list, rows
from proxmox_client.testing.validation import text_of

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Row = Mapping[str, Any]
# Lists whose rows are posted as they are, in this order; what PVE brings itself is left alone.
_LISTS = (
    ("/access/groups", "groupid"),
    ("/access/roles", "roleid"),
    ("/access/domains", "realm"),
    ("/access/users", "userid"),
    ("/cluster/ha/resources", "sid"),
    ("/cluster/ha/rules", "rule"),
    ("/cluster/sdn/controllers", "controller"),
    ("/cluster/sdn/ipams", "ipam"),
    ("/cluster/sdn/dns", "dns"),
    ("/cluster/sdn/zones", "zone"),
    ("/cluster/sdn/vnets", "vnet"),
    ("/cluster/firewall/aliases", "name"),
    ("/cluster/mapping/dir", "id"),
    ("/cluster/mapping/pci", "id"),
    ("/cluster/mapping/usb", "id"),
    ("/cluster/backup", "id"),
)
_SETTLES_IN = 30.0


def make(cluster: SimulatedCluster, answers: Mapping[str, Any]) -> Iterator[str]:
    """Create what the answers list; yield what could not be made."""
    making = _Making(cluster, answers)
    yield from making.objects()
    yield from making.tokens_and_rights()
    yield from making.pools()
    yield from making.firewalls()
    if options := fields(answers.get("/cluster/options")):
        # PVE ends the notes with a line feed of its own.
        notes = str(options.get("description", "")).removesuffix("\n")
        changes = {**options, "description": notes or None}
        yield from making.do("PUT", "/cluster/options", changes, "options")
    if answers.get("/cluster/sdn/zones"):
        yield from making.do("PUT", "/cluster/sdn", {}, "SDN")
        cluster.clock.advance(_SETTLES_IN)


class _Making:
    def __init__(self, cluster: SimulatedCluster, answers: Mapping[str, Any]) -> None:
        self._cluster = cluster
        self._answers = answers
        self._facts = {
            (facts.method, facts.path): facts.parameters
            for facts in schema.operations(cluster.version)
        }

    def rows(self, path: str) -> list[dict[str, Any]]:
        return rows(self._answers.get(path))

    def do(self, method: str, path: str, row: Row, what: str, pattern: str = "") -> Iterator[str]:
        """Call with what the operation knows of a row."""
        known = self._facts.get((method, pattern or path), {})
        params = {
            name: _text(value) for name, value in row.items() if name in known and value is not None
        }
        params.pop("digest", None)
        try:
            self._cluster.call(method, path, params)
        except PveFault as fault:
            yield f"{what}: {fault.message}{' ' + str(fault.errors) if fault.errors else ''}"

    def objects(self) -> Iterator[str]:
        for path, key in _LISTS:
            for row in self.rows(path):
                if path == "/cluster/backup":
                    yield from self._job(row)
                elif not _is_ready_made(path, row):
                    yield from self.do("POST", path, row, f"{path}/{row.get(key)}")
                if path == "/cluster/sdn/vnets":
                    yield from self._subnets(str(row["vnet"]))

    def _subnets(self, vnet: str) -> Iterator[str]:
        path = f"/cluster/sdn/vnets/{vnet}/subnets"
        for row in self.rows(path):
            # Answers name a subnet by zone and network, and say the network as cidr.
            subnet = {**row, "subnet": row.get("cidr", row.get("subnet")), "type": "subnet"}
            yield from self.do("POST", path, subnet, path, "/cluster/sdn/vnets/{vnet}/subnets")

    def _job(self, row: Row) -> Iterator[str]:
        """Make a backup job; PVE gives names of its own that it takes from nobody."""
        bare = {name: value for name, value in row.items() if name != "id"}
        known: dict[str, Any] = self._cluster.files.setdefault("backup-jobs", {})
        before = set(known)
        yield from self.do("POST", "/cluster/backup", bare, f"/cluster/backup/{row['id']}")
        for made in set(known) - before:
            known[str(row["id"])] = known.pop(made)

    def tokens_and_rights(self) -> Iterator[str]:
        for user in self.rows("/access/users"):
            for token in rows(user.get("tokens")):
                path = f"/access/users/{user['userid']}/token/{token['tokenid']}"
                pattern = "/access/users/{userid}/token/{tokenid}"
                yield from self.do("POST", path, token, path, pattern)
        for entry in self.rows("/access/acl"):
            kind = {"user": "users", "group": "groups", "token": "tokens"}[entry["type"]]
            row = {
                "path": entry["path"],
                "roles": entry["roleid"],
                "propagate": entry.get("propagate", 1),
                kind: entry["ugid"],
            }
            yield from self.do("PUT", "/access/acl", row, f"ACL {entry['path']}")

    def pools(self) -> Iterator[str]:
        for path, found in sorted(self._answers.items()):
            if not path.startswith("/pools/"):
                continue
            poolid = path.removeprefix("/pools/")
            row = fields(found)
            members = rows(row.get("members"))
            create = {"poolid": poolid, "comment": row.get("comment", "")}
            yield from self.do("POST", "/pools", create, path)
            vms = ",".join(str(member["vmid"]) for member in members if "vmid" in member)
            storages = sorted({m["storage"] for m in members if m.get("type") == "storage"})
            change = {"poolid": poolid, "vms": vms, "storage": ",".join(storages)}
            filled = {name: text for name, text in change.items() if text}
            if len(filled) > 1:
                yield from self.do("PUT", "/pools", filled, path)

    def firewalls(self) -> Iterator[str]:
        scopes = [("/cluster/firewall", "/cluster/firewall")]
        for guest in self._cluster.guests.values():
            path = f"/nodes/{guest.node}/{guest.kind}/{guest.vmid}/firewall"
            scopes.append((path, f"/nodes/{{node}}/{guest.kind}/{{vmid}}/firewall"))
        for path, pattern in scopes:
            if row := fields(self._answers.get(f"{path}/options")):
                yield from self.do("PUT", f"{path}/options", row, path, f"{pattern}/options")
            if path == "/cluster/firewall":
                yield from self._groups()
            else:
                for row in self.rows(f"{path}/aliases"):
                    yield from self.do("POST", f"{path}/aliases", row, path, f"{pattern}/aliases")
            for row in self.rows(f"{path}/ipset"):
                yield from self.do("POST", f"{path}/ipset", row, path, f"{pattern}/ipset")
                entries = f"{path}/ipset/{row['name']}"
                for entry in self.rows(entries):
                    yield from self.do("POST", entries, entry, entries, f"{pattern}/ipset/{{name}}")
            # Each new rule becomes the first.
            for row in reversed(self.rows(f"{path}/rules")):
                rule = {name: value for name, value in row.items() if name != "pos"}
                yield from self.do("POST", f"{path}/rules", rule, path, f"{pattern}/rules")

    def _groups(self) -> Iterator[str]:
        base = "/cluster/firewall/groups"
        for row in self.rows(base):
            yield from self.do("POST", base, row, base)
            path = f"{base}/{row['group']}"
            for entry in reversed(self.rows(path)):
                rule = {name: value for name, value in entry.items() if name != "pos"}
                yield from self.do("POST", path, rule, path, f"{base}/{{group}}")


def _is_ready_made(path: str, row: Row) -> bool:
    return bool(
        (path == "/access/roles" and row.get("special"))
        or (path == "/access/domains" and row.get("type") in ("pam", "pve"))
        or (path == "/cluster/sdn/ipams" and row.get("type") == "pve")
        or (path == "/access/users" and row.get("userid") == "root@pam")
    )


def _text(value: Any) -> Any:
    """Write a parsed value as a form carries it: objects as ``key=value``, lists with commas."""
    if is_dict(value):
        return ",".join(f"{key}={text_of(part)}" for key, part in value.items())
    if is_list(value):
        return ",".join(text_of(part) for part in value)
    return value
