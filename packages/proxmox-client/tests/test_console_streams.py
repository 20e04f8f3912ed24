"""Consoles over a real websocket with TLS: terminals, VNC, and who may open which."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from proxmox_client import (
    AsyncClient,
    AuthenticationFailed,
    CaFile,
    ConnectError,
    FingerprintMismatch,
    FirstUse,
    PasswordLogin,
    PermissionDenied,
    Pin,
    RequestInvalid,
    SystemTrust,
    TlsError,
)
from proxmox_client.console import TerminalStream, VncStream
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.server import SimulatorServer
from proxmox_client.transport.websocket import MOST_PAYLOAD

PASSWORD = "a password"


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster(nodes=("pve1", "pve2"))
    made.access.users["root@pam"].password = PASSWORD
    config = {"name": "web", "memory": "128", "serial0": "socket", "vga": "qxl"}
    made.add_vm("pve2", 100, config, status="running")
    made.add_vm("pve1", 101, {"name": "db", "memory": "128"})
    made.add_container("pve1", 200, {"hostname": "proxy"}, status="running")
    made.clock.advance(20)
    return made


@pytest.fixture
def server(cluster: SimulatedCluster) -> Iterator[SimulatorServer]:
    with cluster.serve(speed=20.0) as made:
        yield made


@pytest.fixture(params=["token", "login"])
def options(
    cluster: SimulatedCluster, server: SimulatorServer, request: pytest.FixtureRequest
) -> dict[str, Any]:
    made: dict[str, Any] = {"tls": Pin(server.fingerprint)}
    if request.param == "token":
        return made | {"token": cluster.create_token("root@pam", "test")}
    return made | {"login": PasswordLogin("root@pam", PASSWORD)}


async def until(stream: TerminalStream | VncStream, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        data = await asyncio.wait_for(stream.read(), 5)
        assert data, f"the console ended after {seen!r}"
        seen += data
    return seen


@pytest.mark.parametrize("shown", [{"guest": "web"}, {"guest": 200}, {"node": "pve2"}])
async def test_terminal_is_typed_into_and_shows(
    cluster: SimulatedCluster, server: SimulatorServer, options: dict[str, Any], shown: Any
) -> None:
    async with AsyncClient(server.url, **options) as pve:
        async with pve.console(**shown).terminal() as terminal:
            await terminal.resize(120, 40)
            await terminal.write("grüße\r")
            assert await until(terminal, b"\n") == "grüße\r\n".encode()
            (opened,) = cluster.consoles.opened
            assert (opened.size, opened.connected) == ((120, 40), True)
            assert terminal.ticket.upid is not None
            task = pve.task(terminal.ticket.upid)
            assert (await task.status()).running
        assert (await task.wait(60)).ok


async def test_no_secret_of_a_console_is_logged(
    cluster: SimulatedCluster, server: SimulatorServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The library for websockets would log the handshake's headers and every key at DEBUG."""
    token = cluster.create_token("root@pam", "test")
    with caplog.at_level(logging.DEBUG):
        async with (
            AsyncClient(server.url, token=token, tls=Pin(server.fingerprint)) as pve,
            pve.console(guest=200).terminal() as terminal,
        ):
            await terminal.write("geheim\r")
            await until(terminal, b"\n")
            ticket = terminal.ticket.ticket
    ours = [record for record in caplog.records if record.name != "aiohttp.access"]  # the server's
    logged = " ".join(f"{record.getMessage()} {vars(record)!r}" for record in ours)
    assert "termproxy" in logged
    for secret in (str(token).partition("=")[2], ticket, quote(ticket, safe=""), "geheim"):
        assert secret not in logged


async def test_terminal_that_ends_by_itself(
    server: SimulatorServer, options: dict[str, Any]
) -> None:
    async with (
        AsyncClient(server.url, **options) as pve,
        pve.console(guest=200).terminal() as terminal,
    ):
        await terminal.write("exit\r")
        shown = b"".join([data async for data in terminal])
        assert shown == b"exit\r\n"
        assert await terminal.read() == b""
        with pytest.raises(ConnectError, match="ended"):
            await terminal.write("more")


async def test_machine_without_a_serial_port_says_so(
    server: SimulatorServer, options: dict[str, Any]
) -> None:
    async with (
        AsyncClient(server.url, **options) as pve,
        pve.console(guest=101).terminal() as terminal,
    ):
        assert b"serial interface" in b"".join([data async for data in terminal])


