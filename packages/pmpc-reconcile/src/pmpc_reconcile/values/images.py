"""What a manifest of kind Image means, one file on a storage, and which files a guest names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pmpc_reconcile.values.fields import FieldValue

CONTENTS: Final = frozenset({"iso", "import", "vztmpl"})
"""What a storage holds that guests are made from or have inserted, and that is no guest's own."""


def image_fields(spec: Mapping[str, Any]) -> dict[str, FieldValue]:
    """Return the fields an Image declares: the nodes it names.

    Without any, which nodes have the storage decides, and that only planning knows.
    """
    return {f"nodes.{node}": True for node in spec.get("nodes", ())}


def volume_of(spec: Mapping[str, Any]) -> str:
    """Return the volume id of an image: `local:iso/debian-13.iso`."""
    return f"{spec['storage']}:{spec['content']}/{filename_of(spec)}"


def filename_of(spec: Mapping[str, Any]) -> str:
    """Return the name of the file; the last part of the URL's path by default."""
    path = unquote(urlsplit(str(spec["url"])).path)
    return str(spec.get("filename") or path.rpartition("/")[2])


def content_of(volume: str) -> str | None:
    """Return what a volume is by its id, such as `iso` of `local:iso/debian.iso`.

    None for the volumes of guests, and for what is no volume.
    """
    folder = volume.partition(":")[2].partition("/")[0]
    return folder if folder in CONTENTS else None


def files_in(fields: Mapping[str, FieldValue]) -> dict[str, str]:
    """Return the files that a guest's disks and drives name, by the field that names each."""
    return {
        path: str(value)
        for path, value in fields.items()
        if path.endswith((".volume", ".import-from")) and content_of(str(value))
    }
