"""What watchers are told: the structured log, spans, counters, and that nobody is left waiting."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from proxmox_client import (
    AmbiguousWrite,
    AsyncClient,
    Client,
    NotFound,
    Pin,
    RetryPolicy,
)
from proxmox_client.observing import Finished, RetryPlanned, Sending, SpanObserver, Traffic
from proxmox_client.testing import SimulatedCluster

if TYPE_CHECKING:
    from tests.lab.watched_server import WatchedServer

SECRET = "0b7c6f6e-1111-2222-3333-444455556666"
TOKEN = f"root@pam!test={SECRET}"
QUICK = RetryPolicy(first_delay=0.0)
CONFIG = "/nodes/{node}/qemu/{vmid}/config"


@attrs.define
class Story:
    """A watcher that remembers."""

    events: list[Sending | Finished | RetryPlanned] = attrs.field(factory=list[Any])

    def before(self, event: Sending) -> None:
        self.events.append(event)

    def after(self, event: Finished) -> None:
        self.events.append(event)

    def retry(self, event: RetryPlanned) -> None:
        self.events.append(event)

    def words(self) -> list[str]:
        """Return the story in short."""
        told: list[str] = []
        for event in self.events:
            match event:
                case Sending():
                    told.append(f"{event.method} {event.template} #{event.attempt}")
                case Finished():
                    told.append(f"-> {event.status} {event.error}".strip())
                case RetryPlanned():
                    told.append(f"again: {event.error}")
        return told


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve1", 100, {"name": "web"})
    return made


class Flaky(httpx.BaseTransport):
    """A simulator behind a way that fails at first."""

    def __init__(self, cluster: SimulatedCluster, failures: int) -> None:
        self._inner = cluster.transport()
        self._failures = failures

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._failures:
            self._failures -= 1
            raise httpx.ReadError("gone", request=request)
        return self._inner.handle_request(request)


def client(cluster: SimulatedCluster, **options: Any) -> Client:
    token = cluster.create_token("root@pam", "watched")
    chosen: dict[str, Any] = {"transport": cluster.transport(), "retry": QUICK, **options}
    return Client("pve1", token=token, **chosen)


def test_a_request_is_told_from_its_beginning_to_its_end(cluster: SimulatedCluster) -> None:
    story = Story()
    pve = client(cluster, observers=[story])
    pve.nodes("pve1").qemu(100).config.put(description="a secret plan")
    pve.request("GET", "/nodes/pve1/qemu/100/config")
    assert story.words() == [f"PUT {CONFIG} #1", "-> 200", f"GET {CONFIG} #1", "-> 200"]
    first, end, by_text, _ = story.events
    assert isinstance(first, Sending)
    assert isinstance(end, Finished)
    assert isinstance(by_text, Sending)
    assert (first.operation, by_text.operation) == ("nodes.qemu.config.put", f"GET {CONFIG}")
    assert (first.node, first.server) == ("pve1", "https://pve1:8006")
    assert first.size == len("description=a%20secret%20plan")
    assert end.sending is first
    assert end.size > 0


def test_refusals_and_repetitions_are_told(cluster: SimulatedCluster) -> None:
    story = Story()
    pve = client(cluster, observers=[story], transport=Flaky(cluster, 2))
    with pytest.raises(NotFound):
        pve.nodes("pve1").qemu(999).config.get()
    again = ["-> None ConnectError", "again: ConnectError"]
    assert story.words() == [
        *(f"GET {CONFIG} #1", *again),
        *(f"GET {CONFIG} #2", *again),
        *(f"GET {CONFIG} #3", "-> 500 NotFound"),
    ]


def test_a_path_that_nobody_knows_is_told_without_its_words(cluster: SimulatedCluster) -> None:
    story = Story()
    pve = client(cluster, observers=[story])
    for path in (f"/nodes/{SECRET}/x/y/z", f"/{SECRET}"):
        with pytest.raises(Exception, match="not implemented"):
            pve.request("GET", path)
    assert [event.template for event in story.events if isinstance(event, Sending)] == [
        "/nodes/…",
        "/…",
    ]


def test_a_record_for_each_request_with_its_facts(
    cluster: SimulatedCluster, caplog: pytest.LogCaptureFixture
) -> None:
    pve = client(cluster, transport=Flaky(cluster, 1))
    with caplog.at_level(logging.DEBUG, "proxmox_client.requests"):
        pve.nodes("pve1").qemu(100).config.get()
        with pytest.raises(NotFound):
            pve.nodes("pve1").qemu(999).config.get()
    told = [record for record in caplog.records if record.name == "proxmox_client.requests"]
    assert [record.levelname for record in told] == ["INFO", "INFO", "DEBUG", "INFO"]
    assert told[2].getMessage().startswith(f"GET {CONFIG}: 200 in ")
    facts = {key: value for key, value in vars(told[2]).items() if key.startswith("pve_")}
    assert facts.pop("pve_seconds") >= 0
    assert facts.pop("pve_bytes_received") > 10
    assert facts == {
        "pve_operation": "nodes.qemu.config.get",
        "pve_method": "GET",
        "pve_path": CONFIG,
        "pve_node": "pve1",
        "pve_server": "https://pve1:8006",
        "pve_attempt": 2,
        "pve_bytes_sent": 0,
        "pve_status": 200,
        "pve_error": None,
    }
    assert vars(told[3])["pve_error"] == "NotFound"


def test_nobody_is_told_where_nobody_watches(
    cluster: SimulatedCluster, caplog: pytest.LogCaptureFixture
) -> None:
    pve = client(cluster)
    with caplog.at_level(logging.WARNING):
        pve.nodes("pve1").qemu(100).config.get()
    assert caplog.records == []


def test_spans_come_out_below_the_callers_own(cluster: SimulatedCluster) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    pve = client(cluster, observers=[SpanObserver(tracer)], transport=Flaky(cluster, 1))
    with tracer.start_as_current_span("caller"), pytest.raises(NotFound):
        pve.nodes("pve1").qemu(999).config.get()
    lost, refused, caller = exporter.get_finished_spans()
    assert caller.context is not None
    for span in (lost, refused):
        assert span.name == f"GET {CONFIG}"
        assert span.kind is trace.SpanKind.CLIENT
        assert span.parent is not None
        assert span.parent.span_id == caller.context.span_id
        assert span.status.status_code is trace.StatusCode.ERROR
    assert dict(refused.attributes or {}) == {
        "http.request.method": "GET",
        "url.template": CONFIG,
        "server.address": "pve1",
        "server.port": 8006,
        "http.request.body.size": 0,
        "http.request.resend_count": 1,
        "http.response.status_code": 500,
        "http.response.body.size": (refused.attributes or {})["http.response.body.size"],
        "error.type": "NotFound",
        "pve.operation": "nodes.qemu.config.get",
        "pve.node": "pve1",
    }
    assert [event.name for event in caller.events] == ["pve.retry"]


async def test_spans_of_calls_at_once_keep_their_own_parents(cluster: SimulatedCluster) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    token = cluster.create_token("root@pam", "watched")

    async def call(number: int) -> None:
        with tracer.start_as_current_span(f"caller {number}"):
            await pve.nodes("pve1").qemu(100).config.get()

    transport = cluster.async_transport()
    async with AsyncClient(
        "pve1", token=token, transport=transport, observers=[SpanObserver(tracer)]
    ) as pve:
        await asyncio.gather(*(call(number) for number in range(8)))
    spans = exporter.get_finished_spans()
    callers = {span.context.span_id for span in spans if span.context and span.parent is None}
    parents = [span.parent.span_id for span in spans if span.parent is not None]
    assert len(callers) == len(parents) == 8
    assert set(parents) == callers


def test_opentelemetry_is_loaded_by_those_who_want_spans_only() -> None:
    script = (
        "import sys; from proxmox_client import Client; import proxmox_client.observing; "
        "Client('pve1', token='root@pam!test=b'); "
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_traffic_is_counted_for_a_while(cluster: SimulatedCluster) -> None:
    pve = client(cluster, transport=Flaky(cluster, 1))
    with pve.observing(Traffic()) as traffic:
        pve.nodes("pve1").qemu(100).config.get()
        pve.with_timeout(5).nodes("pve1").qemu(100).config.put(description="x")
    pve.nodes("pve1").qemu(100).config.get()
    assert (traffic.requests, traffic.repeated, traffic.failed) == (3, 1, 1)
    assert traffic.sent == len("description=x")
    assert traffic.received > 50


class Broken(Story):
    def before(self, event: Sending) -> None:
        raise RuntimeError(SECRET)

    def after(self, event: Finished) -> None:
        raise RuntimeError(SECRET)


def test_a_watcher_that_fails_costs_no_answer(
    cluster: SimulatedCluster, caplog: pytest.LogCaptureFixture
) -> None:
    story = Story()
    pve = client(cluster, observers=[Broken(), story])
    assert pve.nodes("pve1").qemu(100).config.get().name == "web"
    assert len(story.events) == 2
    assert "Broken.before raised RuntimeError" in caplog.text
    assert SECRET not in caplog.text


async def test_a_cancelled_call_ends_for_watchers_too(
    server: WatchedServer, reply: Callable[..., bytes]
) -> None:
    server.behave = lambda request, number: b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"
    story = Story()
    pin = Pin(server.certificate.fingerprint)
    async with AsyncClient(server.url, token=TOKEN, tls=pin, observers=[story]) as pve:
        call = asyncio.create_task(pve.request("GET", "/version"))
        await asyncio.to_thread(server.arrived.wait, 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert story.words() == ["GET /version #1", "-> None cancelled"]


def test_an_ambiguous_write_is_told_once(cluster: SimulatedCluster) -> None:
    story = Story()
    pve = client(cluster, observers=[story], transport=Flaky(cluster, 1))
    with pytest.raises(AmbiguousWrite):
        pve.nodes("pve1").qemu(100).config.put(description="x")
    assert story.words() == [f"PUT {CONFIG} #1", "-> None ConnectError"]
