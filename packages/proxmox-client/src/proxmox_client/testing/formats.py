"""PVE's named formats: what a value has to look like and what PVE says when it does not.

Here belong formats of single values. Property strings belong to `validation`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

from proxmox_client.testing import schedules

Check = Callable[[str], None]
"""Accepts a value or raises ``ValueError`` with PVE's sentence, without the final line feed."""

CONTENT_TYPES = ("images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none")


def _matches(pattern: str, message: str) -> Check:
    match = re.compile(pattern).fullmatch

    def check(value: str) -> None:
        if not match(value):
            raise ValueError(message.replace("%s", value))

    return check


def _vmid(value: str) -> None:
    if not (value.isdecimal() and 100 <= int(value) <= 999_999_999):
        raise ValueError("value does not look like a valid VM ID")


def _storage_id(value: str) -> None:
    if len(value) < 2:
        raise ValueError(f"storage ID '{value}' cannot be shorter than 2 characters")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9\-_.]*[A-Za-z0-9]", value):
        raise ValueError(f"storage ID '{value}' contains illegal characters")


def check_user_id(value: str) -> None:
    """Refuse what is not ``name@realm``, in PVE's words."""
    if len(value) < 3:
        raise ValueError(f"user name '{value}' is too short")
    if len(value) > 64:
        raise ValueError(f"user name '{value}' is too long ({len(value)} > 64)")
    if not re.fullmatch(r"[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+", value):
        raise ValueError(f"value '{value}' does not look like a valid user name")


def _ip(message: str, parse: Callable[[str], object]) -> Check:
    def check(value: str) -> None:
        try:
            parse(value)
        except ValueError:
            raise ValueError(message) from None

    return check


def _cidr(value: str) -> object:
    if "/" not in value:
        raise ValueError
    return ipaddress.ip_interface(value)


def _cidr4(value: str) -> object:
    if "/" not in value:
        raise ValueError
    return ipaddress.IPv4Interface(value)


def _cidr6(value: str) -> object:
    if "/" not in value:
        raise ValueError
    return ipaddress.IPv6Interface(value)


def _literal_or(words: tuple[str, ...], parse: Callable[[str], object]) -> Callable[[str], object]:
    return lambda value: value if value in words else parse(value)


def _content(value: str) -> None:
    if value not in CONTENT_TYPES:
        raise ValueError(f"invalid content type '{value}'")


def _prune_backups(value: str) -> None:
    keys = [part.partition("=")[0] for part in value.split(",")]
    if "keep-all" in keys and len(keys) > 1:
        raise ValueError("keep-all cannot be set together with other options.")


def _pem(value: str) -> None:
    if "-----BEGIN " not in value:
        raise ValueError("not a valid PEM-formatted string.")


# Names a port may have in a firewall rule: the common ones of /etc/services.
_SERVICES = frozenset(
    [
        "bootps",
        "bootpc",
        "domain",
        "ftp",
        "ftp-data",
        "git",
        "http",
        "https",
        "imap",
        "imap2",
        "imaps",
        "ipp",
        "irc",
        "kerberos",
        "ldap",
        "ldaps",
        "microsoft-ds",
        "ms-sql-s",
        "mysql",
        "nfs",
        "nntp",
        "ntp",
        "pop3",
        "pop3s",
        "postgresql",
        "rsync",
        "sip",
        "smtp",
        "smtps",
        "snmp",
        "socks",
        "ssh",
        "submission",
        "sunrpc",
        "syslog",
        "telnet",
        "tftp",
        "x11",
        "xmpp-client",
        "xmpp-server",
    ]
)


def _port(value: str) -> None:
    for part in re.split(r"[,:]", value):
        if not (part.isdecimal() and int(part) <= 65535) and part not in _SERVICES:
            raise ValueError(f"invalid port '{part}'")


def _storage_pair(value: str) -> None:
    for part in value.split(":"):
        if part == "1":
            continue
        try:
            _storage_id(part)
        except ValueError as error:
            raise ValueError(f"entry '{value}' contains invalid ID - {error}\n") from None


def _firewall_address(value: str) -> None:
    for part in value.split(","):
        if re.fullmatch(r"[+]?(?:(?:dc|guest|sdn)/)?[A-Za-z][A-Za-z0-9\-_/]*", part):
            continue
        for end in part.split("-"):
            bare = end.partition("/")[0]
            try:
                ipaddress.ip_address(bare)
            except ValueError:
                raise ValueError(f"invalid IP address: {_quad_text(bare)}") from None


def _quad_text(value: str) -> str:
    bad = next((quad for quad in value.split(".") if quad.isdecimal() and int(quad) > 255), None)
    return f"Invalid quad in IP address {value} - {bad}" if bad else value


def _calendar_event(value: str) -> None:
    clock = re.search(r"(\d+):(\d+)", value)
    for figure, limit in ((clock[1], 23), (clock[2], 59)) if clock else ():
        if int(figure) > limit:
            raise ValueError(f"invalid calendar event '{value}' - value '{figure}' out of range\n")
    try:
        schedules.parse(value)
    except ValueError:
        text = f"invalid calendar event '{value}' - unable to parse calendar event\n"
        raise ValueError(text) from None


def _urlencoded(value: str) -> None:
    if not re.fullmatch(r"[-%a-zA-Z0-9_.!~*'()]*", value):
        raise ValueError(f"invalid urlencoded string: {value}")


