"""Proving who one is: passwords in every kind of realm, second factors, and what a login gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import secondfactors
from proxmox_client.testing.auth import Identity
from proxmox_client.testing.formats import check_user_id
from proxmox_client.testing.outside import Directory
from proxmox_client.testing.request import Call, PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import User

_BUILT_IN = {"pam": {"type": "pam"}, "pve": {"type": "pve"}}
_CAPABILITIES = {
    "vms": ("/vms", ("VM.", "Permissions.Modify")),
    "storage": ("/storage", ("Datastore.", "Permissions.Modify")),
    "access": ("/access", ("User.Modify", "Group.Allocate", "Permissions.Modify")),
    "nodes": ("/nodes", ("Sys.", "Permissions.Modify")),
    "sdn": ("/sdn", ("SDN.", "Permissions.Modify")),
    "dc": ("/", ("Sys.Audit", "Sys.Modify", "SDN.")),
    "mapping": ("/mapping", ("Mapping.", "Permissions.Modify")),
}


class LoginRefused(Exception):
    """A login fails; PVE tells nobody why."""


def realm_of(cluster: SimulatedCluster, name: str) -> dict[str, Any] | None:
    """Return a realm's configuration; None if there is none."""
    stored: dict[str, dict[str, Any]] = cluster.files.get("domains", {})
    return stored.get(name) or _BUILT_IN.get(name)


def directory_of(cluster: SimulatedCluster, realm: dict[str, Any]) -> Directory | None:
    """Return the directory server behind a realm; None if none of its servers answers."""
    for key in ("server1", "server2"):
        found = cluster.outside.directories.get(str(realm.get(key, "")))
        if found is not None:
            return found
    return None


def check_password(cluster: SimulatedCluster, user: User, password: str) -> None:
    """Check a user's first factor where his realm keeps it.

    Raises:
        LoginRefused: It is wrong, or the realm has no passwords or does not answer.
    """
    realm = realm_of(cluster, user.realm)
    kind = realm["type"] if realm else ""
    if kind in ("pam", "pve"):
        expected = user.password
    elif kind in ("ldap", "ad") and realm is not None:
        directory = directory_of(cluster, realm)
        name = user.userid.rpartition("@")[0]
        entry = directory.users.get(name, {}) if directory else {}
        expected = entry.get("password")
    else:
        expected = None
    if expected is None or expected != password:
        raise LoginRefused


def confirm(cluster: SimulatedCluster, call: Call, name: str) -> User:
    """Return the user to change, after the caller has repeated his own password.

    Raises:
        PveFault: The user is not there, is root, or the password is missing or wrong.
    """
    user = cluster.access.users.get(call["userid"])
    if user is None:
        raise PveFault(500, f"no such user ('{call['userid']}')")
    if call.identity.is_root:
        return user
    if user.userid == "root@pam":
        raise PveFault(403, "Permission check failed")
    if name not in call:
        raise PveFault.parameters({name: "password is required to modify user"})
    caller = cluster.access.users.get(call.identity.userid)
    try:
        if caller is None:
            raise LoginRefused
        check_password(cluster, caller, call[name])
    except LoginRefused:
        raise PveFault(401, "authentication failure") from None
    return user


def second_factor(
    cluster: SimulatedCluster, user: User, response: str | None, asked: str | None
) -> str | None:
    """Check a second factor; without one return the challenge, None if there is nothing to ask.

    Raises:
        LoginRefused: The factor is wrong, or the realm insists on one the user has not.
    """
    now = cluster.clock.now()
    found = secondfactors.factors(cluster, user.userid)
    realm_wants = (realm_of(cluster, user.realm) or {}).get("tfa")
    if asked is not None and not cluster.auth.is_challenge(asked, user.userid, now):
        raise LoginRefused
    challenge = secondfactors.challenge(found)
    if challenge is None and (realm_wants or response is not None):
        raise LoginRefused
    if response is not None:
        if not secondfactors.verify(found, response, now):
            raise LoginRefused
        return None
    return None if challenge is None else json.dumps(challenge, separators=(",", ":"))


def enabled_user(cluster: SimulatedCluster, userid: str) -> User:
    """Return a user who may log in.

    Raises:
        LoginRefused: There is none, or his account is disabled or expired.
    """
    try:
        check_user_id(userid)
    except ValueError:
        raise LoginRefused from None
    user = cluster.access.users.get(userid)
    if user is None or not cluster.access.may_log_in(user, cluster.clock.now()):
        raise LoginRefused
    return user


def granted(cluster: SimulatedCluster, userid: str) -> dict[str, Any]:
    """Return what a finished login answers: ticket, CSRF token and capabilities."""
    now = cluster.clock.now()
    row = {
        "username": userid,
        "ticket": cluster.auth.ticket(userid, now),
        "CSRFPreventionToken": cluster.auth.csrf(userid, now),
        "cap": capabilities(cluster, Identity(userid)),
    }
    return row | cluster_name(cluster, userid)


def cluster_name(cluster: SimulatedCluster, userid: str) -> dict[str, str]:
    """Return the cluster's name for those who may know it."""
    name = cluster.name
    known = name and cluster.access.allows(Identity(userid), "/", ["Sys.Audit"])
    return {"clustername": name} if known else {}


def capabilities(cluster: SimulatedCluster, identity: Identity) -> dict[str, dict[str, int]]:
    """Sum up somebody's privileges by area, as the web interface wants them."""
    paths = [entry.path for entry in cluster.access.acl]
    found: dict[str, dict[str, int]] = {}
    for area, (top, names) in _CAPABILITIES.items():
        below = [path for path in paths if path.startswith(f"{top}/")] if top != "/" else []
        privileges = {
            name
            for path in (top, *below)
            for name in (cluster.access.privileges(identity, path))
            if name.startswith(names)
        }
        found[area] = dict.fromkeys(sorted(privileges), 1)
    return found
