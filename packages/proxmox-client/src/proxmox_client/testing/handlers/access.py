"""Privileges, the access control list, roles and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.access import acl_path, normalise_path
from proxmox_client.testing.auth import Identity
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.permissions import denied
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.state import AclEntry, Group

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


@handles("GET", "/access/permissions")
def permissions(cluster: SimulatedCluster, call: Call) -> dict[str, dict[str, int]]:
    """Return privileges by path: the caller's, or somebody else's with Sys.Audit."""
    identity = call.identity
    if "userid" in call:
        userid, _, tokenid = call["userid"].partition("!")
        identity = Identity(userid, tokenid or None)
        own = identity.userid == call.identity.userid
        if not own and not cluster.access.allows(call.identity, "/access", ["Sys.Audit"]):
            raise denied("/access, Sys.Audit")
    paths = [call["path"]] if "path" in call else cluster.access.interesting_paths()
    found: dict[str, dict[str, int]] = {}
    for path in paths:
        granted = cluster.access.privileges(identity, normalise_path(path) or path)
        if granted or "path" in call:
            found[path] = {name: int(passes) for name, passes in granted.items()}
    return found


@handles("GET", "/access/acl")
def read_acl(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the entries whose paths the caller may change."""
    return [
        {
            "path": entry.path,
            "type": entry.kind,
            "ugid": entry.ugid,
            "roleid": entry.role,
            "propagate": int(entry.propagate),
        }
        for entry in cluster.access.acl
        if cluster.access.allows(call.identity, entry.path, ["Permissions.Modify"])
        or cluster.access.allows(call.identity, "/access", ["Sys.Audit"])
    ]


@handles("PUT", "/access/acl")
def change_acl(cluster: SimulatedCluster, call: Call) -> None:
    """Add or (with ``delete``) remove entries."""
    prefix = "ACL update failed: "
    path = acl_path(call["path"])
    if path is None:
        raise PveFault.parameters({"path": f"invalid ACL path '{call['path']}'"})
    kinds = {"users": "user", "groups": "group", "tokens": "token"}
    if not any(name in call for name in kinds):
        text = "either 'users', 'groups' or 'tokens' is required."
        raise PveFault.parameters(dict.fromkeys(kinds, text))
    roles = split_list(call["roles"])
    for role in roles:
        if cluster.access.role(role) is None:
            raise PveFault(500, f"{prefix}role '{role}' does not exist")
    for name, kind in kinds.items():
        for ugid in split_list(call.get(name, "")):
            _require_subject(cluster, kind, ugid, prefix)
            for role in roles:
                _put_entry(cluster, call, AclEntry(path, kind, ugid, role))


def _require_subject(cluster: SimulatedCluster, kind: str, ugid: str, prefix: str) -> None:
    if kind == "group":
        if ugid not in cluster.access.groups:
            raise PveFault(500, f"{prefix}group '{ugid}' does not exist")
        return
    userid, _, tokenid = ugid.partition("!")
    user = cluster.access.users.get(userid)
    if user is None:
        raise PveFault(500, f"{prefix}user '{userid}' does not exist")
    if kind == "token" and tokenid not in user.tokens:
        raise PveFault(500, f"{prefix}no such token '{tokenid}' for user '{userid}'")


def _put_entry(cluster: SimulatedCluster, call: Call, entry: AclEntry) -> None:
    same = (entry.path, entry.kind, entry.ugid, entry.role)
    acl = cluster.access.acl
    acl[:] = [old for old in acl if (old.path, old.kind, old.ugid, old.role) != same]
    if not call.get("delete"):
        entry.propagate = bool(call.get("propagate", 1))
        acl.append(entry)