@pytest.mark.parametrize("shown", [{"guest": 100}, {"guest": 200}, {"node": "pve1"}])
async def test_vnc_is_raw_and_in_frames_the_server_takes(
    cluster: SimulatedCluster, server: SimulatorServer, options: dict[str, Any], shown: Any
) -> None:
    much = bytes(range(256)) * (3 * MOST_PAYLOAD // 256) + b"end"
    async with AsyncClient(server.url, **options) as pve, pve.console(**shown).vnc() as vnc:
        assert await until(vnc, b"\n") == b"RFB 003.008\n"
        assert len(vnc.ticket.password) == 8
        await vnc.write(much)
        assert await until(vnc, b"end") == much
        assert "VncStream of /nodes/" in repr(vnc)
    assert cluster.consoles.opened[0].received == much


async def test_console_of_another_nodes_guest_is_on_the_node_that_was_asked(
    cluster: SimulatedCluster, server: SimulatorServer, options: dict[str, Any]
) -> None:
    async with AsyncClient([server.urls["pve1"], server.urls["pve2"]], **options) as pve:
        ticket = await pve.console(guest=100).vnc_ticket()
        assert ticket.path == "/nodes/pve2/qemu/100"
        assert ticket.upid is not None
        assert ticket.upid.node == cluster.consoles.opened[0].via == "pve1"
        assert ticket.server == server.urls["pve1"]
        async with VncStream(await pve.open_websocket(ticket), ticket) as vnc:
            assert await vnc.read() == b"RFB 003.008\n"


async def test_ticket_is_good_for_its_owner_only(
    cluster: SimulatedCluster, server: SimulatorServer, options: dict[str, Any]
) -> None:
    other = cluster.create_token("root@pam", "other")
    trust = options["tls"]
    async with AsyncClient(server.url, **options) as pve:
        ticket = await pve.console(guest=200).vnc_ticket()
    async with AsyncClient(server.url, token=other, tls=trust) as pve:
        with pytest.raises(AuthenticationFailed, match="invalid PVEVNC ticket"):
            await pve.open_websocket(ticket)


async def test_terminal_hangs_up_on_a_wrong_viewer(
    cluster: SimulatedCluster, server: SimulatorServer, options: dict[str, Any]
) -> None:
    async with AsyncClient(server.url, **options) as pve:
        ticket = await pve.console(guest=200).terminal_ticket()
        socket = await pve.open_websocket(ticket)
        cluster.consoles.opened[0].authid = "somebody@pve"
        with pytest.raises(ConnectError, match="does not accept the ticket"):
            await TerminalStream(socket, ticket).enter()


async def test_tokens_open_no_terminal_before_9_1() -> None:
    old = SimulatedCluster(nodes=("pve1",), version="8.4")
    old.access.users["root@pam"].password = PASSWORD
    old.add_container("pve1", 200, {"hostname": "proxy"}, status="running")
    token = old.create_token("root@pam", "test")
    with old.serve(speed=20.0) as server:
        trust = Pin(server.fingerprint)
        async with AsyncClient(server.url, token=token, tls=trust) as pve:
            with pytest.raises(RequestInvalid, match=r"needs PVE 9\.1.*8\.4.*VNC console"):
                async with pve.console(guest=200).terminal():
                    raise AssertionError("never opened")
            assert old.consoles.opened == []
            async with pve.console(guest=200).vnc() as vnc:
                assert await vnc.read() == b"RFB 003.008\n"
        async with AsyncClient(server.url, token=token, tls=trust, check_version=False) as pve:
            with pytest.raises(ConnectError, match=r"API tokens need PVE 9\.1"):
                async with pve.console(guest=200).terminal():
                    raise AssertionError("never let in")
        login = PasswordLogin("root@pam", PASSWORD)
        async with (
            AsyncClient(server.url, login=login, tls=trust) as pve,
            pve.console(guest=200).terminal() as terminal,
        ):
            await terminal.write("a")
            assert await terminal.read() == b"a"


async def test_privilege_is_asked_for(cluster: SimulatedCluster, server: SimulatorServer) -> None:
    cluster.call("POST", "/access/users", {"userid": "alice@pve"})
    token = cluster.create_token("alice@pve", "test")
    grant = {"path": "/vms/200", "users": "alice@pve", "roles": "PVEAuditor"}
    cluster.call("PUT", "/access/acl", grant)
    async with AsyncClient(server.url, token=token, tls=Pin(server.fingerprint)) as pve:
        with pytest.raises(PermissionDenied, match=r"VM\.Console"):
            await pve.console(guest=200).vnc_ticket()
        (lacking,) = await pve.missing_privileges("POST", "/nodes/pve1/lxc/200/vncproxy")
        assert lacking.privileges == ("VM.Console",)


async def test_trust_is_that_of_every_other_call(
    cluster: SimulatedCluster, server: SimulatorServer, tmp_path: Any
) -> None:
    token = cluster.create_token("root@pam", "test")
    async with AsyncClient(server.url, token=token, tls=Pin(server.fingerprint)) as pve:
        ticket = await pve.console(guest=200).vnc_ticket()
    wrong = ":".join(["00"] * 32)
    for trust, refused in ((Pin(wrong), FingerprintMismatch), (SystemTrust(), TlsError)):
        async with AsyncClient(server.url, token=token, tls=trust) as pve:
            with pytest.raises(refused):
                await pve.open_websocket(ticket)
    for good in (CaFile(server.ca_file), FirstUse(tmp_path / "known")):
        async with (
            AsyncClient(server.url, token=token, tls=good) as pve,
            pve.console(guest=200).vnc() as vnc,
        ):
            assert await vnc.read() == b"RFB 003.008\n"


async def test_server_that_is_away_is_a_connection_error(cluster: SimulatedCluster) -> None:
    token = cluster.create_token("root@pam", "test")
    with cluster.serve(speed=20.0) as server:
        url, trust = server.url, Pin(server.fingerprint)
        async with AsyncClient(url, token=token, tls=trust) as pve:
            ticket = await pve.console(guest=200).vnc_ticket()
    async with AsyncClient(url, token=token, tls=trust) as pve:
        with pytest.raises(ConnectError, match="refused"):
            await pve.open_websocket(ticket)


async def test_missing_library_is_named(
    cluster: SimulatedCluster, server: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = cluster.create_token("root@pam", "test")
    async with AsyncClient(server.url, token=token, tls=Pin(server.fingerprint)) as pve:
        ticket = await pve.console(guest=200).vnc_ticket()
        monkeypatch.delitem(sys.modules, "proxmox_client.transport.websocket", raising=False)
        monkeypatch.setitem(sys.modules, "websockets", None)
        monkeypatch.setitem(sys.modules, "websockets.asyncio.client", None)
        with pytest.raises(RequestInvalid, match=r"pmpc-proxmox-client\[console\]"):
            await pve.open_websocket(ticket)
