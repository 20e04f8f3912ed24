"""Tickets for consoles without a network, in both colours; the framing of terminals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxmox_client import ApiError, AsyncClient, RequestInvalid
from proxmox_client.console import framing
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import SomebodyElse, Where
from tests.lab.colours import COLOURS, open_client


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve2", 100, {"name": "web", "memory": "128", "vga": "qxl"}, status="running")
    made.add_vm("pve1", 101, {"name": "db", "memory": "128"})
    made.add_container("pve1", 200, {"hostname": "proxy"}, status="running")
    made.clock.advance(20)
    return made


@pytest.fixture(params=COLOURS)
async def pve(cluster: SimulatedCluster, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    token = cluster.create_token("root@pam", "test")
    async with open_client(request.param, cluster, token=token) as made:
        yield made


@pytest.mark.parametrize("shown", [{"guest": "web"}, {"guest": 200}, {"node": "pve1"}])
async def test_tickets_hold_what_a_viewer_needs(
    pve: Any, cluster: SimulatedCluster, shown: Any
) -> None:
    handle = pve.console(**shown)
    vnc = await handle.vnc_ticket()
    terminal = await handle.terminal_ticket()
    assert (vnc.kind, terminal.kind) == ("vnc", "terminal")
    assert vnc.user == terminal.user == "root@pam!test"
    assert 5900 <= vnc.port < 6000
    assert vnc.port != terminal.port
    assert vnc.password
    assert not terminal.password
    assert vnc.upid
    assert terminal.upid
    assert vnc.websocket_path == f"{vnc.path}/vncwebsocket"
    for ticket in (vnc, terminal):
        assert ticket.ticket not in repr(ticket)
        assert "PVEVNC" not in repr(ticket)


async def test_console_follows_a_guest_that_moves(pve: Any, cluster: SimulatedCluster) -> None:
    def move(world: SimulatedCluster) -> None:
        world.guests[200].node = "pve3"

    cluster.faults.add(SomebodyElse(move, where=Where("POST", "*/vncproxy", times=1)))
    ticket = await pve.console(guest=200).vnc_ticket()
    assert ticket.path == "/nodes/pve3/lxc/200"


async def test_spice_is_for_displays_that_speak_it(pve: Any, cluster: SimulatedCluster) -> None:
    ticket = await pve.console(guest=100).spice_ticket(proxy="gate.example")
    text = ticket.to_vv()
    assert text.startswith("[virt-viewer]\n")
    assert "proxy=http://gate.example:3128\n" in text
    assert ticket.settings["password"] in text
    assert ticket.settings["password"] not in repr(ticket)
    for shown in ({"guest": 200}, {"node": "pve2"}):
        assert (await pve.console(**shown).spice_ticket()).settings["type"] == "spice"
    with pytest.raises(ApiError, match="no spice port"):
        await pve.console(guest=101).spice_ticket()


async def test_nobody_comes_and_the_console_ends(pve: Any, cluster: SimulatedCluster) -> None:
    ticket = await pve.console(guest=200).terminal_ticket()
    result = await pve.task(ticket.upid).wait(60)
    assert not result.ok
    assert "timed out" in result.message


@pytest.mark.parametrize("shown", [{}, {"guest": 100, "node": "pve1"}])
async def test_one_thing_is_shown(pve: Any, shown: Any) -> None:
    with pytest.raises(RequestInvalid, match="either a guest or a node"):
        pve.console(**shown)


async def test_given_transport_has_no_websockets(cluster: SimulatedCluster) -> None:
    token = cluster.create_token("root@pam", "other")
    async with AsyncClient("pve1", token=token, transport=cluster.async_transport()) as pve:
        with pytest.raises(RequestInvalid, match="no websockets"):
            async with pve.console(guest=200).vnc():
                raise AssertionError("never opened")


@given(st.lists(st.one_of(st.binary(), st.tuples(st.integers(1, 999), st.integers(1, 999)))))
def test_frames_can_be_told_apart_again(sent: list[bytes | tuple[int, int]]) -> None:
    wire = b"".join(
        framing.typed(one) if isinstance(one, bytes) else framing.resized(*one) + framing.PING
        for one in sent
    )
    read: list[bytes | tuple[int, int]] = []
    while wire:
        kind, _, rest = wire.partition(b":")
        if wire.startswith(b"2"):
            wire = wire[1:]
            continue
        first, _, rest = rest.partition(b":")
        if kind == b"0":
            read.append(rest[: int(first)])
            wire = rest[int(first) :]
        else:
            second, _, wire = rest.partition(b":")
            read.append((int(first), int(second)))
    assert read == sent


@pytest.mark.parametrize("size", [(0, 24), (80, 0), (-1, 5)])
def test_window_of_no_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="shows nothing"):
        framing.resized(*size)


def test_login_is_one_line() -> None:
    assert framing.login("root@pam!x", "PVEVNC:1::a") == b"root@pam!x:PVEVNC:1::a\n"
