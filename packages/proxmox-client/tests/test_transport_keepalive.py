"""Connections that stay open behind PVE's two Connection headers, counted on a real TLS server."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxmox_client import AmbiguousWrite, AsyncClient, Client, Pin, RetryPolicy
from proxmox_client.transport.keepalive import (
    REQUESTS_PER_CONNECTION,
    AnswerHead,
    correct_head,
)

if TYPE_CHECKING:
    from tests.lab.watched_server import Received, WatchedServer

TOKEN = "root@pam!test=0b7c6f6e-1111-2222-3333-444455556666"
BOTH = "Connection: close\r\nConnection: Keep-Alive\r\n"
Call = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["sync", "async"])
async def call(request: pytest.FixtureRequest, server: WatchedServer) -> AsyncIterator[Call]:
    """One client for the whole test, whatever its colour."""
    options: dict[str, Any] = {
        "token": TOKEN,
        "tls": Pin(server.certificate.fingerprint),
        "retry": RetryPolicy(first_delay=0.0),
    }
    if request.param == "sync":
        with Client(server.url, **options) as pve:

            async def blocking(method: str, path: str = "/version") -> Any:
                return await asyncio.to_thread(pve.request, method, path)

            yield blocking
    else:
        async with AsyncClient(server.url, **options) as apve:

            async def awaiting(method: str, path: str = "/version") -> Any:
                return await apve.request(method, path)

            yield awaiting


def forwarded(reply: Callable[..., bytes]) -> Callable[[Received, int], bytes]:
    return lambda request, number: reply(number, headers=BOTH)


async def test_sixty_forwarded_calls_cost_one_handshake(
    server: WatchedServer, reply: Callable[..., bytes], call: Call
) -> None:
    server.behave = forwarded(reply)
    numbers = [await call(("GET", "POST", "PUT", "DELETE")[n % 4]) for n in range(60)]
    assert numbers == list(range(1, 61))
    assert server.connections == 1


async def test_one_joined_header_means_the_same(
    server: WatchedServer, reply: Callable[..., bytes], call: Call
) -> None:
    server.behave = lambda request, number: reply(
        number, headers="Connection: close, Keep-Alive\r\n"
    )
    for _ in range(5):
        await call("GET")
    assert server.connections == 1


@pytest.mark.parametrize(
    "headers", ["Connection: close\r\n", "Connection: close\r\nConnection: close\r\n"]
)
async def test_a_closing_answer_is_obeyed(
    server: WatchedServer, reply: Callable[..., bytes], call: Call, headers: str
) -> None:
    server.behave = lambda request, number: reply(number, headers=headers)
    for _ in range(3):
        await call("POST")
    assert server.connections == 3


async def test_an_error_closes_whatever_it_says(
    server: WatchedServer, reply: Callable[..., bytes], call: Call
) -> None:
    server.behave = lambda request, number: reply(None, status="500 no such thing", headers=BOTH)
    for _ in range(3):
        with pytest.raises(Exception, match="no such thing"):
            await call("POST")
    assert server.connections == 3


async def test_no_request_is_the_hundredth_of_its_connection(
    server: WatchedServer, reply: Callable[..., bytes], call: Call
) -> None:
    server.behave = forwarded(reply)
    for _ in range(2 * REQUESTS_PER_CONNECTION + 1):
        await call("POST")
    assert server.connections == 3
    assert len(server.received) == 2 * REQUESTS_PER_CONNECTION + 1


async def test_a_connection_closed_while_idle_is_not_used_again(
    server: WatchedServer, reply: Callable[..., bytes], call: Call
) -> None:
    server.behave = forwarded(reply)
    await call("GET")
    server.settle(close=True)
    assert await call("POST") == 2  # neither lost nor ambiguous: noticed before it was sent
    assert [seen.method for seen in server.received] == ["GET", "POST"]
    assert server.connections == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_write_is_not_repeated_when_its_kept_connection_breaks(
    server: WatchedServer, reply: Callable[..., bytes], call: Call, method: str
) -> None:
    server.behave = lambda request, number: reply(1, headers=BOTH) if number == 1 else None
    await call("GET")
    with pytest.raises(AmbiguousWrite):
        await call(method)
    assert [seen.method for seen in server.received] == ["GET", method]
    assert server.connections == 1


async def test_a_read_is_repeated_when_its_kept_connection_breaks(
    server: WatchedServer, reply: Callable[..., bytes], call: Call
) -> None:
    server.behave = lambda request, number: None if number == 2 else reply(number, headers=BOTH)
    await call("GET")
    assert await call("GET") == 3
    assert server.connections == 2


async def test_the_head_may_come_in_pieces(
    server: WatchedServer, reply: Callable[..., bytes], call: Call
) -> None:
    # a head longer than one TLS record reaches the client in several reads
    padding = "".join(f"X-Padding-{n}: {'x' * 4000}\r\n" for n in range(5))
    server.behave = lambda request, number: reply(number, headers=padding + BOTH)
    for number in (1, 2, 3):
        assert await call("GET") == number
    assert server.connections == 1


async def test_many_at_once_reuse_their_connections(
    server: WatchedServer, reply: Callable[..., bytes], call: Call
) -> None:
    server.behave = forwarded(reply)
    for _ in range(3):
        await asyncio.gather(*(call("POST") for _ in range(8)))
    assert len(server.received) == 24
    assert server.connections <= 8


def test_a_client_moved_to_another_loop_goes_on_quietly(
    server: WatchedServer, reply: Callable[..., bytes]
) -> None:
    server.behave = forwarded(reply)
    pve = AsyncClient(server.url, token=TOKEN, tls=Pin(server.certificate.fingerprint))
    for number in (1, 2, 3):
        assert asyncio.run(pve.request("GET", "/version")) == number
    asyncio.run(pve.aclose())
    del pve
    gc.collect()
    assert server.connections == 3


WORDS = st.lists(st.sampled_from(["close", "Keep-Alive", "keep-alive"]), max_size=3)


@given(st.sampled_from([200, 301, 400, 500, 595]), WORDS, st.booleans(), st.integers(1, 120))
def test_only_a_server_that_said_so_keeps_its_connection(
    status: int, words: list[str], bounded: bool, served: int
) -> None:
    stays = AnswerHead(status, tuple(words), bounded).stays_open(served)
    if stays:
        assert status < 400
        assert bounded
        assert served <= 98
        assert "close" not in words or words[-1].lower() == "keep-alive"


@given(WORDS, st.booleans(), st.integers(1, 120))
def test_a_corrected_head_loses_nothing_else(words: list[str], joined: bool, served: int) -> None:
    said = [", ".join(words)] if joined and words else words
    lines = [f"Connection: {word}" for word in said]
    head = "\r\n".join(["HTTP/1.1 200 OK", "Content-Length: 2", *lines, "X-A: b", "", ""]).encode()
    corrected = correct_head(head, served).decode().split("\r\n")
    assert [line for line in corrected if "onnection" not in line] == [
        "HTTP/1.1 200 OK",
        "Content-Length: 2",
        "X-A: b",
        "",
        "",
    ]
    stays = AnswerHead(200, tuple(said), True).stays_open(served)
    assert ("Connection: close" in corrected) is not stays


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 Connection established\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_is_not_pves_stays_as_it_came(head: bytes) -> None:
    assert correct_head(head, 1) == head


def test_recorded_words_are_understood() -> None:
    recorded = json.loads('{"connection": "close, Keep-Alive"}')
    assert AnswerHead(200, (recorded["connection"],), True).stays_open(1)
