"""Firewall aliases and IP sets of cluster and guests."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.firewall.files import (
    Alias,
    FirewallFile,
    IpSet,
    part_digest,
    with_digest,
)
from proxmox_client.testing.firewall.rules import ip_version
from proxmox_client.testing.firewall.scopes import file_of, in_scopes, visible_files
from proxmox_client.testing.request import Call, PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_BOTH = ("cluster", "guest")


def _alias_row(alias: Alias) -> dict[str, Any]:
    row = {"name": alias.name, "cidr": alias.cidr, "ipversion": ip_version(alias.cidr)}
    return row | ({"comment": alias.comment} if alias.comment else {})


def _alias_rows(file: FirewallFile) -> list[dict[str, Any]]:
    return [_alias_row(file.aliases[name]) for name in sorted(file.aliases)]


def _alias(file: FirewallFile, call: Call) -> Alias:
    alias = file.aliases.get(call["name"].lower())
    if alias is None:
        raise PveFault.parameters({"name": "no such alias"})
    return alias


@in_scopes("GET", "/aliases", *_BOTH)
def list_aliases(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the aliases."""
    return with_digest(_alias_rows(file_of(cluster, call)))


@in_scopes("POST", "/aliases", *_BOTH)
def create_alias(cluster: SimulatedCluster, call: Call) -> None:
    """Make an alias; its name counts without regard to capitals."""
    file = file_of(cluster, call)
    name = call["name"]
    if name.lower() in file.aliases:
        raise PveFault.parameters({"name": f"alias '{name}' already exists"})
    file.aliases[name.lower()] = Alias(name, _network(call["cidr"]), call.get("comment"))


