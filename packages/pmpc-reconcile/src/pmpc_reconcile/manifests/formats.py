"""Named text formats of the API facts that can be checked without asking the server."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_STORAGE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]")
_BRIDGE = re.compile(r"[-_.\w\d]+")
_CPUSET = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")
_STARTUP = re.compile(r"(\d+|((order|up|down)=\d+)(,(order|up|down)=\d+)*)")


def _address(version: int | None) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            found = ipaddress.ip_address(text)
        except ValueError:
            return False
        return version is None or found.version == version

    return fits


def _network(version: int, words: frozenset[str]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        if text in words:
            return True
        try:
            return "/" in text and ipaddress.ip_interface(text).version == version
        except ValueError:
            return False

    return fits


def _all(fits: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: all(fits(entry) for entry in re.split(r"[\s,;]+", text) if entry)


# Format name → (check, what it should be).
FORMATS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = MappingProxyType(
    {
        "dns-name": (
            lambda text: bool(_DNS_NAME.fullmatch(text)),
            "a DNS name (letters, digits, '-' and '.')",
        ),
        "pve-storage-id": (lambda text: bool(_STORAGE.fullmatch(text)), "the name of a storage"),
        "pve-bridge-id": (lambda text: bool(_BRIDGE.fullmatch(text)), "the name of a bridge"),
        "pve-cpuset": (lambda text: bool(_CPUSET.fullmatch(text)), "CPU numbers such as 0-3,8"),
        "pve-startup-order": (
            lambda text: bool(_STARTUP.fullmatch(text)),
            "a startup order such as order=2,up=30",
        ),
        "ipv4": (_address(4), "an IPv4 address"),
        "ipv6": (_address(6), "an IPv6 address"),
        "pve-ipv4-config": (
            _network(4, frozenset({"dhcp", "manual"})),
            "an IPv4 address with prefix such as 10.0.0.5/24, dhcp or manual",
        ),
        "pve-ipv6-config": (
            _network(6, frozenset({"auto", "dhcp", "manual"})),
            "an IPv6 address with prefix such as fd00::5/64, auto, dhcp or manual",
        ),
        "address-list": (_all(_address(None)), "a list of IP addresses"),
    }
)
