"""What a parameter check is, and PVE's words for what is missing or unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MISSING = "property is missing and it is not optional"
UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
Errors = dict[str, str]
Checker = Callable[[str, Any, Errors], Any]
"""Takes path, value and the errors so far; returns the coerced value."""
