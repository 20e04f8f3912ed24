"""Proxies, limits, cancellation, running loops: against a real TLS server on loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import select
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from proxmox_client import AsyncClient, Client, PasswordLogin, Pin, RequestInvalid, RetryPolicy
from proxmox_client.transport.blocking_streams import KeptBackend, NothingLeft

if TYPE_CHECKING:
    from tests.lab.watched_server import WatchedServer

SECRET = "0b7c6f6e-1111-2222-3333-444455556666"
TOKEN = f"root@pam!test={SECRET}"
SILENT = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"


class Tunnel:
    """A proxy that understands CONNECT and passes bytes on; it remembers what it was told."""

    def __init__(self, target: int) -> None:
        self.heads: list[str] = []
        self.passed = b""
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://user:word@127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in tuple(self._threads):
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        with client:
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            self.heads.append(head.decode())
            with socket.create_connection(("127.0.0.1", self._target)) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        while True:
            ready, _, _ = select.select(list(other), [], [], 10)
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                self.passed += data
                other[one].sendall(data)


@pytest.fixture
def tunnel(server: WatchedServer) -> Iterator[Tunnel]:
    made = Tunnel(server.port)
    yield made
    made.close()


async def test_a_proxy_carries_what_it_cannot_read(server: WatchedServer, tunnel: Tunnel) -> None:
    options: dict[str, Any] = {
        "token": TOKEN,
        "tls": Pin(server.certificate.fingerprint),
        "proxy": tunnel.url,
    }
    with Client("pve1.invalid", **options) as pve:
        for method in ("GET", "POST"):
            await asyncio.to_thread(pve.request, method, "/version")
    async with AsyncClient("pve1.invalid", **options) as apve:
        for method in ("GET", "POST"):
            await apve.request(method, "/version")
    server.settle()
    assert [seen.method for seen in server.received] == ["GET", "POST"] * 2
    assert len(tunnel.heads) == 2, "one tunnel for each client"
    account = base64.b64encode(b"user:word").decode()
    for head in tunnel.heads:
        assert head.startswith("CONNECT pve1.invalid:8006 HTTP/1.1\r\n")
        assert f"proxy-authorization: basic {account.lower()}" in head.lower()
    assert SECRET.encode() not in tunnel.passed
    assert len(tunnel.passed) > 1000


def test_threads_share_few_connections_without_losing_an_answer(server: WatchedServer) -> None:
    """Each request arrives once and is answered, although one thread ends as another begins."""
    pin = Pin(server.certificate.fingerprint)
    once = RetryPolicy(attempts=1)
    with Client(server.url, token=TOKEN, tls=pin, connections=3, retry=once) as pve:
        for _ in range(10):
            with ThreadPoolExecutor(12) as pool:
                asked = [pool.submit(pve.request, "POST", f"/pools/{n}") for n in range(36)]
                found = [answer.result()["target"] for answer in asked]
            assert found == [f"/api2/json/pools/{n}" for n in range(36)]
    assert len(server.received) == 360
    assert server.connections <= 3 + 360 // 99 * 3


def test_no_thread_closes_a_connection_that_another_uses() -> None:
    """httpcore's pool may look at a connection while its answer is already there to be read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = KeptBackend().connect_tcp("127.0.0.1", listener.getsockname()[1], 5)
        peer, _ = listener.accept()
        with peer, contextlib.closing(stream):
            stream.write(b"GET / HTTP/1.1\r\n\r\n")
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            assert not stream.get_extra_info("is_readable")
            assert stream.read(65536).endswith(b"ok")
            peer.sendall(b"?")  # nobody asked: whoever uses it next is told, and sends nothing
            select.select([stream.get_extra_info("socket")], [], [], 5)
            assert not stream.get_extra_info("is_readable")
            with pytest.raises(NothingLeft):
                stream.write(b"GET / HTTP/1.1\r\n\r\n")
            peer.setblocking(False)
            assert peer.recv(65536) == b"GET / HTTP/1.1\r\n\r\n"
            with pytest.raises(BlockingIOError):
                peer.recv(65536)


async def test_the_blocking_client_works_inside_a_running_loop(server: WatchedServer) -> None:
    pin = Pin(server.certificate.fingerprint)
    assert asyncio.get_running_loop().is_running()
    with Client(server.url, token=TOKEN, tls=pin) as pve:
        assert pve.request("GET", "/version") == {"target": "/api2/json/version"}


