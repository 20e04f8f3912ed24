"""Write the manifest of a guest that nobody manages yet, from what the server shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import yaml

from pmpc_reconcile.kinds import Kind, Shape, options_of
from pmpc_reconcile.manifests import API_VERSION

if TYPE_CHECKING:
    from pmpc_reconcile.live import GuestObject

_NOT_WANTED: Final = re.compile(
    # What PVE writes by itself, what identifies the guest, and volumes nothing uses.
    r"lock|parent|meta|digest|template|smbios1|vmgenid|snaptime|unused\d+"
)


def document_of(kind: Kind, name: str, guest: GuestObject) -> dict[str, Any]:
    """Return the manifest of a guest as it is, in PVE's own words.

    Secrets are left out: the server does not show them, and what is not declared is not ours.

    Args:
        kind: The guest's kind.
        name: Its name among the manifests.
        guest: The guest as read.
    """
    spec: dict[str, Any] = {"state": guest.state}
    if guest.pool:
        spec["pool"] = guest.pool
    spec["config"] = _config(kind, name, guest.own_config)
    return {
        "apiVersion": API_VERSION,
        "kind": kind.name,
        "metadata": {"name": name},
        "spec": spec,
    }


def _config(kind: Kind, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    options = options_of(kind)
    refused = {*kind.reserved, *kind.control, *kind.create_only}
    found: dict[str, Any] = {}
    for key in sorted(config):
        option = options.find(key)
        if option is None or option.shape is Shape.SECRET or key in refused:
            continue
        if _NOT_WANTED.fullmatch(key) or (key == kind.name_option and config[key] == name):
            continue
        found[key] = config[key]
    return found


def manifest_text(documents: list[dict[str, Any]]) -> str:
    """Return manifests as YAML, one document each."""
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=100)
