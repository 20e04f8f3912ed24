"""Formats of single texts that can be judged here: addresses of networks and cards.

Other formats (names of storages, bridges, volumes, …) are left to the server, whose rules differ
from version to version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

Check = Callable[[str], bool]
_MAC: Final = re.compile(r"[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}")


def _mac(text: str) -> bool:
    return _MAC.fullmatch(text) is not None


def _address(*versions: int) -> Check:
    def check(text: str) -> bool:
        import ipaddress

        try:
            return ipaddress.ip_address(text.partition("%")[0]).version in versions
        except ValueError:
            return False

    return check


def _network(*versions: int, words: tuple[str, ...] = ()) -> Check:
    def check(text: str) -> bool:
        import ipaddress

        if text in words:
            return True
        try:
            return "/" in text and ipaddress.ip_interface(text).version in versions
        except ValueError:
            return False

    return check


FORMATS: Final[Mapping[str, tuple[str, Check]]] = {
    "mac-addr": ("a unicast MAC address such as BC:24:11:00:00:01", _mac),
    "ip": ("an IP address", _address(4, 6)),
    "ipv4": ("an IPv4 address", _address(4)),
    "ipv6": ("an IPv6 address", _address(6)),
    "CIDR": ("an address with prefix length such as 10.0.0.0/24", _network(4, 6)),
    "CIDRv4": ("an IPv4 address with prefix length such as 10.0.0.1/24", _network(4)),
    "CIDRv6": ("an IPv6 address with prefix length such as fd00::1/64", _network(6)),
    "FullRangeCIDR": ("an address with prefix length such as 0.0.0.0/0", _network(4, 6)),
    "pve-ipv4-config": (
        "dhcp, manual or an IPv4 address with prefix length",
        _network(4, words=("dhcp", "manual")),
    ),
    "pve-ipv6-config": (
        "auto, dhcp, manual or an IPv6 address with prefix length",
        _network(6, words=("auto", "dhcp", "manual")),
    ),
}
"""What is allowed, in words, and the check, by PVE's name of the format."""