async def test_a_body_that_pve_would_drop_is_not_sent(server: WatchedServer) -> None:
    pin = Pin(server.certificate.fingerprint)
    large: dict[str, Any] = {"description": "x" * 600_000}
    with Client(server.url, token=TOKEN, tls=pin) as pve, pytest.raises(RequestInvalid) as caught:
        pve.request("PUT", "/nodes/pve1/qemu/100/config", large)
    async with AsyncClient(server.url, token=TOKEN, tls=pin) as apve:
        with pytest.raises(RequestInvalid, match="PVE takes 524288"):
            await apve.nodes("pve1").qemu(100).config.put(**large)
    assert "x" * 100 not in str(caught.value)
    assert server.connections == 0


Call = Callable[[AsyncClient], Awaitable[Any]]


async def _cancel(
    server: WatchedServer, call: Call, ready: Callable[[], bool], **options: Any
) -> None:
    """Cancel a call once it is as far as wanted; nothing may be left of it."""
    pin = Pin(server.certificate.fingerprint)
    chosen: dict[str, Any] = {"token": TOKEN, "tls": pin, **options}
    async with AsyncClient(server.url, **chosen) as pve:
        running = asyncio.ensure_future(call(pve))
        for _ in range(2000):
            if ready():
                break
            await asyncio.sleep(0.002)
        else:
            raise AssertionError("it never came so far")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert asyncio.all_tasks() == {asyncio.current_task()}
        server.behave = lambda request, number: (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"
            b'{"data":"ok"}'
        )
        if "login" not in options:
            assert await asyncio.wait_for(pve.request("GET", "/version"), 5) == "ok"
    await asyncio.to_thread(server.settle)  # every connection has ended


async def test_cancelled_while_waiting_for_an_answer(server: WatchedServer) -> None:
    server.behave = lambda request, number: SILENT
    await _cancel(server, lambda pve: pve.request("POST", "/pools"), server.arrived.is_set)
    assert [seen.method for seen in server.received] == ["POST", "GET"]


async def test_cancelled_while_waiting_for_a_free_connection(server: WatchedServer) -> None:
    server.behave = lambda request, number: SILENT

    async def many(pve: AsyncClient) -> None:
        await asyncio.gather(*(pve.request("GET", f"/pools/{n}") for n in range(5)))

    await _cancel(server, many, lambda: len(server.received) == 2, connections=2)
    assert len(server.received) == 3


async def test_cancelled_in_the_pause_before_a_repetition(server: WatchedServer) -> None:
    server.behave = lambda request, number: None
    retry = RetryPolicy(attempts=5, first_delay=600.0, max_delay=600.0, deadline=9999.0)
    asleep: list[float] = []

    async def pause(seconds: float) -> None:
        asleep.append(seconds)
        await asyncio.sleep(seconds)

    await _cancel(
        server,
        lambda pve: pve.request("GET", "/version"),
        lambda: bool(asleep),
        retry=retry,
        sleep=pause,
    )
    assert len(server.received) == 2


async def test_cancelled_while_it_logs_in_for_others_too(server: WatchedServer) -> None:
    server.behave = lambda request, number: SILENT

    async def many(pve: AsyncClient) -> None:
        await asyncio.gather(*(pve.request("GET", f"/pools/{n}") for n in range(5)))

    await _cancel(
        server, many, server.arrived.is_set, token=None, login=PasswordLogin("a@pve", "word word")
    )
    assert [seen.target for seen in server.received] == ["/api2/json/access/ticket"]


async def test_a_cancelled_login_gives_the_right_to_log_in_back(server: WatchedServer) -> None:
    server.behave = lambda request, number: SILENT
    pin = Pin(server.certificate.fingerprint)
    login = PasswordLogin("a@pve", "word word")
    async with AsyncClient(server.url, login=login, tls=pin) as pve:
        first = asyncio.ensure_future(pve.request("GET", "/version"))
        await asyncio.to_thread(server.arrived.wait, 5)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        ticket = b'{"data":{"ticket":"T","username":"a@pve","CSRFPreventionToken":"C"}}'
        server.behave = lambda request, number: (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            + f"Content-Length: {len(ticket)}\r\n\r\n".encode()
            + ticket
        )
        assert await asyncio.wait_for(pve.request("GET", "/version"), 5)
