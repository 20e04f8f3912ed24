"""What a viewer of a console talks to: a terminal that echoes, and a VNC server that says hello.

Only the HTTPS server has websockets; in process there are only the tickets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from proxmox_client.testing.consoles import PATIENCE, Console
from proxmox_client.testing.request import SimResponse

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

MOST_PAYLOAD = 128 * 1024
"""The front server drops a connection that sends more in one frame."""
RFB_VERSION = b"RFB 003.008\n"
NO_TERMINAL = b"unable to find a serial interface\r\n"
_TOKENS_SINCE = (9, 1)
_TARGET = re.compile(r"/nodes/([^/]+)/(?:(?:qemu|lxc)/(\d+)/)?vncwebsocket$")
_FRAME = re.compile(rb"0:(\d+):|1:(\d+):(\d+):|2")


def viewed(
    cluster: SimulatedCluster, request: web.BaseRequest, response: SimResponse, via: str
) -> Console | None:
    """Return the console a request wants to see; None where it is no such request, or refused."""
    path = request.rel_url.path
    if response.status != 200 or not path.endswith("/vncwebsocket"):
        return None
    if request.headers.get("Upgrade", "").lower() != "websocket":
        return None
    found = _TARGET.search(path)
    place = "" if found is None else f"/vms/{found[2]}" if found[2] else f"/nodes/{found[1]}"
    with cluster.clock.lock:
        return cluster.consoles.find(via, int(request.rel_url.query.get("port", 0)), place)


async def talk(
    cluster: SimulatedCluster, request: web.BaseRequest, console: Console
) -> web.WebSocketResponse:
    """Upgrade a request and serve the console until either side ends it."""
    asked = request.headers.get("Sec-WebSocket-Protocol", "")
    socket = web.WebSocketResponse(
        protocols=tuple(name.strip() for name in asked.split(",") if name),
        compress=False,
        max_msg_size=MOST_PAYLOAD,
    )
    await socket.prepare(request)
    console.connected = True
    try:
        if console.kind == "vnc":
            await _vnc(socket, console)
        elif await _log_in(cluster, socket, console):
            await _terminal(cluster, socket, console)
    finally:
        console.connected, console.closed = False, True
        await socket.close()
    return socket


async def _vnc(socket: web.WebSocketResponse, console: Console) -> None:
    await socket.send_bytes(RFB_VERSION)
    async for message in socket:
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            break
        data = _bytes(message.data)
        console.received += data
        await socket.send_bytes(data)


async def _log_in(
    cluster: SimulatedCluster, socket: web.WebSocketResponse, console: Console
) -> bool:
    """Read `user:ticket` and a line feed; a terminal that is not convinced only hangs up."""
    try:
        first = await socket.receive(timeout=PATIENCE)
    except TimeoutError:
        return False
    if first.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
        return False
    line = _bytes(first.data).decode(errors="replace")
    user, colon, ticket = line.rstrip("\n").partition(":")
    with cluster.clock.lock:
        good = cluster.consoles.is_good(ticket, user, console.path, console.port)
    version = tuple(int(part) for part in cluster.version.split(".")[:2])
    refused = "!" in user and version < _TOKENS_SINCE
    if not (colon and line.endswith("\n") and good) or refused:
        return False
    await socket.send_bytes(b"OK")
    return True


async def _terminal(
    cluster: SimulatedCluster, socket: web.WebSocketResponse, console: Console
) -> None:
    """Echo what is typed; `exit` ends it, as in a shell."""
    if not _has_terminal(cluster, console):
        await socket.send_bytes(NO_TERMINAL)
        return
    waiting = b""
    line = b""
    async for message in socket:
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            return
        waiting += _bytes(message.data)
        typed, waiting = _read_frames(waiting, console)
        console.received += typed
        if typed:
            await socket.send_bytes(typed.replace(b"\r", b"\r\n"))
        line = (line + typed).rpartition(b"\r")[2] if b"\r" not in typed else line + typed
        if b"exit\r" in line:
            return
        line = line.rpartition(b"\r")[2]


def _read_frames(data: bytes, console: Console) -> tuple[bytes, bytes]:
    """Return what was typed and what is not complete yet; sizes are noted, pings ignored."""
    typed = b""
    while data:
        frame = _FRAME.match(data)
        if frame is None:
            break
        end = frame.end()
        if frame[1] is not None:
            length = int(frame[1])
            if len(data) < end + length:
                break
            typed += data[end : end + length]
            end += length
        elif frame[2] is not None:
            console.size = (int(frame[2]), int(frame[3]))
        data = data[end:]
    return typed, data


def _has_terminal(cluster: SimulatedCluster, console: Console) -> bool:
    """Whether there is something to type into: machines need a serial port."""
    kind, _, name = console.path.strip("/").partition("/")
    guest = cluster.guests.get(int(name)) if kind == "vms" else None
    if guest is None or guest.kind == "lxc":
        return True
    return any(option.startswith("serial") for option in guest.config)


def _bytes(data: object) -> bytes:
    return data if isinstance(data, bytes) else str(data).encode()
