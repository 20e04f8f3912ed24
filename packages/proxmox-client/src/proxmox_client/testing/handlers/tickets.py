"""Logging in: passwords, second factors, renewal, OpenID, and changing one's password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from proxmox_client.testing import logins
from proxmox_client.testing.access import normalise_path
from proxmox_client.testing.auth import Identity
from proxmox_client.testing.clusterlog import note
from proxmox_client.testing.formats import check_user_id, split_list
from proxmox_client.testing.logins import LoginRefused
from proxmox_client.testing.outside import IdentityProvider
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.state import Group, User

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_STATE_SECONDS = 600


@handles("GET", "/access/ticket")
def ticket_form(cluster: SimulatedCluster, call: Call) -> None:
    """Answer nothing: PVE keeps it for its login form."""


@handles("POST", "/access/ticket")
def log_in(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Make a ticket for a password, renew one, ask for a second factor, or take it."""
    userid = call["username"]
    if "realm" in call:
        userid = f"{userid}@{call['realm']}"
    try:
        user = logins.enabled_user(cluster, userid)
        if "path" in call and "privs" in call:
            return _verified(cluster, call, user)
        found = _ticket(cluster, call, user)
    except LoginRefused:
        raise PveFault(401, "authentication failure") from None
    note(cluster, call.node, "root@pam", f"successful auth for user '{userid}'")
    return found


def _ticket(cluster: SimulatedCluster, call: Call, user: User) -> dict[str, Any]:
    now = cluster.clock.now()
    asked, password = call.get("tfa-challenge"), call["password"]
    if asked is not None:
        if "otp" in call:
            raise LoginRefused
        logins.second_factor(cluster, user, password, asked)
        return logins.granted(cluster, user.userid)
    if cluster.auth.ticket_user(password, now) in ("root@pam", user.userid):
        return logins.granted(cluster, user.userid)
    logins.check_password(cluster, user, password)
    challenge = logins.second_factor(cluster, user, call.get("otp"), None)
    if challenge is None:
        return logins.granted(cluster, user.userid)
    return {
        "username": user.userid,
        "ticket": cluster.auth.challenge_ticket(user.userid, challenge, now),
        "CSRFPreventionToken": cluster.auth.csrf(user.userid, now),
        "NeedTFA": 1,
        **logins.cluster_name(cluster, user.userid),
    }


def _verified(cluster: SimulatedCluster, call: Call, user: User) -> dict[str, Any]:
    """Only check credentials and privileges; no ticket is made."""
    if cluster.auth.ticket_user(call["password"], cluster.clock.now()) != user.userid:
        logins.check_password(cluster, user, call["password"])
        if logins.second_factor(cluster, user, call.get("otp"), None) is not None:
            raise LoginRefused
    path, wanted = normalise_path(call["path"]), split_list(call["privs"])
    identity = Identity(user.userid)
    if path is None or not wanted or not cluster.access.allows(identity, path, wanted):
        raise LoginRefused
    return {"username": user.userid, "cap": logins.capabilities(cluster, identity)}


@handles("PUT", "/access/password")
def change_password(cluster: SimulatedCluster, call: Call) -> None:
    """Set a user's password; all but root repeat their own."""
    user = logins.confirm(cluster, call, "confirmation-password")
    if not call.identity.is_root and call.identity.userid != user.userid and user.realm == "pam":
        raise PveFault(403, "Permission check failed")
    kind = (logins.realm_of(cluster, user.realm) or {}).get("type")
    if kind not in ("pam", "pve"):
        raise PveFault(500, f"can't set password on auth type '{kind}'")
    user.password = call["password"]
    note(cluster, call.node, "root@pam", f"changed password for user '{user.userid}'")


# --- OpenID ---------------------------------------------------------------------------------


def _provider(
    cluster: SimulatedCluster, name: str
) -> tuple[dict[str, Any], IdentityProvider]:  # fmt: skip
    realm = logins.realm_of(cluster, name)
    if realm is None:
        raise PveFault(500, f"authentication domain '{name}' does not exist")
    if realm["type"] != "openid":
        raise PveFault(500, f"wrong realm type ({realm['type']} != openid)")
    found = cluster.outside.providers.get(str(realm["issuer-url"]))
    if found is None:
        raise PveFault(500, "Server returned invalid response: connection refused")
    return realm, found


@handles("POST", "/access/openid/auth-url")
def openid_address(cluster: SimulatedCluster, call: Call) -> str:
    """Return where to send the browser; the state in it is good for ten minutes."""
    realm, _ = _provider(cluster, call["realm"])
    waiting: dict[str, dict[str, Any]] = cluster.files.setdefault("openid", {})
    state = cluster.new_uuid()
    waiting[state] = {
        "realm": call["realm"],
        "redirect": call["redirect-url"],
        "until": cluster.clock.now() + _STATE_SECONDS,
    }
    query = {
        "response_type": "code",
        "client_id": realm["client-id"],
        "state": state,
        "redirect_uri": call["redirect-url"],
        "scope": "openid " + " ".join(split_list(realm.get("scopes", "email profile"))),
        "nonce": cluster.new_uuid(),
    }
    return f"{realm['issuer-url']}/authorize?{urlencode(query)}"


@handles("POST", "/access/openid/login")
def openid_login(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Exchange the provider's code for a ticket."""
    try:
        answer = logins.granted(cluster, _openid_user(cluster, call))
    except (LoginRefused, ValueError, PveFault):
        raise PveFault(401, "authentication failure") from None
    text = f"successful openid auth for user '{answer['username']}'"
    note(cluster, call.node, "root@pam", text)
    return answer


def _openid_user(cluster: SimulatedCluster, call: Call) -> str:
    waiting: dict[str, dict[str, Any]] = cluster.files.setdefault("openid", {})
    started = waiting.pop(call["state"], None)
    if started is None or started["until"] < cluster.clock.now():
        raise LoginRefused
    realm, provider = _provider(cluster, started["realm"])
    claims = provider.codes.pop(call["code"], None)
    if claims is None or started["redirect"] != call["redirect-url"]:
        raise LoginRefused
    wanted = str(realm.get("username-claim", "sub"))
    aliases = {"subject": "sub", "username": "preferred_username"}
    name = claims.get(wanted, claims.get(aliases.get(wanted, "")))
    if name is None:
        raise LoginRefused
    userid = f"{name}@{started['realm']}"
    check_user_id(userid)
    if realm.get("autocreate") and userid not in cluster.access.users:
        cluster.access.users[userid] = _new_user(userid, claims)
    user = logins.enabled_user(cluster, userid)
    _take_groups(cluster, user, realm, claims)
    return userid


def _new_user(userid: str, claims: dict[str, Any]) -> User:
    names = {"email": "email", "given_name": "firstname", "family_name": "lastname"}
    fields = {ours: str(claims[theirs]) for theirs, ours in names.items() if theirs in claims}
    return User(userid, fields=fields)


def _take_groups(
    cluster: SimulatedCluster, user: User, realm: dict[str, Any], claims: dict[str, Any]
) -> None:
    """Take a user's groups from the provider's claim; they carry the realm's name."""
    told = claims.get(str(realm.get("groups-claim", "")))
    if not isinstance(told, list):
        return
    names = {f"{group}-{user.realm}" for group in cast("list[str]", told)}
    if realm.get("groups-autocreate"):
        for name in names - set(cluster.access.groups):
            cluster.access.groups[name] = Group(name)
    if realm.get("groups-overwrite"):
        user.groups = set()
    user.groups |= names & set(cluster.access.groups)
