"""Taking over users and groups from a directory server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import logins
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.state import Group, User
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_DEFAULTS = {"enable-new": "1"}
_FIELDS = ("email", "firstname", "lastname", "comment")


def sync_options(realm: Mapping[str, Any], sent: Mapping[str, str]) -> dict[str, str]:
    """Merge what a call says with the realm's own defaults.

    Raises:
        PveFault: Nobody says what to synchronise.
    """
    own = dict(
        part.split("=", 1)
        for part in split_list(str(realm.get("sync-defaults-options", "")))
        if "=" in part
    )
    names = ("scope", "remove-vanished", "enable-new")
    found = {
        name: value
        for name in names
        if (value := sent.get(name, own.get(name, _DEFAULTS.get(name)))) is not None
    }
    if "scope" not in found:
        text = "Not passed as parameter and not defined in realm default sync options."
        raise PveFault.parameters({"scope": text})
    return found


def check_realm(cluster: SimulatedCluster, name: str) -> dict[str, Any]:
    """Return a realm that can be synchronised.

    Raises:
        PveFault: It does not exist or has no directory.
    """
    realm = logins.realm_of(cluster, name)
    if realm is None:
        raise PveFault.parameters({"realm": "Realm does not exist."})
    if realm["type"] not in ("ldap", "ad"):
        text = f"Cannot sync realm type '{realm['type']}'! Only LDAP/AD realms can be synced."
        raise PveFault(500, text)
    return realm


def synchronise(
    cluster: SimulatedCluster, task: TaskRecord, name: str, options: Mapping[str, str], *, dry: bool
) -> None:
    """Do a synchronisation's work.

    Raises:
        TaskFailed: No server answers.
    """
    realm = check_realm(cluster, name)
    task.log(f"{'(dry test run) ' if dry else ''}starting sync for realm {name}")
    directory = logins.directory_of(cluster, realm)
    if directory is None:
        raise TaskFailed("Connection refused")
    scope = options["scope"]
    what = "users and groups" if scope == "both" else scope
    task.log(f"got data from server, updating {what}")
    if scope in ("users", "both"):
        _users(cluster, task, name, directory.users, options, dry=dry)
    if scope in ("groups", "both"):
        _groups(cluster, task, name, directory.groups, options, dry=dry)
    if dry:
        task.log("\nNOTE: Dry test run, changes were NOT written to the configuration.")
    else:
        task.log(f"successfully updated {what} configuration")


def _begin(task: TaskRecord, noun: str, options: Mapping[str, str]) -> set[str]:
    vanished = options.get("remove-vanished", "none")
    gone = set(vanished.split(";")) - {"none"}
    opts = f" (remove-vanished opts: {';'.join(sorted(gone))})" if gone else ""
    task.log(f"syncing {noun}s{opts}")
    if "entry" in gone:
        task.log(f"deleting outdated existing {noun}s first")
    return gone


def _users(
    cluster: SimulatedCluster,
    task: TaskRecord,
    realm: str,
    told: Mapping[str, Mapping[str, Any]],
    options: Mapping[str, str],
    *,
    dry: bool,
) -> None:
    gone = _begin(task, "user", options)
    known = cluster.access.users
    wanted = {f"{name}@{realm}": values for name, values in told.items()}
    for userid in sorted(known):
        if userid.endswith(f"@{realm}") and userid not in wanted:
            _drop(cluster, task, "user", userid, gone, dry=dry)
    for userid, values in sorted(wanted.items()):
        fields = {name: str(values[name]) for name in _FIELDS if name in values}
        old = known.get(userid)
        verb = "adding" if old is None else "updating"
        task.log(f"{'overwriting' if old and 'properties' in gone else verb} user '{userid}'")
        if dry:
            continue
        if old is None:
            known[userid] = User(userid, enable=options["enable-new"] == "1", fields=fields)
        elif "properties" in gone:
            old.fields = fields
        else:
            old.fields.update(fields)


def _groups(
    cluster: SimulatedCluster,
    task: TaskRecord,
    realm: str,
    told: Mapping[str, list[str]],
    options: Mapping[str, str],
    *,
    dry: bool,
) -> None:
    gone = _begin(task, "group", options)
    known = cluster.access.groups
    wanted = {f"{name}-{realm}": members for name, members in told.items()}
    for groupid in sorted(known):
        if groupid.endswith(f"-{realm}") and groupid not in wanted:
            _drop(cluster, task, "group", groupid, gone, dry=dry)
    for groupid, members in sorted(wanted.items()):
        verb = "updating" if groupid in known else "adding"
        task.log(f"{verb} group '{groupid}'")
        if dry:
            continue
        known.setdefault(groupid, Group(groupid))
        userids = {f"{member}@{realm}" for member in members}
        for user in cluster.access.users.values():
            if user.userid in userids:
                user.groups.add(groupid)
            else:
                user.groups.discard(groupid)


def _drop(
    cluster: SimulatedCluster, task: TaskRecord, noun: str, ident: str, gone: set[str], *, dry: bool
) -> None:
    access = cluster.access
    if "entry" in gone:
        task.log(f"remove {noun} '{ident}'")
        if not dry:
            (access.users if noun == "user" else access.groups).pop(ident, None)
    if "acl" in gone:
        task.log(f"purge {noun}s '{ident}' ACL entries")
        if not dry:
            access.acl[:] = [
                entry for entry in access.acl if (entry.kind, entry.ugid) != (noun, ident)
            ]