_NET4 = "value does not look like a valid ipv4 network configuration"
_NET6 = "value does not look like a valid ipv6 network configuration"
_ANY_IP = _ip("value does not look like a valid IP address", ipaddress.ip_address)
_DNS = _matches(
    r"(?:(?:[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?)\.)*[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?",
    "value does not look like a valid DNS name",
)
NODE_NAME = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?"
_NODE = _matches(NODE_NAME, "value does not look like a valid node name")

FORMATS: Mapping[str, Check] = {
    "pve-vmid": _vmid,
    "pve-node": _NODE,
    "pve-storage-id": _storage_id,
    "pve-storage-content": _content,
    "pve-storage-path": _matches(r"/.*", "value does not look like a valid absolute path"),
    "pve-configid": _matches(r"[A-Za-z][A-Za-z0-9_-]+", "invalid configuration ID '%s'"),
    "pve-iface": _matches(
        r"[A-Za-z][A-Za-z0-9_]{1,20}(?:[:.]\d+)?", "invalid network interface name '%s'"
    ),
    "pve-userid": check_user_id,
    "pve-groupid": _matches(r"[A-Za-z0-9.\-_]+", "group name '%s' contains invalid characters"),
    "pve-roleid": _matches(r"[A-Za-z0-9.\-_]+", "role name '%s' contains invalid characters"),
    "pve-poolid": _matches(
        r"[A-Za-z0-9.\-_]+(?:/[A-Za-z0-9.\-_]+){0,2}", "pool name '%s' contains invalid characters"
    ),
    "pve-realm": _matches(r"[A-Za-z][A-Za-z0-9.\-_]+", "value does not look like a valid realm"),
    "pve-volume-id": _matches(
        r"[A-Za-z][A-Za-z0-9\-_.]*[A-Za-z0-9]:.+", "unable to parse volume ID '%s'"
    ),
    "pve-ha-resource-or-vm-id": _matches(
        r"(?:[a-z]+:)?\d+", "value does not look like a valid ha resource id"
    ),
    "pve-ha-resource-id": _matches(
        r"[a-z]+:\d+", "value does not look like a valid ha resource id"
    ),
    "pve-replication-job-id": _matches(
        r"[1-9][0-9]{2,8}-\d{1,9}", "invalid replication job id '%s'"
    ),
    "pve-calendar-event": _calendar_event,
    "pve-tag": _matches(r"[A-Za-z0-9_][A-Za-z0-9_\-+.]*", "invalid characters in tag"),
    "pve-fw-dport-spec": _port,
    "pve-fw-sport-spec": _port,
    "pve-fw-addr-spec": _firewall_address,
    "pve-qm-bootdev": _matches(
        r"(?:net|ide|sata|scsi|virtio|usb|hostpci)\d+", "invalid boot device '%s'"
    ),
    "pve-ipv4-config": _ip(_NET4, _literal_or(("dhcp", "manual"), _cidr4)),
    "pve-ipv6-config": _ip(_NET6, _literal_or(("auto", "dhcp", "manual"), _cidr6)),
    "pve-sdn-isis-net": lambda value: None,
    "prune-backups": _prune_backups,
    "storage-pair": _storage_pair,
    "dns-name": _DNS,
    "email": _matches(r"[^\s@]+@[^\s@]+", "value does not look like a valid email address"),
    "mac-addr": _matches(
        r"[0-9a-fA-F][02468aceACE](?::[0-9a-fA-F]{2}){5}",
        "value does not look like a valid unicast MAC address",
    ),
    "ip": _ANY_IP,
    "address": _matches(r"\S+", "value does not look like a valid address"),
    "ipv4": _ip("value does not look like a valid IPv4 address", ipaddress.IPv4Address),
    "ipv6": _ip("value does not look like a valid IPv6 address", ipaddress.IPv6Address),
    "CIDR": _ip("value does not look like a valid CIDR network", _cidr),
    "CIDRv4": _ip("value does not look like a valid IPv4 network", _cidr4),
    "CIDRv6": _ip("value does not look like a valid IPv6 network", _cidr6),
    "IPorCIDR": _ip(
        "value does not look like a valid IP address or CIDR network", ipaddress.ip_interface
    ),
    "urlencoded": _urlencoded,
    "pem-string": _pem,
    "pem-certificate-chain": _pem,
}


def check_for(name: str) -> Check | None:
    """Find the check of a format; ``x-list`` and ``x-opt`` derive from ``x``."""
    if name in FORMATS:
        return FORMATS[name]
    if name.endswith("-list") and (entry := FORMATS.get(name.removesuffix("-list"))):
        return _each(entry)
    if name.endswith("-opt") and (entry := FORMATS.get(name.removesuffix("-opt"))):
        return _unless_empty(entry)
    return None


def _each(entry: Check) -> Check:
    def check(value: str) -> None:
        for part in split_list(value):
            entry(part)

    return check


def _unless_empty(entry: Check) -> Check:
    def check(value: str) -> None:
        if value:
            entry(value)

    return check


def split_list(value: str) -> list[str]:
    """Split PVE's list text: commas, semicolons, blanks and NULs separate."""
    return [part for part in re.split(r"[\s,;\0]+", value) if part]
