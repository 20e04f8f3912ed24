"""Write the manifest of a guest as it is, in PVE's own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pmpc_reconcile.documents.written import Written, written
from pmpc_reconcile.kinds import Kind, Option, Shape, meaning, options_of
from pmpc_reconcile.values import read_option

if TYPE_CHECKING:
    from pmpc_reconcile.live import GuestObject

_NOT_WANTED: Final = re.compile(
    # What PVE writes by itself, what identifies the guest, and volumes nothing uses.
    r"lock|parent|meta|digest|template|smbios1|vmgenid|snaptime|unused\d+"
)

_IMAGE: Final = re.compile(r".+\.(?P<format>qcow2|vmdk)")
"""A volume that is a file of a format which is not the one taken for granted."""


def guest_document(
    kind: Kind, name: str, guest: GuestObject, *, is_gone: bool = False, is_past: bool = False
) -> Written:
    """Return the manifest of a guest.

    Secrets are left out: the server does not show them, and what is not declared is not ours.

    Args:
        kind: The guest's kind.
        name: Its name among the manifests.
        guest: The guest as read.
        is_gone: It is to be made again: with its vmid, and with new volumes in place of its own.
        is_past: A power state is of now, not of then, and is left out.
    """
    spec: dict[str, Any] = {} if is_past else {"state": guest.state}
    if is_gone:
        spec["vmid"] = guest.vmid
    if guest.pool:
        spec["pool"] = guest.pool
    spec["config"] = _config(kind, name, guest, is_gone=is_gone)
    return written(kind.name, name, str(guest.vmid), spec)


def _config(kind: Kind, name: str, guest: GuestObject, *, is_gone: bool) -> dict[str, Any]:
    options = options_of(kind)
    config = guest.own_config
    refused = {*kind.reserved, *kind.control, *kind.create_only}
    found: dict[str, Any] = {}
    for key in sorted(config):
        option = options.find(key)
        if option is None or option.shape is Shape.SECRET or key in refused:
            continue
        if _NOT_WANTED.fullmatch(key) or (key == kind.name_option and config[key] == name):
            continue
        found[key] = _new_volume(key, option, config[key]) if is_gone else config[key]
    return found


def new_volumes(written_guest: Written) -> tuple[str, ...]:
    """Return the disks of a guest that would be made anew and empty."""
    config = written_guest.document["spec"]["config"]
    return tuple(
        key
        for key, value in config.items()
        if isinstance(value, dict) and "storage" in value and "cloudinit" not in value
    )


def _new_volume(key: str, option: Option, value: object) -> Any:
    """Return a disk as one to be made; a medium that is inserted, or a device, stays itself."""
    if option.shape is not Shape.DISK:
        return value
    keys = read_option(option, value)
    if keys.get("cloudinit"):
        return {"storage": keys["storage"], "cloudinit": True}
    if "storage" not in keys or keys.get("media") == "cdrom":
        return value
    dropped = {"volume", "size"} if key in meaning.FIXED_SIZE_DISKS else {"volume"}
    found = {str(name): entry for name, entry in keys.items() if name not in dropped}
    image = _IMAGE.fullmatch(str(keys.get("volume")))
    return {**found, "format": image["format"]} if image and "format" in option.keys else found
