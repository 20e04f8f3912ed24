"""The documents PVE puts on a machine's cloud-init drive (nocloud format)."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import unquote

from proxmox_client.testing.guests import keyed
from proxmox_client.testing.guests.nics import parse_net
from proxmox_client.testing.guests.options import split_list

KEYS = (
    "cicustom",
    "cipassword",
    "citype",
    "ciupgrade",
    "ciuser",
    "nameserver",
    "searchdomain",
    "sshkeys",
)
"""Options that the drive carries, besides ``ipconfigN``, ``netN`` and ``name``."""


def is_key(name: str) -> bool:
    """Whether the cloud-init drive depends on an option."""
    return name in KEYS or re.fullmatch(r"(ipconfig|net)\d+", name) is not None or name == "name"


def dump(config: Mapping[str, str], vmid: int, which: str) -> str:
    """Return one of the documents: ``user``, ``network`` or ``meta``."""
    if which == "user":
        return user_data(config, vmid)
    if which == "network":
        return network_data(config)
    parts = user_data(config, vmid) + network_data(config)
    return f"instance-id: {hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()}\n"


def user_data(config: Mapping[str, str], vmid: int) -> str:
    """Write the cloud-config document."""
    host = config.get("name", f"VM{vmid}")
    lines = ["#cloud-config", f"hostname: {host.split('.', 1)[0]}", "manage_etc_hosts: true"]
    if "." in host:
        lines.append(f"fqdn: {host}")
    elif domain := split_list(config.get("searchdomain")):
        lines.append(f"fqdn: {host}.{domain[0]}")
    if "ciuser" in config:
        lines.append(f"user: {config['ciuser']}")
    if "cipassword" in config:
        lines.append(f"password: {config['cipassword']}")
    keys = [key.strip() for key in unquote(config.get("sshkeys", "")).splitlines() if key.strip()]
    if keys:
        lines += ["ssh_authorized_keys:", *(f"  - {key}" for key in keys)]
    lines += ["chpasswd:", "  expire: False"]
    lines += ["users:", "  - default"]
    if config.get("ciupgrade", "1") == "1":
        lines.append("package_upgrade: true")
    return "\n".join(lines) + "\n"


def network_data(config: Mapping[str, str]) -> str:
    """Write the network document, version 1: cards with an ``ipconfigN``."""
    lines = ["version: 1", "config:"]
    numbers = sorted(int(name[8:]) for name in config if re.fullmatch(r"ipconfig\d+", name))
    for number in numbers:
        if f"net{number}" not in config:
            continue
        net = parse_net(config[f"net{number}"])
        lines += [
            "    - type: physical",
            f"      name: eth{number}",
            f"      mac_address: '{net.get('macaddr', '').lower()}'",
        ]
        subnets = _subnets(keyed.parse(config.get(f"ipconfig{number}", "")))
        if subnets:
            lines += ["      subnets:", *subnets]
    servers, domains = split_list(config.get("nameserver")), split_list(config.get("searchdomain"))
    if servers or domains:
        lines.append("    - type: nameserver")
        if servers:
            lines += ["      address:", *(f"      - '{server}'" for server in servers)]
        if domains:
            lines += ["      search:", *(f"      - '{domain}'" for domain in domains)]
    return "\n".join(lines) + "\n"


def _subnets(ipconfig: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    address = ipconfig.get("ip")
    if address == "dhcp":
        lines.append("      - type: dhcp4")
    elif address:
        interface = ipaddress.IPv4Interface(address)
        lines += [
            "      - type: static",
            f"        address: '{interface.ip}'",
            f"        netmask: '{interface.netmask}'",
        ]
        if "gw" in ipconfig:
            lines.append(f"        gateway: '{ipconfig['gw']}'")
    six = ipconfig.get("ip6")
    if six == "dhcp":
        lines.append("      - type: dhcp6")
    elif six == "auto":
        lines.append("      - type: ipv6_slaac")
    elif six:
        lines += ["      - type: static6", f"        address: '{six}'"]
        if "gw6" in ipconfig:
            lines.append(f"        gateway: '{ipconfig['gw6']}'")
    return lines
