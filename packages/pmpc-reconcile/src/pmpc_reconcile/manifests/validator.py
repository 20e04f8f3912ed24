"""Cerberus with the checks of this package; the only place that imports it.

Cerberus ships no types, so everything of it is `Any` behind this module.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Final

from pmpc_reconcile.manifests.address import Address

_CERBERUS: Final[Any] = importlib.import_module("cerberus")
ERRORS: Final[Any] = importlib.import_module("cerberus.errors")


class ManifestValidator(_CERBERUS.Validator):  # type: ignore[misc]  # cerberus ships no types
    """Checks canonical values against rules."""

    def _check_with_guest_reference(self, field: Any, value: Any) -> None:
        if isinstance(value, int):
            if value < 100:
                self._error(field, "must be a vmid ≥ 100")
            return
        try:
            named = Address.parse(value)
        except ValueError:
            named = None
        if named is None or named.kind not in ("VirtualMachine", "Container"):
            self._error(field, "must be a vmid or an address such as VirtualMachine/web-1")


def violations(validator: Any, value: Mapping[str, Any]) -> list[Any]:
    """Return Cerberus' errors about a value, which stays as it is."""
    validator.validate(value, normalize=False)
    return list(validator._errors)
