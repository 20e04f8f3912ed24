"""The cluster over HTTPS on loopback, with PVE's habits about connections."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aiohttp import web

from proxmox_client.testing.certificate import Certificate, make_certificate
from proxmox_client.testing.console_streams import talk, viewed
from proxmox_client.testing.doorstep import WIDE, Doorstep, out_of_bounds
from proxmox_client.testing.frontdoor import converse
from proxmox_client.testing.httpanswer import WrittenAnswer
from proxmox_client.testing.request import ConnectionLost, HostUnreachable, SimResponse
from proxmox_client.testing.wireform import CLOSE

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

KEEPALIVE_SECONDS = 5
REQUESTS_PER_CONNECTION = 100
_MANY = 256
_CHUNKED = SimResponse(501, "chunked transfer encoding not supported", CLOSE, b"")
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class SimulatorServer:
    """Serves a cluster in a thread of its own while its context is entered.

    Every node has a port; they follow each other if the first one is given.
    """

    def __init__(self, cluster: SimulatedCluster, host: str, port: int, speed: float) -> None:
        self._cluster = cluster
        self._host = host
        self._port = port
        self._speed = speed
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="pve-simulator", daemon=True)
        self._folder: Path | None = None
        self._certificate: Certificate | None = None
        self._sockets: dict[str, socket.socket] = {}
        self._ready = threading.Event()
        self._finish: asyncio.Event | None = None
        self._failure: BaseException | None = None

    @property
    def urls(self) -> dict[str, str]:
        """Address of every node's API."""
        return {
            node: f"https://{self._host}:{listener.getsockname()[1]}"
            for node, listener in self._sockets.items()
        }

    @property
    def url(self) -> str:
        """Address of the first node's API."""
        return next(iter(self.urls.values()))

    @property
    def certificate(self) -> Certificate:
        """The certificate all nodes use.

        Raises:
            RuntimeError: The server is not started.
        """
        if self._certificate is None:
            raise RuntimeError("the simulator's server is not started")
        return self._certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 fingerprint of the certificate, as PVE shows it."""
        return self.certificate.fingerprint

    @property
    def ca_file(self) -> Path:
        """File with the certificate to trust."""
        return self.certificate.certificate_file

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Open the ports and let the clock follow real time.

        Raises:
            OSError: A port cannot be opened.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="pve-simulator-"))
        names = ("localhost", *self._cluster.nodes)
        self._certificate = make_certificate(self._folder, names, ("127.0.0.1", "::1"))
        try:
            self._open()
        except (OSError, OverflowError):
            self._close()
            self._loop.close()
            raise
        self._cluster.clock.follow(self._speed)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise RuntimeError("the simulator's server did not start") from self._failure

    def stop(self) -> None:
        """Close the ports; the clock stands still again."""
        if self._finish is not None:
            self._loop.call_soon_threadsafe(self._finish.set)
        self._thread.join()
        self._cluster.clock.stop_following()
        self._close()

    def _open(self) -> None:
        for offset, node in enumerate(self._cluster.nodes.values()):
            port = self._port + offset if self._port else 0
            self._sockets[node.name] = socket.create_server((self._host, port), backlog=1024)
            node.fingerprint = self.fingerprint

    def _close(self) -> None:
        for listener in self._sockets.values():
            listener.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        self._finish = asyncio.Event()
        context = self.certificate.context()
        front_doors = [
            self._front_door(node, listener, context) for node, listener in self._sockets.items()
        ]
        self._ready.set()
        await self._finish.wait()
        for front, doorstep in front_doors:
            await doorstep.close()
            await front.shutdown(0.2)

    def _front_door(
        self, node: str, listener: socket.socket, context: ssl.SSLContext
    ) -> tuple[web.Server, Doorstep]:
        connections = _Connections()
        answer = self._answer_for(node, connections)
        front = web.Server(
            answer,
            keepalive_timeout=KEEPALIVE_SECONDS,
            max_line_size=WIDE,
            max_headers=WIDE,
            max_field_size=WIDE,
        )
        return front, Doorstep(listener, context, front, connections.spoke, KEEPALIVE_SECONDS)

    def _answer_for(self, node: str, connections: _Connections) -> Answer:
        cluster = self._cluster
        clock = cluster.clock

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            connections.begin(request)
            if out_of_bounds(request):
                return _hang_up(request)
            if request.headers.get("Transfer-Encoding", "") == "chunked":
                return WrittenAnswer(_CHUNKED, last=True, now=clock.now())
            body = await request.read() if request.body_exists else b""
            headers = {name.lower(): value for name, value in request.headers.items()}
            steps = converse(cluster, request.method, request.raw_path, headers, body, node)
            while True:
                with clock.lock:
                    clock.catch_up()
                    try:
                        seconds = next(steps)
                    except StopIteration as stop:
                        response: SimResponse = stop.value
                        break
                    except (HostUnreachable, ConnectionLost):
                        return _hang_up(request)
                await asyncio.sleep(seconds / self._speed)
            last = connections.is_last(request)
            console = viewed(cluster, request, response, node)
            if console is not None:
                return await talk(cluster, request, console)
            return WrittenAnswer(response, last=last, now=clock.now())

        return answer


class _Connections:
    """Counts the requests of each connection."""

    def __init__(self) -> None:
        self._served: dict[asyncio.BaseTransport, int] = {}

    def begin(self, request: web.BaseRequest) -> None:
        """Count a request."""
        if (transport := request.transport) is None:
            return
        served = self._served.get(transport, 0)
        if served == 0 and len(self._served) >= _MANY:
            self._served = {known: n for known, n in self._served.items() if not known.is_closing()}
        self._served[transport] = served + 1

    def spoke(self, transport: asyncio.BaseTransport) -> bool:
        """Whether anything was asked on a connection."""
        return transport in self._served

    def is_last(self, request: web.BaseRequest) -> bool:
        """Whether PVE would answer no further request on this connection."""
        transport = request.transport
        return transport is None or self._served.get(transport, 0) >= REQUESTS_PER_CONNECTION


def _hang_up(request: web.BaseRequest) -> web.Response:
    """End a connection without an answer, as far as one can who has already accepted it."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
