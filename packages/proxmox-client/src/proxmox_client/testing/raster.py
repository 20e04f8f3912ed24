"""The raster of statistics: at which times there are rows, and pictures drawn from them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.formats import split_list

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_STEPS = {
    "hour": (60, 60),
    "day": (60, 1440),
    "week": (1800, 336),
    "month": (1800, 1440),
    "year": (21600, 1460),
    "decade": (604800, 570),
}
"""Seconds between rows, and number of rows."""
_WIDTH, _HEIGHT = 800, 200


def times(cluster: SimulatedCluster, timeframe: str) -> range:
    """Return the times of the rows, the oldest first."""
    step, count = _STEPS[timeframe]
    last = int(cluster.clock.now()) // step * step
    return range(last - (count - 1) * step, last + 1, step)


def picture(path: str, names: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Draw some figures of rows as a PNG; its bytes stand in the answer as characters."""
    sources = split_list(names)
    lines = [[float(row.get(name, 0.0)) for row in rows] for name in sources]
    file = f"/var/lib/rrdcached/db/{path}_{'_'.join(sources)}.png"
    return {"filename": file, "image": _png(lines).decode("latin-1")}


def _png(lines: list[list[float]]) -> bytes:
    pixels = [bytearray(b"\xf3" * _WIDTH) for _ in range(_HEIGHT)]
    top = max((value for line in lines for value in line), default=0.0) or 1.0
    for line in lines:
        for column in range(_WIDTH):
            value = line[column * len(line) // _WIDTH] if line else 0.0
            pixels[_HEIGHT - 1 - int(value / top * (_HEIGHT - 1))][column] = 0x40
    raw = b"".join(b"\0" + bytes(row) for row in pixels)
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(raw))
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
