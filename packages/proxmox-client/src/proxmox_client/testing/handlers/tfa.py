"""Second factors of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing import logins, secondfactors
from proxmox_client.testing.permissions import denied
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.secondfactors import BadFactor

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import User

_ENTRY = "/access/tfa/{userid}/{id}"
_EXCLUDED = {
    "totp": ("challenge",),
    "webauthn": ("totp",),
    "u2f": ("totp",),
    "recovery": ("totp", "value", "challenge"),
    "yubico": ("totp", "challenge"),
}


def _rows(cluster: SimulatedCluster, userid: str) -> list[dict[str, Any]]:
    entries = secondfactors.factors(cluster, userid)["entries"]
    return [secondfactors.shown(entry) for entry in entries]


@handles("GET", "/access/users/{userid}/tfa")
def user_types(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Say which kinds of second factors a user has, and which his realm wants."""
    userid = call["userid"]
    realm = logins.realm_of(cluster, userid.rpartition("@")[2])
    if realm is None:
        raise PveFault(500, f"auth domain '{userid.rpartition('@')[2]}' does not exist")
    if userid not in cluster.access.users:
        raise PveFault(500, f"no such user ('{userid}')")
    kinds = sorted({entry["type"] for entry in _rows(cluster, userid)})
    found: dict[str, Any] = {}
    if "tfa" in realm:
        parts = dict(part.split("=", 1) for part in realm["tfa"].split(",") if "=" in part)
        found["realm"] = parts.get("type", realm["tfa"])
    if call.get("multiple"):
        found["user"] = kinds
    return found


@handles("GET", "/access/tfa")
def list_all(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List users with second factors, as far as the caller may see them."""
    now = cluster.clock.now()
    wanted = ["User.Modify", "Sys.Audit"]
    rows: list[dict[str, Any]] = []
    for userid, user in cluster.access.users.items():
        found = secondfactors.factors(cluster, userid)
        paths = ["/access/groups", *(f"/access/groups/{group}" for group in user.groups)]
        seen = userid == call.identity.userid or any(
            cluster.access.allows(call.identity, path, wanted, any_of=True) for path in paths
        )
        if not seen or not found["entries"]:
            continue
        row: dict[str, Any] = {"userid": userid, "entries": _rows(cluster, userid)}
        if found.get("totp-locked"):
            row["totp-locked"] = 1
        if found.get("locked-until", 0) > now:
            row["tfa-locked-until"] = found["locked-until"]
        rows.append(row)
    return rows


@handles("GET", "/access/tfa/{userid}")
def list_factors(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List a user's second factors."""
    return _rows(cluster, call["userid"])


@handles("GET", _ENTRY)
def read_factor(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one second factor without its secret."""
    for row in _rows(cluster, call["userid"]):
        if row["id"] == call["id"]:
            return row
    raise PveFault(404, f"No such tfa entry '{call['id']}'", newline=False)


@handles("POST", "/access/tfa/{userid}")
def add_factor(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Add a second factor; recovery codes are told only here."""
    user = logins.confirm(cluster, call, "password")
    kind = call["type"]
    found = secondfactors.factors(cluster, user.userid)
    try:
        _check(call)
        if kind == "recovery":
            codes = secondfactors.add_recovery(found, cluster.random, cluster.clock.now())
            answer: dict[str, Any] = {"id": "recovery", "recovery": codes}
        else:
            answer = {"id": _add(cluster, call, user, found)}
    except BadFactor as error:
        raise PveFault(500, str(error)) from None
    user.fields["keys"] = "x"
    return answer


def _check(call: Call) -> None:
    kind = call["type"]
    if any(name in call for name in _EXCLUDED[kind]):
        if kind == "recovery":
            raise BadFactor("generating recovery tokens does not allow additional parameters")
        quoted = " and ".join(f"'{name}'" for name in _EXCLUDED[kind])
        verb = "parameters are" if len(_EXCLUDED[kind]) > 1 else "parameter is"
        raise BadFactor(f"{quoted} {verb} invalid for '{kind}' entries")
    if kind != "recovery" and "description" not in call:
        raise BadFactor("'description' is required for new entries")


def _add(
    cluster: SimulatedCluster, call: Call, user: User, found: secondfactors.Factors
) -> str:  # fmt: skip
    now, ident = cluster.clock.now(), cluster.new_uuid()
    match call["type"]:
        case "totp":
            if "totp" not in call or "value" not in call:
                raise BadFactor("'totp' type requires both 'totp' and 'value' parameters")
            return secondfactors.add_totp(
                found, ident, call["description"], call["totp"], call["value"], now
            )
        case "yubico":
            realm = logins.realm_of(cluster, user.realm) or {}
            if "tfa" not in realm:
                raise BadFactor(
                    f"no yubico otp configuration available for realm {user.realm}"
                )  # fmt: skip
            key = str(call.get("value", ""))[:12]
            return secondfactors.add_plain(found, "yubico", ident, call["description"], key, now)
        case "webauthn":
            raise BadFactor("no webauthn configuration available")
        case _:
            raise BadFactor("no u2f configuration available")


@handles("PUT", _ENTRY)
def change_factor(cluster: SimulatedCluster, call: Call) -> None:
    """Rename, enable or disable a second factor."""
    user = logins.confirm(cluster, call, "password")
    for entry in secondfactors.factors(cluster, user.userid)["entries"]:
        if entry["id"] == call["id"]:
            entry["description"] = call.get("description", entry["description"])
            entry["enable"] = bool(call.get("enable", entry["enable"]))
            return
    raise PveFault(500, "no such entry")


@handles("DELETE", _ENTRY)
def delete_factor(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a second factor; after the last one a password is enough again."""
    user = logins.confirm(cluster, call, "password")
    found = secondfactors.factors(cluster, user.userid)
    left = [entry for entry in found["entries"] if entry["id"] != call["id"]]
    if len(left) == len(found["entries"]):
        raise PveFault(500, "no such entry")
    found["entries"] = left
    if not left:
        user.fields.pop("keys", None)


@handles("PUT", "/access/users/{userid}/unlock-tfa")
def unlock(cluster: SimulatedCluster, call: Call) -> int:
    """End a user's locks after too many wrong factors; tell whether there was one."""
    if call["userid"] not in cluster.access.users:
        raise denied()
    found = secondfactors.factors(cluster, call["userid"])
    return int(secondfactors.unlock(found, cluster.clock.now()))
