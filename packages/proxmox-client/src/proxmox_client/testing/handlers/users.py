"""Users, their API tokens, and realms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.formats import check_user_id, split_list
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.state import Token, User

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_FIELDS = ("comment", "email", "firstname", "lastname", "keys")
_REALM_TYPES = {"pam": "pam", "pve": "pve"}


def _user(cluster: SimulatedCluster, userid: str) -> User:
    user = cluster.access.users.get(userid)
    if user is None:
        raise PveFault(500, f"no such user ('{userid}')")
    return user


def _token_row(token: Token) -> dict[str, Any]:
    row: dict[str, Any] = {"privsep": int(token.privsep), "expire": token.expire}
    return row | ({"comment": token.comment} if token.comment is not None else {})


def _row(user: User) -> dict[str, Any]:
    return {"enable": int(user.enable), "expire": user.expire, **user.fields}


@handles("GET", "/access/users")
def list_users(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List users; only oneself without privileges over others."""
    access = cluster.access
    rows: list[dict[str, Any]] = []
    for user in access.users.values():
        paths = ["/access/groups", *(f"/access/groups/{group}" for group in user.groups)]
        wanted = ["User.Modify", "Sys.Audit"]
        seen = any(access.allows(call.identity, path, wanted, any_of=True) for path in paths)
        own = user.userid == call.identity.userid and call.identity.tokenid is None
        if not (seen or own) or call.get("enabled", int(user.enable)) != int(user.enable):
            continue
        row = {"userid": user.userid, "realm-type": _realm_type(cluster, user.realm), **_row(user)}
        if row.get("email") == "":
            # Only a single user's answer shows that there is no address.
            del row["email"]
        if call.get("full"):
            row["groups"] = ",".join(sorted(user.groups))
            if user.tokens:
                row["tokens"] = [
                    {"tokenid": token.tokenid, **_token_row(token)}
                    for token in user.tokens.values()
                ]
        rows.append(row)
    return rows


def _realm_type(cluster: SimulatedCluster, realm: str) -> str:
    known = cluster.files.get("domains", {}).get(realm, {})
    return str(known.get("type") or _REALM_TYPES.get(realm, ""))


@handles("GET", "/access/users/{userid}")
def read_user(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return a user."""
    user = _user(cluster, call["userid"])
    tokens = {token.tokenid: _token_row(token) for token in user.tokens.values()}
    return _row(user) | {"groups": sorted(user.groups), "tokens": tokens or None}


@handles("POST", "/access/users")
def create_user(cluster: SimulatedCluster, call: Call) -> None:
    """Make a user; the realm need not exist."""
    userid = call["userid"]
    try:
        check_user_id(userid)
    except ValueError as error:
        raise PveFault(500, str(error)) from None
    if userid in cluster.access.users:
        raise PveFault(500, f"create user failed: user '{userid}' already exists")
    user = User(
        userid,
        enable=bool(call.get("enable", 1)),
        expire=call.get("expire", 0),
        password=call.get("password"),
    )
    user.fields["email"] = ""
    _set_fields(user, call)
    _set_groups(cluster, user, call, "create user failed: ")
    cluster.access.users[userid] = user


@handles("PUT", "/access/users/{userid}")
def update_user(cluster: SimulatedCluster, call: Call) -> None:
    """Change a user."""
    user = _user(cluster, call["userid"])
    _set_groups(cluster, user, call, "update user failed: ")
    _set_fields(user, call)
    user.enable = bool(call.get("enable", user.enable))
    user.expire = call.get("expire", user.expire)


def _set_fields(user: User, call: Call) -> None:
    for name in _FIELDS:
        if name in call:
            user.fields[name] = call[name]


def _set_groups(cluster: SimulatedCluster, user: User, call: Call, prefix: str) -> None:
    if "groups" not in call:
        return
    groups = set(split_list(call["groups"]))
    for group in sorted(groups):
        if group not in cluster.access.groups:
            raise PveFault(500, f"{prefix}no such group '{group}'")
    user.groups = user.groups | groups if call.get("append") else groups


@handles("DELETE", "/access/users/{userid}")
def delete_user(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a user with tokens and what the access control list says about them."""
    userid = call["userid"]
    user = _user(cluster, userid)
    gone = {userid, *(f"{userid}!{tokenid}" for tokenid in user.tokens)}
    acl = cluster.access.acl
    acl[:] = [entry for entry in acl if entry.kind == "group" or entry.ugid not in gone]
    cluster.files.get("tfa", {}).pop(userid, None)
    del cluster.access.users[userid]


def _token(cluster: SimulatedCluster, call: Call) -> tuple[User, Token]:
    user = _user(cluster, call["userid"])
    token = user.tokens.get(call["tokenid"])
    if token is None:
        raise PveFault(500, f"no such token '{call['tokenid']}' for user '{user.userid}'")
    return user, token


@handles("GET", "/access/users/{userid}/token")
def list_tokens(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List a user's tokens."""
    tokens = _user(cluster, call["userid"]).tokens.values()
    return [{"tokenid": token.tokenid, **_token_row(token)} for token in tokens]


@handles("GET", "/access/users/{userid}/token/{tokenid}")
def read_token(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return a token without its secret."""
    return _token_row(_token(cluster, call)[1])


@handles("POST", "/access/users/{userid}/token/{tokenid}")
def create_token(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Make a token; its secret is told only here."""
    user = _user(cluster, call["userid"])
    tokenid = call["tokenid"]
    if tokenid in user.tokens:
        raise PveFault.parameters({"tokenid": "Token already exists."})
    token = Token(
        tokenid,
        cluster.new_uuid(),
        privsep=bool(call.get("privsep", 1)),
        expire=call.get("expire", 0),
        comment=call.get("comment"),
    )
    user.tokens[tokenid] = token
    # PVE repeats here what was sent, as text, with privsep filled in.
    info = {name: call.sent[name] for name in ("comment", "expire") if name in call}
    return {
        "full-tokenid": f"{user.userid}!{tokenid}",
        "value": token.secret,
        "info": info | {"privsep": call.sent.get("privsep", "1")},
    }


@handles("PUT", "/access/users/{userid}/token/{tokenid}")
def update_token(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Change a token, or give it a new secret."""
    user, token = _token(cluster, call)
    token.comment = call.get("comment", token.comment)
    token.expire = call.get("expire", token.expire)
    token.privsep = bool(call.get("privsep", token.privsep))
    row = _token_row(token)
    if call.get("regenerate"):
        token.secret = cluster.new_uuid()
        row |= {"value": token.secret, "full-tokenid": f"{user.userid}!{token.tokenid}"}
    return row


@handles("DELETE", "/access/users/{userid}/token/{tokenid}")
def delete_token(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a token and what the access control list says about it."""
    user, token = _token(cluster, call)
    del user.tokens[token.tokenid]
    full = f"{user.userid}!{token.tokenid}"
    acl = cluster.access.acl
    acl[:] = [entry for entry in acl if (entry.kind, entry.ugid) != ("token", full)]
