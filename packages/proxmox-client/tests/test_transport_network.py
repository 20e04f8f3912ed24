"""The rim against a real TLS server on loopback, in both colours."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, unquote

import pytest

from proxmox_client import (
    AmbiguousWrite,
    AsyncClient,
    AuthenticationFailed,
    CaFile,
    CertificateNotTrusted,
    Client,
    ConnectError,
    FingerprintMismatch,
    Pin,
    RetryPolicy,
    SystemTrust,
    TlsError,
    fetch_fingerprint,
)

if TYPE_CHECKING:
    from tests.lab.watched_server import Certificate, WatchedServer

SECRET = "0b7c6f6e-1111-2222-3333-444455556666"
TOKEN = f"root@pam!test={SECRET}"
QUICK = RetryPolicy(first_delay=0.0)


class Ask(Protocol):
    """One request with a client of its own, whatever its colour."""

    def __call__(
        self, url: str, method: str = "GET", path: str = "/version", /, **options: Any
    ) -> Awaitable[Any]: ...


async def _ask_blocking(
    url: str, method: str = "GET", path: str = "/version", /, **options: Any
) -> Any:
    params = options.pop("params", {})
    with Client(url, token=TOKEN, retry=QUICK, **options) as pve:
        return await asyncio.to_thread(pve.request, method, path, params)


async def _ask_awaiting(
    url: str, method: str = "GET", path: str = "/version", /, **options: Any
) -> Any:
    params = options.pop("params", {})
    async with AsyncClient(url, token=TOKEN, retry=QUICK, **options) as pve:
        return await pve.request(method, path, params)


@pytest.fixture(params=[_ask_blocking, _ask_awaiting], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    made: Ask = request.param
    return made


async def test_pinned_certificate_is_enough(server: WatchedServer, ask: Ask) -> None:
    data = await ask(server.url, tls=Pin(server.certificate.fingerprint))
    assert data == {"target": "/api2/json/version"}
    assert server.received[0].headers["authorization"] == f"PVEAPIToken={TOKEN}"


async def test_pin_as_text_without_colons(server: WatchedServer, ask: Ask) -> None:
    text = str(server.certificate.fingerprint).replace(":", "").lower()
    assert await ask(server.url, tls=Pin(text))


async def test_wrong_pin_sends_nothing(
    server: WatchedServer, other_certificate: Certificate, ask: Ask
) -> None:
    with pytest.raises(FingerprintMismatch) as caught:
        await ask(server.url, tls=Pin(other_certificate.fingerprint))
    server.settle()
    assert server.bytes_received == 0
    assert server.connections == 1
    assert caught.value.expected == other_certificate.fingerprint
    assert caught.value.got == server.certificate.fingerprint
    assert "Nothing was sent" in str(caught.value)
    assert SECRET not in str(caught.value)


async def test_untrusted_certificate_tells_how_to_pin(server: WatchedServer, ask: Ask) -> None:
    with pytest.raises(CertificateNotTrusted) as caught:
        await ask(server.url, tls=SystemTrust())
    server.settle()
    assert server.bytes_received == 0
    assert caught.value.fingerprint == server.certificate.fingerprint
    assert f'Pin("{server.certificate.fingerprint}")' in str(caught.value)


async def test_ca_file_is_enough(server: WatchedServer, ask: Ask) -> None:
    assert await ask(server.url, tls=CaFile(server.certificate.path))


async def test_ca_file_still_checks_the_name(server: WatchedServer, ask: Ask) -> None:
    with pytest.raises(CertificateNotTrusted, match="localhost"):
        await ask(f"https://localhost:{server.port}", tls=CaFile(server.certificate.path))
    assert server.bytes_received == 0


async def test_missing_ca_file_is_named(server: WatchedServer, tmp_path: Path, ask: Ask) -> None:
    with pytest.raises(TlsError, match=r"nosuch\.pem"):
        await ask(server.url, tls=CaFile(tmp_path / "nosuch.pem"))
    assert server.connections == 0


async def test_server_without_tls_is_told_apart(plain_server: WatchedServer, ask: Ask) -> None:
    with pytest.raises(TlsError, match="no TLS connection came about"):
        await ask(plain_server.url, tls=SystemTrust())


async def test_unreachable_port_is_a_connect_error(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ConnectError, match="Connection refused") as caught:
        await ask(f"127.0.0.1:{port}")
    assert (caught.value.host, caught.value.port) == ("127.0.0.1", port)
    assert "firewall" in str(caught.value)


async def test_unknown_host_is_a_connect_error(ask: Ask) -> None:
    with pytest.raises(ConnectError, match="does not resolve"):
        await ask("no-such-host.invalid")


async def test_silent_server_ends_in_a_time_out(server: WatchedServer, ask: Ask) -> None:
    server.behave = lambda request, number: b"HTTP/1.1 200 OK\r\nContent-Len"
    with pytest.raises(ConnectError, match="no answer within the time-out"):
        await ask(server.url, tls=Pin(server.certificate.fingerprint), timeout=0.3)
    assert len(server.received) == QUICK.attempts


async def test_rejected_token_keeps_the_servers_words(server: WatchedServer, ask: Ask) -> None:
    server.behave = lambda request, number: b"HTTP/1.1 401 No ticket\r\nConnection: close\r\n\r\n"
    server.closing = True
    with pytest.raises(AuthenticationFailed) as caught:
        await ask(server.url, tls=Pin(server.certificate.fingerprint))
    assert caught.value.reason == "No ticket"
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_write_is_never_sent_twice(server: WatchedServer, ask: Ask, method: str) -> None:
    server.behave = lambda request, number: None
    with pytest.raises(AmbiguousWrite) as caught:
        await ask(server.url, method, "/storage/x", tls=Pin(server.certificate.fingerprint))
    assert len(server.received) == 1
    assert caught.value.method == method
    assert caught.value.address == "/storage/x"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_write_on_a_kept_connection_is_never_sent_twice(
    server: WatchedServer, reply: Callable[..., bytes], method: str
) -> None:
    """aiohttp repeats PUT and DELETE by itself when a kept connection breaks; not for us."""
    server.behave = lambda request, number: reply(number) if number == 1 else None
    pin = Pin(server.certificate.fingerprint)
    async with AsyncClient(server.url, token=TOKEN, tls=pin) as pve:
        assert await pve.request("GET", "/version") == 1
        with pytest.raises(AmbiguousWrite):
            await pve.request(method, "/storage/x")
    assert [seen.method for seen in server.received] == ["GET", method]
    assert server.connections == 1


async def test_read_is_repeated_after_a_lost_connection(
    server: WatchedServer, reply: Callable[..., bytes], ask: Ask
) -> None:
    server.behave = lambda request, number: reply(number) if number == 3 else None
    assert await ask(server.url, tls=Pin(server.certificate.fingerprint)) == 3
    assert len(server.received) == 3


async def test_reads_share_a_connection(server: WatchedServer) -> None:
    pin = Pin(server.certificate.fingerprint)
    with Client(server.url, token=TOKEN, tls=pin) as pve:
        for _ in range(5):
            await asyncio.to_thread(pve.request, "GET", "/version")
    async with AsyncClient(server.url, token=TOKEN, tls=pin) as apve:
        for _ in range(5):
            await apve.request("GET", "/version")
    assert len(server.received) == 10
    assert server.connections == 2


async def test_path_query_and_form_arrive_as_meant(server: WatchedServer, ask: Ask) -> None:
    upid = "UPID:pve1:0000252F:0006D64E:6B03000E:qmstart:100:root@pam!a:"
    pin = Pin(server.certificate.fingerprint)
    await ask(server.url, "GET", f"/nodes/pve1/tasks/{upid}/log", tls=pin, params={"limit": 0})
    await ask(
        server.url,
        "PUT",
        "/nodes/pve1/qemu/100/config",
        tls=pin,
        params={"description": "a&b=c d+é\n%20", "onboot": True, "tags": None},
    )
    read, write = server.received
    assert unquote(read.target) == f"/api2/json/nodes/pve1/tasks/{upid}/log?limit=0"
    assert parse_qsl(write.body) == [("description", "a&b=c d+é\n%20"), ("onboot", "1")]
    assert write.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "transfer-encoding" not in write.headers


async def test_compressed_answers_are_read(server: WatchedServer, ask: Ask) -> None:
    packed = gzip.compress(json.dumps({"data": ["x"] * 500}).encode())
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    server.behave = lambda request, number: head.encode() + packed
    assert await ask(server.url, tls=Pin(server.certificate.fingerprint)) == ["x"] * 500


async def test_fingerprint_is_fetched_without_sending(server: WatchedServer) -> None:
    seen = await asyncio.to_thread(fetch_fingerprint, server.url)
    server.settle()
    assert seen == server.certificate.fingerprint
    assert server.bytes_received == 0


async def test_no_fingerprint_from_nowhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ConnectError):
        await asyncio.to_thread(fetch_fingerprint, f"127.0.0.1:{port}")


async def test_many_calls_at_once_use_no_more_connections_than_allowed(
    server: WatchedServer,
) -> None:
    pin = Pin(server.certificate.fingerprint)
    async with AsyncClient(server.url, token=TOKEN, tls=pin, connections=4) as pve:
        answers = await asyncio.gather(*(pve.request("GET", f"/pools/{n}") for n in range(40)))
    assert [a["target"] for a in answers] == [f"/api2/json/pools/{n}" for n in range(40)]
    assert server.connections == 4


async def test_cancelled_call_leaves_the_client_usable(
    server: WatchedServer, reply: Callable[..., bytes]
) -> None:
    partial = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"
    server.behave = lambda request, number: partial if number == 1 else reply("fine")
    pin = Pin(server.certificate.fingerprint)
    async with AsyncClient(server.url, token=TOKEN, tls=pin) as pve:
        call = asyncio.create_task(pve.request("GET", "/version"))
        await asyncio.to_thread(server.arrived.wait, 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await pve.request("GET", "/version") == "fine"


def test_client_of_two_event_loops(server: WatchedServer) -> None:
    pin = Pin(server.certificate.fingerprint)
    pve = AsyncClient(server.url, token=TOKEN, tls=pin)

    async def use() -> Any:
        try:
            return await pve.request("GET", "/version")
        finally:
            await pve.aclose()

    assert asyncio.run(use()) == asyncio.run(use())


async def test_plain_http_works_towards_this_machine(plain_server: WatchedServer, ask: Ask) -> None:
    assert await ask(f"http://127.0.0.1:{plain_server.port}")


async def test_proxies_of_the_environment_are_ignored(
    server: WatchedServer, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await ask(server.url, tls=Pin(server.certificate.fingerprint))


async def test_a_proxy_gets_to_see_no_credentials(plain_server: WatchedServer, ask: Ask) -> None:
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    plain_server.behave = lambda request, number: refusal
    with pytest.raises(ConnectError, match=r"403|Forbidden"):
        await ask("pve1", proxy=f"http://127.0.0.1:{plain_server.port}")
    seen = plain_server.received[0]
    assert (seen.method, seen.target) == ("CONNECT", "pve1:8006")
    assert SECRET not in str(plain_server.received)
