"""Files on their way out: a multipart form that is read from disk while it is sent."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

from proxmox_client.errors import RequestInvalid

CHUNK: Final = 256 * 1024
Progress = Callable[[int, int], object]
"""Gets the bytes sent so far and the bytes there are."""
_NAME: Final = re.compile(r"[^\x00-\x1f\"\\/]+")


@attrs.frozen
class FileBody:
    """A form whose last part is a file: PVE reads nothing behind it, so fields come first.

    Attributes:
        path: The file.
        size: Its size in bytes.
        boundary: What separates the parts.
        head: Everything before the file.
        progress: Told after each piece.
    """

    path: Path
    size: int
    boundary: str
    head: bytes = attrs.field(repr=False)
    progress: Progress | None = None

    @property
    def tail(self) -> bytes:
        """Everything behind the file."""
        return f"\r\n--{self.boundary}--\r\n".encode()

    @property
    def headers(self) -> dict[str, str]:
        """Headers it needs; PVE takes no chunked bodies, so the length must be known."""
        length = len(self.head) + self.size + len(self.tail)
        kind = f"multipart/form-data; boundary={self.boundary}"
        return {"Content-Type": kind, "Content-Length": str(length)}

    def pieces(self) -> Iterator[bytes]:
        """Yield the body piece by piece; each call reads the file anew.

        Raises:
            RequestInvalid: The file has changed its size since.
        """
        yield self.head
        sent = 0
        with self.path.open("rb") as file:
            while piece := file.read(CHUNK):
                sent += len(piece)
                if sent > self.size:
                    break
                yield piece
                if self.progress is not None:
                    self.progress(sent, self.size)
        if sent != self.size:
            raise RequestInvalid(f"upload of {self.path.name}", "the file changes while it is sent")
        yield self.tail


def build_body(
    path: Path, filename: str, fields: Mapping[str, str], progress: Progress | None
) -> FileBody:
    """Build the body of an upload.

    Args:
        path: The file.
        filename: What it is to be called on the storage.
        fields: The form's other fields.
        progress: Told after each piece.

    Raises:
        RequestInvalid: The file cannot be read, or the name is none.
    """
    if _NAME.fullmatch(filename) is None:
        raise RequestInvalid(f"upload of {path.name}", f"{filename!r} is no name of a file")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RequestInvalid(f"upload of {path.name}", str(error.strerror)) from error
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="filename"; '
        f'filename="{filename}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    )
    return FileBody(path, size, boundary, "".join(parts).encode(), progress)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        RequestInvalid: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RequestInvalid(f"upload of {path.name}", str(error.strerror)) from error
