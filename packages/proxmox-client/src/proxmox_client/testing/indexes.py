"""Answers that only list what is below a path; the names as recorded are data."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING

from proxmox_client.testing.request import Call

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


@functools.cache
def _table() -> Mapping[str, list[str]]:
    """Path template to the key of its entries and their names."""
    table: dict[str, list[str]] = json.loads(
        resources.files("proxmox_client.testing").joinpath("indexes.json").read_text()
    )
    return table


def is_index(method: str, path: str) -> bool:
    """Whether an operation only lists what is below it."""
    return method == "GET" and path in _table()


def answer(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what is below a path."""
    key, *names = _table()[call.route.path]
    return [{key: name} for name in names]
