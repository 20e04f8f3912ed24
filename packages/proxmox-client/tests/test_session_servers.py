"""Several servers, trust on first use, the environment, time-outs of single calls."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from proxmox_client import (
    AmbiguousWrite,
    ApiToken,
    AsyncClient,
    CaFile,
    CertificateNotTrusted,
    Client,
    ConnectError,
    Fingerprint,
    FingerprintMismatch,
    FirstUse,
    OpenIdLogin,
    Pin,
    RetryPolicy,
    SystemTrust,
    TlsError,
)
from proxmox_client.flows.call import Session, perform_raw
from proxmox_client.flows.drivers import SyncDriver
from proxmox_client.flows.effects import Lost, Stage
from proxmox_client.flows.learning import LearntServer
from proxmox_client.flows.session import Route
from proxmox_client.opening import as_server
from proxmox_client.testing import SimulatedCluster
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.tls import Trust
from proxmox_client.wire.request import Request, Response
from tests.lab.watched_server import Certificate, WatchedServer

SECRET = "0b7c6f6e-1111-2222-3333-444455556666"
TOKEN = f"root@pam!test={SECRET}"
QUICK = RetryPolicy(first_delay=0.0)
Ask = Callable[..., Awaitable[Any]]


async def _blocking(url: str | Sequence[str], method: str = "GET", /, **options: Any) -> Any:
    with Client(url, token=TOKEN, retry=QUICK, **options) as pve:
        return await asyncio.to_thread(pve.request, method, "/version")


async def _awaiting(url: str | Sequence[str], method: str = "GET", /, **options: Any) -> Any:
    async with AsyncClient(url, token=TOKEN, retry=QUICK, **options) as pve:
        return await pve.request(method, "/version")


@pytest.fixture(params=[_blocking, _awaiting], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    made: Ask = request.param
    return made


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"https://127.0.0.1:{closed.getsockname()[1]}"


@attrs.define
class Servers:
    """Servers by name; those in `dead` cannot be reached, those in `mute` never answer."""

    dead: set[str] = attrs.field(factory=set[str])
    mute: set[str] = attrs.field(factory=set[str])
    asked: list[str] = attrs.field(factory=list[str])
    slept: list[float] = attrs.field(factory=list[float])

    def send(self, request: Request) -> Response | Lost:
        self.asked.append(request.server)
        error = ConnectError(request.server, 8006, "gone")
        if request.server in self.dead:
            return Lost(Stage.NOT_SENT, error)
        if request.server in self.mute:
            return Lost(Stage.MAYBE_SENT, error)
        return Response(200, "OK", b'{"data":1}')

    def call(self, session: Session, method: str = "GET") -> Any:
        driver = SyncDriver(self.send, self.slept.append, lambda: 0.0, lambda: 0.0)
        return driver.run(perform_raw(session, method, "/pools", {}))


def session(*names: str) -> Session:
    return Session(ApiToken.parse(TOKEN), QUICK, route=Route(names))


def test_next_server_is_asked_at_once_and_kept() -> None:
    servers, who = Servers(dead={"a"}), session("a", "b", "c")
    assert [servers.call(who) for _ in range(3)] == [1, 1, 1]
    assert servers.asked == ["a", "b", "b", "b"]
    assert servers.slept == []
    servers.dead = {"b"}
    servers.call(who, "POST")
    assert servers.asked[4:] == ["b", "c"]
    servers.dead = {"c", "b"}
    servers.call(who)
    assert servers.asked[6:] == ["c", "a"]


def test_all_servers_dead_is_an_error_after_every_one_was_asked() -> None:
    servers, who = Servers(dead={"a", "b"}), session("a", "b")
    with pytest.raises(ConnectError, match="gone"):
        servers.call(who)
    assert len(servers.asked) == 2 * QUICK.attempts
    assert set(servers.asked) == {"a", "b"}
    assert len(servers.slept) == QUICK.attempts - 1


def test_silent_server_is_left_for_reads_but_not_for_writes() -> None:
    servers, who = Servers(mute={"a"}), session("a", "b")
    with pytest.raises(AmbiguousWrite):
        servers.call(who, "PUT")
    assert servers.asked == ["a"]
    assert servers.call(who, "GET") == 1
    assert servers.asked == ["a", "a", "b"]


def test_wrong_certificate_is_told_not_passed_over() -> None:
    servers, who = Servers(), session("a", "b")
    mismatch = FingerprintMismatch("a", 8006, "not the pinned one")
    driver = SyncDriver(
        lambda request: Lost(Stage.NOT_SENT, mismatch, lasting=True),
        servers.slept.append,
        lambda: 0.0,
    )
    with pytest.raises(FingerprintMismatch):
        driver.run(perform_raw(who, "GET", "/pools", {}))
    assert who.route.current == "a"


async def test_unreachable_first_server_does_not_matter(server: WatchedServer, ask: Ask) -> None:
    urls = [closed_port(), "https://no-such-host.invalid:8006", server.url]
    for method in ("GET", "POST"):
        data = await ask(urls, method, tls=Pin(server.certificate.fingerprint))
        assert data == {"target": "/api2/json/version"}
    assert len(server.received) == 2


def test_other_nodes_are_learnt_and_pinned() -> None:
    cluster = SimulatedCluster(nodes=("pve1", "pve2", "pve3"))
    token = cluster.create_token("root@pam", "test")
    with Client("pve1", token=token, transport=cluster.transport()) as pve:
        learnt = pve.learn_servers()
        assert len(learnt) == 2
        assert pve.session.route.servers == ("", *learnt)
        assert pve.version.get().release == "9.2"


@attrs.define
class Cluster:
    """Three nodes behind an httpx transport; `hosts` are those that can be reached."""

    hosts: set[str]
    may_ask: bool = True
    asked: list[str] = attrs.field(factory=list[str])

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api2/json")
        self.asked.append(f"{request.url.scheme} {request.url.host} {request.method} {path}")
        if request.url.host not in self.hosts:
            raise httpx.ConnectError("gone")
        if path == "/cluster/status":
            rows = [{"type": "node", "name": f"pve{n}", "ip": f"10.0.0.{n}"} for n in (1, 2, 3)]
            rows[0]["local"] = "1"
            found = httpx.Response(200, json={"data": rows})
            return found if self.may_ask else httpx.Response(403, json={"data": None})
        data = [{"node": f"pve{n}", "ssl_fingerprint": PRINTS[n]} for n in (1, 2, 3)]
        return httpx.Response(200, json={"data": data})

    def client(self, url: str, **options: Any) -> Client:
        transport = httpx.MockTransport(self.handle)
        return Client(url, token=TOKEN, transport=transport, retry=QUICK, **options)

    def aclient(self, url: str, **options: Any) -> AsyncClient:
        transport = httpx.MockTransport(self.handle)
        return AsyncClient(url, token=TOKEN, transport=transport, retry=QUICK, **options)


PRINTS = {n: ":".join([f"{n:02X}"] * 32) for n in (1, 2, 3)}
LEARNING = ["https pve1 GET /cluster/status", "https pve1 GET /nodes"]


def test_a_client_learns_the_other_nodes_by_itself() -> None:
    cluster = Cluster({"pve1", "10.0.0.3"})
    with cluster.client("pve1", learn_servers=True) as pve:
        assert cluster.asked == []
        pve.request("DELETE", "/storage/x")
        assert cluster.asked == [*LEARNING, "https pve1 DELETE /storage/x"]
        cluster.hosts.remove("pve1")
        pve.with_timeout(5).request("DELETE", "/storage/y")
        assert cluster.asked[-1] == "https 10.0.0.3 DELETE /storage/y"
        assert len(cluster.asked) == 6
    with cluster.client("10.0.0.3") as pve:
        pve.request("GET", "/storage")
    assert len(cluster.asked) == 7


async def test_the_async_client_learns_them_once() -> None:
    cluster = Cluster({"pve1", "10.0.0.2"})
    async with cluster.aclient("pve1", learn_servers=True) as pve:
        await asyncio.gather(*(pve.request("GET", "/storage") for _ in range(4)))
        assert [line for line in cluster.asked if "/storage" not in line] == LEARNING
        cluster.hosts.remove("pve1")
        await pve.request("GET", "/storage")
    assert cluster.asked[-1] == "https 10.0.0.2 GET /storage"


def test_who_may_not_ask_goes_on_with_the_servers_given() -> None:
    cluster = Cluster({"pve1"}, may_ask=False)
    with cluster.client("pve1", learn_servers=True) as pve:
        pve.request("GET", "/storage")
        pve.request("GET", "/storage")
    assert cluster.asked == [LEARNING[0], *["https pve1 GET /storage"] * 2]


def test_nodes_that_could_not_be_learnt_are_asked_for_again() -> None:
    cluster = Cluster(set())
    with cluster.client("pve1", learn_servers=True) as pve:
        with pytest.raises(ConnectError):
            pve.request("POST", "/storage")
        assert {*cluster.asked} == {LEARNING[0]}
        cluster.hosts.add("pve1")
        pve.request("POST", "/storage")
    assert cluster.asked[-3:] == [*LEARNING, "https pve1 POST /storage"]


def test_an_unfinished_login_learns_nothing() -> None:
    cluster = Cluster({"pve1"})
    transport = httpx.MockTransport(cluster.handle)
    login = OpenIdLogin("realm", "https://me.example/")
    with Client("pve1", login=login, transport=transport, learn_servers=True) as pve:
        pve.openid_start()
    assert cluster.asked == ["https pve1 POST /access/openid/auth-url"]


def test_learnt_nodes_never_get_a_token_unencrypted() -> None:
    cluster = Cluster({"127.0.0.1", "10.0.0.2"})
    with cluster.client("http://127.0.0.1:8080", learn_servers=True) as pve:
        pve.request("GET", "/storage")
        cluster.hosts.remove("127.0.0.1")
        pve.request("GET", "/storage")
        assert pve.session.route.servers[1:] == ("https://10.0.0.2:8006", "https://10.0.0.3:8006")
    assert cluster.asked[-1] == "https 10.0.0.2 GET /storage"


@pytest.mark.parametrize("trust", [SystemTrust(), Pin(PRINTS[1]), FirstUse()])
def test_learnt_certificates_are_pinned_but_for_the_clusters_own_ca(trust: Trust) -> None:
    learnt, known = LearntServer("pve2", "10.0.0.2", PRINTS[2]), Endpoint("pve1")
    assert as_server(learnt, known, trust) == (Endpoint("10.0.0.2"), Pin(PRINTS[2]))
    assert as_server(attrs.evolve(learnt, fingerprint=""), known, trust)[1] == trust
    own = CaFile("pve-root-ca.pem")
    assert as_server(learnt, known, own)[1] == own


async def test_first_certificate_is_remembered_and_others_refused(
    server: WatchedServer, other_certificate: Certificate, tmp_path: Path, ask: Ask
) -> None:
    store = tmp_path / "new" / "known_servers"
    asked: list[tuple[str, Fingerprint]] = []

    def confirm(url: str, fingerprint: Fingerprint) -> bool:
        asked.append((url, fingerprint))
        return True

    for _ in range(2):
        assert await ask(server.url, tls=FirstUse(store, confirm))
    assert asked == [(server.url, server.certificate.fingerprint)]
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    line = f"127.0.0.1:{server.port} {server.certificate.fingerprint}\n"
    assert store.read_text() == line
    store.write_text(
        line.replace(str(server.certificate.fingerprint), str(other_certificate.fingerprint))
    )
    seen = len(server.received)
    with pytest.raises(FingerprintMismatch):
        await ask(server.url, tls=FirstUse(store))
    assert len(server.received) == seen


async def test_each_host_has_its_own_certificate(
    server: WatchedServer, other_certificate: Certificate, tmp_path: Path, ask: Ask
) -> None:
    store = tmp_path / "known_servers"
    other = WatchedServer(other_certificate)
    try:
        for one in (server, other, server, other):
            await ask(one.url, tls=FirstUse(store))
        assert store.read_text("utf-8").splitlines() == sorted(
            f"127.0.0.1:{one.port} {one.certificate.fingerprint}" for one in (server, other)
        )
        own = FirstUse(store)
        assert await ask([closed_port(), server.url, other.url], tls=own)
    finally:
        other.close()


async def test_refused_first_certificate_gets_nothing(
    server: WatchedServer, tmp_path: Path, ask: Ask
) -> None:
    store = tmp_path / "known_servers"
    with pytest.raises(CertificateNotTrusted, match="refused") as caught:
        await ask(server.url, tls=FirstUse(store, lambda url, fingerprint: False))
    server.settle()
    assert caught.value.fingerprint == server.certificate.fingerprint
    assert server.received == []
    assert not store.exists()


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
async def test_store_others_may_write_is_refused(
    server: WatchedServer, tmp_path: Path, ask: Ask
) -> None:
    store = tmp_path / "known_servers"
    store.write_text("")
    store.chmod(0o622)
    with pytest.raises(TlsError, match="chmod 600"):
        await ask(server.url, tls=FirstUse(store))
    assert server.connections == 0


async def test_damaged_store_is_named(server: WatchedServer, tmp_path: Path, ask: Ask) -> None:
    store = tmp_path / "known_servers"
    store.write_text("# comment\n\nonly-a-host\n")
    store.chmod(0o600)
    with pytest.raises(TlsError, match="line 3"):
        await ask(server.url, tls=FirstUse(store))


async def test_unreachable_server_on_first_use(tmp_path: Path, ask: Ask) -> None:
    with pytest.raises(ConnectError, match="refused"):
        await ask(closed_port(), tls=FirstUse(tmp_path / "known_servers"))


def test_default_store_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMPC_KNOWN_SERVERS", str(tmp_path / "k"))
    assert FirstUse().store == tmp_path / "k"
    monkeypatch.delenv("PMPC_KNOWN_SERVERS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert FirstUse().store == tmp_path / "pmpc" / "known_servers"


async def test_single_calls_have_their_own_time_out(
    server: WatchedServer, reply: Callable[..., bytes]
) -> None:
    pin = Pin(server.certificate.fingerprint)
    server.behave = lambda request, number: b"HTTP/1.1 200 OK\r\nContent-Len"
    with Client(server.url, token=TOKEN, tls=pin, retry=RetryPolicy(attempts=1)) as pve:
        with pytest.raises(ConnectError, match="within the time-out"):
            await asyncio.to_thread(pve.with_timeout(0.2).request, "GET", "/version")
        server.behave = lambda request, number: reply(number)
        assert await asyncio.to_thread(pve.request, "GET", "/version") == 2
    server.behave = lambda request, number: b"HTTP/1.1 200 OK\r\nContent-Len"
    async with AsyncClient(server.url, token=TOKEN, tls=pin, retry=RetryPolicy(attempts=1)) as apve:
        with pytest.raises(ConnectError, match="within the time-out"):
            await apve.with_timeout(0.2).request("GET", "/version")
        server.behave = lambda request, number: reply(number)
        assert await apve.request("GET", "/version") == 4
