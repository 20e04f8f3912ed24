"""The cluster as an ASGI application, for whatever ASGI server one has.

ASGI has no reason phrases, so the sentences PVE puts there are in the body only; where PVE hangs
up, the application fails and the server ends the connection in its own way. The server behind
`SimulatedCluster.serve` has neither limit. For HTTPS, `make_certificate` of
`proxmox_client.testing.certificate` writes a certificate and tells its fingerprint.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.frontdoor import converse

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.request import SimResponse

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# The server's own business.
_NOT_PASSED_ON = frozenset(("connection",))


class SimulatorApp:
    """Answers as one node's API does.

    Args:
        cluster: The cluster.
        via: Node that answers; empty means the first.
        speed: Simulated seconds per second while the server runs; None lets waiting move the clock
            at once. It counts from the server's start (ASGI's lifespan).
    """

    def __init__(self, cluster: SimulatedCluster, via: str, speed: float | None) -> None:
        self._cluster = cluster
        self._via = via
        self._speed = speed

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in the server's start and end.

        Raises:
            HostUnreachable: The node that is asked is gone.
            ConnectionLost: A fault ends the connection.
        """
        match scope["type"]:
            case "lifespan":
                await self._live(receive, send)
            case "http":
                await self._answer(scope, receive, send)
            case _:
                await receive()
                await send({"type": "websocket.close", "code": 1008})

    async def _live(self, receive: Receive, send: Send) -> None:
        clock = self._cluster.clock
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if self._speed is not None:
                    clock.follow(self._speed)
                await send({"type": "lifespan.startup.complete"})
            else:
                clock.stop_following()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        target = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        if query := scope.get("query_string"):
            target = f"{target.partition('?')[0]}?{query.decode('latin-1')}"
        body = await _body(receive)
        steps = converse(self._cluster, scope["method"], target, headers, body, self._via)
        await _send(await self._cluster.clock.arun(steps), send)


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(response: SimResponse, send: Send) -> None:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers
        if name.lower() not in _NOT_PASSED_ON
    ]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
