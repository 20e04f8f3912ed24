"""What PVE's storage plugins need, may hold and may have changed; the options are data."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources

import attrs


@attrs.frozen
class Plugin:
    """One type of storage.

    Attributes:
        required: Options without which it cannot be created.
        fixed: Options that cannot be changed later.
        optional: All other options it knows.
        content: Content types it may hold.
        default_content: What it holds if nobody says.
    """

    required: tuple[str, ...]
    fixed: tuple[str, ...]
    optional: tuple[str, ...]
    content: tuple[str, ...]
    default_content: str

    @property
    def options(self) -> frozenset[str]:
        """All options the type knows."""
        return frozenset((*self.required, *self.optional))


@functools.cache
def plugins() -> Mapping[str, Plugin]:
    """Return the plugins by type."""
    text = resources.files("proxmox_client.testing").joinpath("storage_types.json").read_text()
    found: dict[str, dict[str, list[str]]] = json.loads(text)
    return {
        kind: Plugin(
            tuple(entry["required"]),
            tuple(entry["fixed"]),
            tuple(entry["optional"]),
            tuple(entry["content"]),
            ",".join(entry["default"]),
        )
        for kind, entry in found.items()
    }
