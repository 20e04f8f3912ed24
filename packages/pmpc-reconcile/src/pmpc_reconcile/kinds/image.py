"""The kind Image: an ISO image, a container template or a disk image, fetched to a storage."""

from __future__ import annotations

from typing import Final

from pmpc_reconcile.kinds import guest
from pmpc_reconcile.kinds.definition import Kind
from pmpc_reconcile.kinds.hooks import SETTINGS_HOOKS

ALGORITHMS: Final = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")

IMAGE: Final = Kind(
    name="Image",
    guest=None,
    order=8,
    collection_path="/nodes/{node}/storage/{storage}/download-url",
    object_path="/nodes/{node}/storage/{storage}/content/{volume}",
    config_path=None,
    config_method="PUT",
    name_option=None,
    identity="volume",
    flat=True,
    sections=("nodes",),
    spec={
        "storage": {"type": "string", "required": True, "regex": guest.STORAGE},
        "content": {
            "type": "string",
            "required": True,
            "allowed": ["iso", "vztmpl", "import"],
        },
        "url": {"type": "string", "required": True, "check_with": "open_url"},
        "filename": {"type": "string", "regex": r"[A-Za-z0-9][A-Za-z0-9._+~-]*"},
        "checksum": {"type": "string", "regex": r"[0-9a-fA-F]{32,128}"},
        "checksum-algorithm": {"type": "string", "allowed": list(ALGORITHMS)},
        "compression": {"type": "string", "regex": r"[a-z0-9]+"},
        "verify-certificates": {"type": "boolean"},
        "nodes": {
            "type": "list",
            "minlength": 1,
            "schema": {"type": "string", "regex": guest.NAME},
        },
        "protect": {"type": "boolean"},
        "hooks": SETTINGS_HOOKS,
        "conflicts": guest.SPEC["conflicts"],
    },
)
