"""The kind VirtualMachine: a QEMU guest."""

from __future__ import annotations

from typing import Final

from pmpc_reconcile.kinds import guest
from pmpc_reconcile.kinds.definition import Kind

VIRTUAL_MACHINE: Final = Kind(
    name="VirtualMachine",
    guest="qemu",
    order=20,
    collection_path="/nodes/{node}/qemu",
    object_path="/nodes/{node}/qemu/{vmid}",
    config_path="/nodes/{node}/qemu/{vmid}/config",
    config_method="PUT",
    name_option="name",
    identity="vmid",
    control=guest.CONTROL | {"import-working-storage"},
    reserved={
        **guest.RESERVED,
        "cdrom": "it is another name of ide2; write ide2: {volume: ..., media: cdrom}",
        "smp": "it is an old name; write cores and sockets",
        "archive": "restoring a backup is an action, not a manifest",
    },
    spec={**guest.SPEC, "source": {"type": "dict", "schema": {"clone": guest.CLONE}}},
)
