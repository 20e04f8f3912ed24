"""What a manifest of kind Image means: one file on a storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pmpc_reconcile.values.fields import FieldValue


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
