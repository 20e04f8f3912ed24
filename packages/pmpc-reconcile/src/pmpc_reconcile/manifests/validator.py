"""Cerberus with the checks of this package; the only place that imports it.

Cerberus ships no types, so everything of it is `Any` behind this module.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

from pmpc_reconcile.kinds.hooks import ALL, CHANGED
from pmpc_reconcile.manifests.address import Address
from pmpc_reconcile.values.firewall import interface_of
from pmpc_reconcile.values.rules import Rule

_CERBERUS: Final[Any] = importlib.import_module("cerberus")
_ALIAS: Final = re.compile(r"(?:dc/|guest/)?[A-Za-z][A-Za-z0-9_-]*")
ERRORS: Final[Any] = importlib.import_module("cerberus.errors")


class ManifestValidator(_CERBERUS.Validator):  # type: ignore[misc]  # cerberus ships no types
    """Checks canonical values against rules."""

    def _check_with_guest_reference(self, field: Any, value: Any) -> None:
        if isinstance(value, int):
            if value < 100:
                self._error(field, "must be a vmid ≥ 100")
            return
        if not _is_guest(value):
            self._error(field, "must be a vmid or an address such as VirtualMachine/web-1")

    def _check_with_guest_address(self, field: Any, value: Any) -> None:
        if not _is_guest(value):
            self._error(field, "must be the address of a guest, such as VirtualMachine/web-1")

    def _check_with_hook_guests(self, field: Any, value: Any) -> None:
        named = cast("list[object]", value) if isinstance(value, list) else []
        if value not in (ALL, CHANGED) and not (named and all(map(_is_guest, named))):
            expected = f"must be {CHANGED}, {ALL} or a list of addresses of guests"
            self._error(field, expected)

    def _check_with_network_line(self, field: Any, value: Any) -> None:
        network = str(value).partition("#")[0].strip()
        if interface_of(network) is None:
            self._error(field, "must be an address or a network, such as 192.0.2.0/24")

    def _check_with_network(self, field: Any, value: Any) -> None:
        if interface_of(str(value)) is None:
            self._error(field, "must be a network, such as 192.0.2.0/24")

    def _check_with_open_url(self, field: Any, value: Any) -> None:
        parts = urlsplit(str(value))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            self._error(field, "must be an address that begins with https:// or http://")
        elif parts.password is not None:
            self._error(field, "must not hold a password: it would stand in plans and logs")

    def _check_with_set_entry(self, field: Any, value: Any) -> None:
        entry = str(value).partition("#")[0].strip().removeprefix("!").strip()
        if interface_of(entry) is None and not _ALIAS.fullmatch(entry):
            self._error(field, "must be an address, a network or an alias; '!' before it excepts")

    def _check_with_distinct_rules(self, field: Any, value: Any) -> None:
        seen: set[str] = set()
        rows = cast("list[object]", value) if isinstance(value, list) else []
        for row in rows:
            if not isinstance(row, Mapping):
                continue
            rule = Rule.read(cast("Mapping[str, Any]", row), enabled=True)
            if rule.match in seen:
                self._error(field, f"says {rule.match!r} twice, and the second has no effect")
            seen.add(rule.match)
            if rule.direction != "group" and rule.action not in ("ACCEPT", "DROP", "REJECT", ""):
                self._error(field, f"has the action {rule.action!r}: ACCEPT, DROP or REJECT")


def _is_guest(value: object) -> bool:
    """Return whether a value is the address of a guest."""
    try:
        return Address.parse(str(value)).kind in ("VirtualMachine", "Container")
    except ValueError:
        return False


def violations(validator: Any, value: Mapping[str, Any]) -> list[Any]:
    """Return Cerberus' errors about a value, which stays as it is."""
    validator.validate(value, normalize=False)
    return list(validator._errors)
