"""Realms: where users log in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from proxmox_client.testing.digest import check_digest, digest_of
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.realmsync import check_realm, sync_options, synchronise
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Realm = dict[str, Any]
_BUILT_IN: dict[str, Realm] = {
    "pve": {"type": "pve", "comment": "Proxmox VE authentication server"},
    "pam": {"type": "pam", "comment": "Linux PAM standard authentication"},
}
_REQUIRED = {
    "ldap": ("server1", "base_dn", "user_attr"),
    "ad": ("server1", "domain"),
    "openid": ("issuer-url", "client-id"),
}
_NUMBERS = ("default", "port", "secure", "verify", "case-sensitive", "autocreate")


def _stored(cluster: SimulatedCluster) -> dict[str, Realm]:
    return cast("dict[str, Realm]", cluster.files.setdefault("domains", {}))


def _realms(cluster: SimulatedCluster) -> dict[str, Realm]:
    return {**_BUILT_IN, **_stored(cluster)}


def _digest(cluster: SimulatedCluster) -> str:
    stored = _stored(cluster)
    return digest_of(json.dumps(stored, sort_keys=True) if stored else "")


@handles("GET", "/access/domains")
def list_domains(cluster: SimulatedCluster, call: Call) -> list[Realm]:
    """List the realms; anybody may."""
    shown = ("type", "comment", "default", "tfa")
    return [
        {"realm": name, **{key: realm[key] for key in shown if key in realm}}
        for name, realm in _realms(cluster).items()
    ]


@handles("GET", "/access/domains/{realm}")
def read_domain(cluster: SimulatedCluster, call: Call) -> Realm:
    """Return a realm's configuration."""
    name = call["realm"]
    realm = _realms(cluster).get(name)
    if realm is None:
        raise PveFault(500, f"domain '{name}' does not exist")
    plugin = {"plugin": "PVE::Auth::PAM"} if name == "pam" and name not in _stored(cluster) else {}
    return {**realm, **plugin, "digest": _digest(cluster)}


def _values(call: Call) -> Realm:
    skipped = ("realm", "digest", "delete", "password", "check-connection")
    return {
        key: int(text) if key in _NUMBERS and text.isdecimal() else text
        for key, text in call.sent.items()
        if key not in skipped
    }


@handles("POST", "/access/domains")
def create_domain(cluster: SimulatedCluster, call: Call) -> None:
    """Configure a realm."""
    prefix = "add auth server failed: "
    if call["realm"] in _realms(cluster):
        raise PveFault(500, f"{prefix}domain '{call['realm']}' already exists")
    for needed in _REQUIRED.get(call["type"], ()):
        if needed not in call:
            raise PveFault(500, f"{prefix}missing value for required option '{needed}'")
    _stored(cluster)[call["realm"]] = _values(call)


@handles("PUT", "/access/domains/{realm}")
def update_domain(cluster: SimulatedCluster, call: Call) -> None:
    """Change a realm, guarded by the digest."""
    prefix = "update auth server failed: "
    name = call["realm"]
    check_digest(call.sent.get("digest"), _digest(cluster), prefix=prefix)
    realm = _realms(cluster).get(name)
    if realm is None:
        raise PveFault(500, f"{prefix}domain '{name}' does not exist")
    changed = {**realm, **_values(call)}
    for key in split_list(call.get("delete", "")):
        changed.pop(key, None)
    _stored(cluster)[name] = changed


@handles("DELETE", "/access/domains/{realm}")
def delete_domain(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a realm; the built-in ones come back by themselves."""
    name = call["realm"]
    if name not in _realms(cluster):
        raise PveFault(
            500, f"delete auth server failed: authentication domain '{name}' does not exist"
        )
    _stored(cluster).pop(name, None)


@handles("POST", "/access/domains/{realm}/sync")
def sync_domain(cluster: SimulatedCluster, call: Call) -> str:
    """Start a synchronisation with the directory server behind a realm."""
    name = call["realm"]
    dry = bool(call.get("dry-run"))
    options = sync_options(check_realm(cluster, name), call.sent)

    def work(task: TaskRecord) -> None:
        synchronise(cluster, task, name, options, dry=dry)

    return cluster.tasks.start(
        call.node,
        "auth-realm-sync-test" if dry else "auth-realm-sync",
        work,
        id=name,
        user=call.identity.authid,
        delay=0.0,
    )
