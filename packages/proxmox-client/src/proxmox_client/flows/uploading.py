"""Sending a file to a storage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from proxmox_client.flows.call import Session, settled
from proxmox_client.flows.effects import Flow
from proxmox_client.wire.params import build_raw_request
from proxmox_client.wire.request import Request
from proxmox_client.wire.upload import Progress, build_body, sha256_of


def prepare_upload(
    node: str,
    storage: str,
    path: Path,
    content: str,
    *,
    filename: str | None = None,
    checksum: bool = True,
    progress: Progress | None = None,
) -> Request:
    """Build the request of an upload; reads the file once for its checksum.

    Raises:
        RequestInvalid: The file cannot be read, or a name is none.
    """
    fields = {"content": content}
    if checksum:
        fields |= {"checksum": sha256_of(path), "checksum-algorithm": "sha256"}
    request = build_raw_request("POST", f"/nodes/{node}/storage/{storage}/upload", {})
    return attrs.evolve(
        request, body=None, file=build_body(path, filename or path.name, fields, progress)
    )


def upload(session: Session, request: Request) -> Flow[Any]:
    """Send a file and return what PVE answers: the UPID of the task that stores it."""
    answer = yield from settled(session, request)
    return answer.data
