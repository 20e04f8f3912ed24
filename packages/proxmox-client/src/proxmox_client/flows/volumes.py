"""Volumes of a storage: allocating and deleting them, and files that PVE fetches itself."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from proxmox_client.errors import RequestInvalid
from proxmox_client.flows.acting import Waiting
from proxmox_client.flows.call import Session, perform_raw
from proxmox_client.flows.effects import Flow
from proxmox_client.flows.taskflow import finish
from proxmox_client.values.taskresult import TaskResult
from proxmox_client.values.volid import Volid

_ALGORITHMS: Final = {
    32: "md5",
    40: "sha1",
    56: "sha224",
    64: "sha256",
    96: "sha384",
    128: "sha512",
}
_DOWNLOAD: Final = "nodes.storage.download-url.post"


def allocate(
    session: Session,
    node: str,
    storage: str,
    vmid: int,
    size: str,
    *,
    filename: str,
    form: str | None,
) -> Flow[Volid]:
    """Allocate an empty disk image (POST …/storage/{storage}/content).

    Args:
        session: Who asks.
        node: A node that has the storage.
        storage: Where.
        vmid: The guest it will belong to.
        size: `32G`, or kibibytes without a unit.
        filename: `vm-100-disk-1`, with the ending of its format on file storages.
        form: `raw`, `qcow2`, `vmdk` or `subvol`; what the storage prefers where None.
    """
    params = {"vmid": vmid, "size": size, "filename": filename, "format": form}
    path = f"/nodes/{node}/storage/{storage}/content"
    data: Any = yield from perform_raw(session, "POST", path, params)
    return Volid.parse(str(data))


def delete(session: Session, node: str, volume: Volid, waiting: Waiting) -> Flow[TaskResult]:
    """Delete a volume and wait for it (DELETE …/content/{volume}).

    Args:
        session: Who asks.
        node: A node that has its storage.
        volume: What.
        waiting: How long, and who reads the log.
    """
    path = f"/nodes/{node}/storage/{volume.storage}/content/{quote(str(volume), safe='')}"
    data: Any = yield from perform_raw(session, "DELETE", path, {})
    return (yield from finish(session, data, timeout=waiting.timeout, on_log=waiting.on_log))


def on_storage(storage: str, volume: Volid | str) -> Volid:
    """Return the volume of a storage that is meant.

    Args:
        storage: The storage.
        volume: Its whole name, or the part after the storage.

    Raises:
        RequestInvalid: It is on another storage.
    """
    text = str(volume)
    found = Volid.parse(text) if ":" in text else Volid(storage, text)
    if found.storage != storage:
        raise RequestInvalid("nodes.storage.content.volume", f"{found} is not on {storage}")
    return found


def download(
    session: Session,
    node: str,
    storage: str,
    url: str,
    content: str,
    *,
    filename: str | None,
    checksum: str | None,
    verify_certificates: bool,
    compression: str | None,
) -> Flow[Any]:
    """Let PVE fetch a file (POST …/storage/{storage}/download-url); returns its answer, a UPID.

    Args:
        session: Who asks.
        node: The node that fetches it.
        storage: Where to.
        url: Where from.
        content: `iso`, `vztmpl` or `import`.
        filename: Its name on the storage; the last part of the URL where None.
        checksum: `sha256:` and the digest in hexadecimal digits, or the digest alone.
        verify_certificates: Whether the other server's certificate has to be good.
        compression: What to unpack it with: `gz`, `lzo`, `zst`, `bz2`.

    Raises:
        RequestInvalid: The checksum is none, or the URL names no file.
    """
    params: dict[str, object] = {
        "url": url,
        "content": content,
        "filename": filename or _name_in(url),
        "verify-certificates": None if verify_certificates else False,
        "compression": compression,
    }
    if checksum is not None:
        algorithm, digest = read_checksum(checksum)
        params |= {"checksum": digest, "checksum-algorithm": algorithm}
    path = f"/nodes/{node}/storage/{storage}/download-url"
    data: Any = yield from perform_raw(session, "POST", path, params)
    return data


def read_checksum(text: str) -> tuple[str, str]:
    """Split `sha256:abc…` into algorithm and digest; a bare digest tells by its length.

    Raises:
        RequestInvalid: It is no checksum that PVE knows.
    """
    name, colon, digest = text.strip().rpartition(":")
    by_length = _ALGORITHMS.get(len(digest))
    good = by_length is not None and set(digest.lower()) <= set("0123456789abcdef")
    if not good or (colon and name.lower() != by_length):
        known = ", ".join(_ALGORITHMS.values())
        raise RequestInvalid(
            _DOWNLOAD, f"{text!r} is no checksum by {known}, in hexadecimal digits"
        )
    return str(by_length), digest.lower()


def _name_in(url: str) -> str:
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    if not name:
        raise RequestInvalid(_DOWNLOAD, f"{url} ends in no file name: say which name it shall get")
    return name
