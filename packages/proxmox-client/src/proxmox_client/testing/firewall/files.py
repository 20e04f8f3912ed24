"""Firewall files: one for the cluster, one for each node, guest and virtual network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from proxmox_client.testing.digest import digest_of

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Rule = dict[str, Any]


@attrs.define
class Alias:
    """A name for an address or a network."""

    name: str
    cidr: str
    comment: str | None = None


@attrs.define
class IpSet:
    """A named set of addresses; an entry is its text, whether it is an exception, a comment."""

    name: str
    comment: str | None = None
    entries: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]])


@attrs.define
class RuleGroup:
    """A security group: a named list of rules."""

    name: str
    comment: str | None = None
    rules: list[Rule] = attrs.field(factory=list[Rule])


@attrs.define
class FirewallFile:
    """One firewall configuration.

    Attributes:
        options: Options as written.
        rules: Rules from the first to the last; their index is their position.
        aliases: Aliases by name in small letters.
        ipsets: Sets by name.
        groups: Security groups by name (only the cluster's file has some).
    """

    options: dict[str, Any] = attrs.field(factory=dict[str, Any])
    rules: list[Rule] = attrs.field(factory=list[Rule])
    aliases: dict[str, Alias] = attrs.field(factory=dict[str, Alias])
    ipsets: dict[str, IpSet] = attrs.field(factory=dict[str, IpSet])
    groups: dict[str, RuleGroup] = attrs.field(factory=dict[str, RuleGroup])


def firewall_file(cluster: SimulatedCluster, scope: str) -> FirewallFile:
    """Return the file of a scope: ``cluster``, ``node/NAME``, ``guest/ID`` or ``vnet/NAME``."""
    files: dict[str, FirewallFile] = cluster.files.setdefault("firewall", {})
    return files.setdefault(scope, FirewallFile())


def forget_guest(cluster: SimulatedCluster, vmid: int) -> None:
    """Drop a deleted guest's firewall file."""
    cluster.files.get("firewall", {}).pop(f"guest/{vmid}", None)


def part_digest(part: object) -> str:
    """Return the digest of one part of a file; PVE digests each list by itself."""
    return digest_of(json.dumps(part, sort_keys=True) if part else "")


def with_digest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return copies of a list's entries, each with the digest of the whole list."""
    digest = part_digest(rows)
    return [{**row, "digest": digest} for row in rows]