@in_scopes("GET", "/aliases/{name}", *_BOTH)
def read_alias(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one alias (without a digest)."""
    return _alias_row(_alias(file_of(cluster, call), call))


@in_scopes("PUT", "/aliases/{name}", *_BOTH)
def update_alias(cluster: SimulatedCluster, call: Call) -> None:
    """Change or rename an alias."""
    file = file_of(cluster, call)
    check_digest(call.get("digest"), part_digest(_alias_rows(file)))
    alias = _alias(file, call)
    new = call.get("rename")
    if new is not None and new.lower() != alias.name.lower():
        if new.lower() in file.aliases:
            raise PveFault.parameters({"name": f"alias '{new}' already exists"})
        del file.aliases[alias.name.lower()]
        alias.name = new
        file.aliases[new.lower()] = alias
    alias.cidr = _network(call["cidr"])
    alias.comment = call.get("comment", alias.comment)


@in_scopes("DELETE", "/aliases/{name}", *_BOTH)
def delete_alias(cluster: SimulatedCluster, call: Call) -> None:
    """Remove an alias, used or not."""
    file = file_of(cluster, call)
    check_digest(call.get("digest"), part_digest(_alias_rows(file)))
    file.aliases.pop(call["name"].lower(), None)


def _set_rows(file: FirewallFile) -> list[dict[str, Any]]:
    return [
        {"name": ipset.name} | ({"comment": ipset.comment} if ipset.comment else {})
        for ipset in sorted(file.ipsets.values(), key=lambda ipset: ipset.name)
    ]


def _set(file: FirewallFile, call: Call) -> IpSet:
    ipset = file.ipsets.get(call["name"])
    if ipset is None:
        raise PveFault(500, f"no such IPSet '{call['name']}'")
    return ipset


@in_scopes("GET", "/ipset", *_BOTH)
def list_sets(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the sets."""
    return with_digest(_set_rows(file_of(cluster, call)))


@in_scopes("POST", "/ipset", *_BOTH)
def create_set(cluster: SimulatedCluster, call: Call) -> None:
    """Make a set, or rename one (``rename`` is the set's present name)."""
    file = file_of(cluster, call)
    name, old = call["name"], call.get("rename")
    if old is None:
        if name in file.ipsets:
            raise PveFault.parameters({"name": f"IPSet '{name}' already exists"})
        file.ipsets[name] = IpSet(name, call.get("comment"))
        return
    check_digest(call.get("digest"), part_digest(_set_rows(file)))
    if old not in file.ipsets:
        raise PveFault.parameters({"name": f"IPSet '{old}' does not exist"})
    if name != old and name in file.ipsets:
        raise PveFault.parameters({"name": f"IPSet '{name}' already exists"})
    ipset = file.ipsets.pop(old)
    ipset.name = name
    ipset.comment = call.get("comment", ipset.comment)
    file.ipsets[name] = ipset


@in_scopes("DELETE", "/ipset/{name}", *_BOTH)
def delete_set(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a set; one with entries only by force."""
    file = file_of(cluster, call)
    ipset = _set(file, call)
    if ipset.entries and not call.get("force"):
        raise PveFault(500, f"IPSet '{ipset.name}' is not empty")
    del file.ipsets[ipset.name]


@in_scopes("GET", "/ipset/{name}", *_BOTH)
def list_entries(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List a set's entries."""
    return with_digest(_set(file_of(cluster, call), call).entries)


@in_scopes("POST", "/ipset/{name}", *_BOTH)
def create_entry(cluster: SimulatedCluster, call: Call) -> None:
    """Add an entry to a set."""
    ipset = _set(file_of(cluster, call), call)
    cidr = _entry(cluster, call)
    if any(entry["cidr"] == cidr for entry in ipset.entries):
        raise PveFault.parameters({"cidr": f"address '{cidr}' already exists"})
    ipset.entries.insert(0, {"cidr": cidr} | _entry_fields(call))
    ipset.entries.sort(key=lambda entry: str(entry["cidr"]))


def _entry_fields(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if call.get("nomatch"):
        fields["nomatch"] = 1
    if call.get("comment"):
        fields["comment"] = call["comment"]
    return fields


def _entry(cluster: SimulatedCluster, call: Call) -> str:
    text: str = call["cidr"]
    alias = text.rpartition("/")[2] if text.startswith(("dc/", "guest/")) else text
    if alias[:1].isalpha() and ":" not in alias:
        if not any(alias.lower() in file.aliases for file in visible_files(cluster, call)):
            raise PveFault.parameters({"cidr": f"no such alias {text}"})
        return text
    return _network(text)


def _network(text: str) -> str:
    """Write an address as PVE stores it: a network of one host is the host."""
    if "/" not in text:
        return text
    interface = ipaddress.ip_interface(text)
    one = interface.network.prefixlen == interface.max_prefixlen
    return str(interface.ip) if one else text


def _found(ipset: IpSet, call: Call) -> dict[str, Any]:
    for entry in ipset.entries:
        if entry["cidr"] == call["cidr"]:
            return entry
    raise PveFault.parameters({"cidr": "no such IP/Network"})


@in_scopes("GET", "/ipset/{name}/{cidr}", *_BOTH)
def read_entry(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one entry of a set."""
    ipset = _set(file_of(cluster, call), call)
    return {**_found(ipset, call), "digest": part_digest(ipset.entries)}


@in_scopes("PUT", "/ipset/{name}/{cidr}", *_BOTH)
def update_entry(cluster: SimulatedCluster, call: Call) -> None:
    """Change an entry: what is not sent is gone."""
    ipset = _set(file_of(cluster, call), call)
    check_digest(call.get("digest"), part_digest(ipset.entries))
    entry = _found(ipset, call)
    cidr = entry["cidr"]
    entry.clear()
    entry.update({"cidr": cidr} | _entry_fields(call))


@in_scopes("DELETE", "/ipset/{name}/{cidr}", *_BOTH)
def delete_entry(cluster: SimulatedCluster, call: Call) -> None:
    """Remove an entry from a set."""
    ipset = _set(file_of(cluster, call), call)
    check_digest(call.get("digest"), part_digest(ipset.entries))
    ipset.entries = [entry for entry in ipset.entries if entry["cidr"] != call["cidr"]]
