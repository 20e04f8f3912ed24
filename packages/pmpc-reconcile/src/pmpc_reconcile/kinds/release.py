"""The kind Release: what is true of a release as a whole. Nothing on the cluster stands for it."""

from __future__ import annotations

from typing import Final

from pmpc_reconcile.kinds.definition import Kind
from pmpc_reconcile.kinds.hooks import RELEASE_HOOKS

RELEASE: Final = Kind(
    name="Release",
    guest=None,
    order=-10,
    collection_path="",
    object_path="",
    config_path=None,
    config_method="",
    name_option=None,
    identity="",
    flat=True,
    spec={"hooks": RELEASE_HOOKS},
)