@handles("GET", "/access/roles")
def list_roles(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List PVE's own roles and the custom ones."""
    rows = [
        {"roleid": role, "privs": ",".join(privileges), "special": 1}
        for role, privileges in cluster.access.special_roles.items()
    ]
    custom = cluster.access.custom_roles
    return rows + [
        {"roleid": role, "privs": ",".join(sorted(privileges)), "special": 0}
        for role, privileges in custom.items()
    ]


@handles("GET", "/access/roles/{roleid}")
def read_role(cluster: SimulatedCluster, call: Call) -> dict[str, int]:
    """Return a role's privileges."""
    privileges = cluster.access.role(call["roleid"])
    if privileges is None:
        raise PveFault(500, f"role '{call['roleid']}' does not exist")
    return dict.fromkeys(sorted(privileges), 1)


def _checked_privileges(cluster: SimulatedCluster, call: Call) -> set[str]:
    names = split_list(call.get("privs", ""))
    for name in names:
        if name not in cluster.access.all_privileges:
            text = f"invalid format - invalid privilege '{name}'\n"
            raise PveFault.parameters({"privs": text})
    return set(names)


@handles("POST", "/access/roles")
def create_role(cluster: SimulatedCluster, call: Call) -> None:
    """Make a role."""
    role = call["roleid"]
    privileges = _checked_privileges(cluster, call)
    if role.upper().startswith("PVE"):
        text = "cannot use role ID starting with the (case-insensitive) 'PVE' namespace"
        raise PveFault.parameters({"roleid": text})
    if cluster.access.role(role) is not None:
        raise PveFault(500, f"create role failed: role '{role}' already exists")
    cluster.access.custom_roles[role] = privileges


@handles("PUT", "/access/roles/{roleid}")
def update_role(cluster: SimulatedCluster, call: Call) -> None:
    """Set or extend a role's privileges."""
    role = call["roleid"]
    if role in cluster.access.special_roles:
        raise PveFault(500, f"auto-generated role '{role}' cannot be modified")
    privileges = _checked_privileges(cluster, call)
    if role not in cluster.access.custom_roles:
        raise PveFault(500, f"modify role failed: role '{role}' does not exist")
    old = cluster.access.custom_roles[role] if call.get("append") else set[str]()
    cluster.access.custom_roles[role] = old | privileges


@handles("DELETE", "/access/roles/{roleid}")
def delete_role(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a role."""
    role = call["roleid"]
    if role in cluster.access.special_roles:
        raise PveFault(500, f"auto-generated role '{role}' cannot be deleted")
    if cluster.access.custom_roles.pop(role, None) is None:
        raise PveFault(500, f"delete role failed: role '{role}' does not exist")


@handles("GET", "/access/groups")
def list_groups(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the groups the caller may see."""
    wanted = ["User.Modify", "Sys.Audit", "Group.Allocate"]
    rows: list[dict[str, Any]] = []
    for group in cluster.access.groups.values():
        path = f"/access/groups/{group.groupid}"
        if cluster.access.allows(call.identity, path, wanted, any_of=True):
            row: dict[str, Any] = {
                "groupid": group.groupid,
                "users": ",".join(_group_members(cluster, group.groupid)),
            }
            rows.append(row | ({"comment": group.comment} if group.comment else {}))
    return rows


def _group_members(cluster: SimulatedCluster, groupid: str) -> list[str]:
    users = cluster.access.users.values()
    return sorted(user.userid for user in users if groupid in user.groups)


def _group(cluster: SimulatedCluster, groupid: str, prefix: str = "") -> Group:
    group = cluster.access.groups.get(groupid)
    if group is None:
        raise PveFault(500, f"{prefix}group '{groupid}' does not exist")
    return group


@handles("GET", "/access/groups/{groupid}")
def read_group(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return a group's comment and members."""
    group = _group(cluster, call["groupid"])
    row: dict[str, Any] = {"members": _group_members(cluster, group.groupid)}
    return row | ({"comment": group.comment} if group.comment else {})


@handles("POST", "/access/groups")
def create_group(cluster: SimulatedCluster, call: Call) -> None:
    """Make a group."""
    groupid = call["groupid"]
    if groupid in cluster.access.groups:
        raise PveFault(500, f"create group failed: group '{groupid}' already exists")
    cluster.access.groups[groupid] = Group(groupid, call.get("comment", ""))


@handles("PUT", "/access/groups/{groupid}")
def update_group(cluster: SimulatedCluster, call: Call) -> None:
    """Change a group's comment."""
    group = _group(cluster, call["groupid"], "modify group failed: ")
    group.comment = call.get("comment", group.comment)


@handles("DELETE", "/access/groups/{groupid}")
def delete_group(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a group and what the access control list says about it."""
    groupid = call["groupid"]
    _group(cluster, groupid, "delete group failed: ")
    del cluster.access.groups[groupid]
    for user in cluster.access.users.values():
        user.groups.discard(groupid)
    acl = cluster.access.acl
    acl[:] = [entry for entry in acl if (entry.kind, entry.ugid) != ("group", groupid)]
