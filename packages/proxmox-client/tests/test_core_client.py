"""Client and AsyncClient against the simulator over HTTPS, in both colours."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import attrs
import httpx
import pytest

from proxmox_client import (
    AsyncClient,
    AuthenticationFailed,
    CaFile,
    Client,
    NotFound,
    OperationNotImplemented,
    ParameterInvalid,
    Pin,
    TaskFailed,
    TaskOk,
    WrongState,
    fetch_fingerprint,
)
from proxmox_client.testing import SimulatedCluster

SECRET = "0b7c6f6e-1111-2222-3333-444455556666"


@attrs.frozen
class Server:
    """A running simulator."""

    url: str
    token: str
    fingerprint: str
    ca_file: str


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    cluster = SimulatedCluster(nodes=("pve1", "pve2"), version="9.2", seed=1)
    secret = cluster.create_token("root@pam", "demo")
    cluster.add_vm("pve1", 100, {"name": "web", "memory": "256"})
    cluster.add_vm("pve2", 101, {"name": "db", "memory": "256"})
    with cluster.serve(speed=20.0) as served:
        yield Server(served.url, secret, str(served.fingerprint), str(served.ca_file))


def test_blocking_client_does_a_round_of_work(server: Server) -> None:
    lines: list[str] = []
    with Client(server.url, token=server.token, tls=Pin(server.fingerprint)) as pve:
        assert pve.version.get().release == "9.2"
        task = pve.nodes("pve1").qemu(100).status.start()
        assert task.node == "pve1"
        result = task.wait(timeout=30, on_log=lines.append)
        assert isinstance(result, TaskOk)
        assert lines[-1] == "TASK OK"
        assert task.log()[-1] == "TASK OK"
        assert not pve.task(str(task.upid)).status().running
        assert pve.nodes("pve1").qemu(100).status.current.get().status == "running"
        again = pve.nodes("pve1").qemu(100).status.start().wait(timeout=30)
        assert isinstance(again, TaskFailed)
        assert "already running" in again.message


async def test_async_client_does_a_round_of_work(server: Server) -> None:
    lines: list[str] = []
    async with AsyncClient(server.url, token=server.token, tls=CaFile(server.ca_file)) as pve:
        versions = await asyncio.gather(*(pve.version.get() for _ in range(20)))
        assert {version.release for version in versions} == {"9.2"}
        task = await pve.nodes("pve2").qemu(101).status.start()
        result = await task.wait(timeout=30, on_log=lines.append)
        assert isinstance(result, TaskOk)
        assert lines[-1] == (await task.log())[-1] == "TASK OK"
        assert not (await task.status()).running


def test_errors_carry_the_servers_words(server: Server) -> None:
    with Client(server.url, token=server.token, tls=Pin(server.fingerprint)) as pve:
        with pytest.raises(NotFound, match=r"qemu-server/9999\.conf' does not exist"):
            pve.nodes("pve1").qemu(9999).config.get()
        with pytest.raises(OperationNotImplemented):
            pve.request("GET", "/nosuchpath")
        with pytest.raises(ParameterInvalid) as caught:
            pve.request("PUT", "/nodes/pve1/qemu/100/config", {"bogus": 1})
        assert list(caught.value.errors) == ["bogus"]


async def test_wrong_token_is_told_in_both_colours(server: Server) -> None:
    wrong = f"root@pam!demo={SECRET}"
    pin = Pin(server.fingerprint)
    with (
        Client(server.url, token=wrong, tls=pin) as pve,
        pytest.raises(AuthenticationFailed) as caught,
    ):
        await asyncio.to_thread(pve.version.get)
    assert SECRET not in str(caught.value)
    async with AsyncClient(server.url, token=wrong, tls=pin) as apve:
        with pytest.raises(AuthenticationFailed):
            await apve.version.get()


def test_fingerprint_can_be_fetched_first(server: Server) -> None:
    assert str(fetch_fingerprint(server.url)) == server.fingerprint


def test_repr_shows_who_but_no_secret() -> None:
    with Client("pve1", token=f"root@pam!demo={SECRET}") as pve:
        assert repr(pve) == "<Client https://pve1:8006 as root@pam!demo>"
        assert repr(pve.nodes("pve1")) == "<NodesNode node='pve1'>"
        assert SECRET not in repr(vars(pve))
    made = AsyncClient("pve1:443", token=f"root@pam!demo={SECRET}")
    assert repr(made) == "<AsyncClient https://pve1:443 as root@pam!demo>"


@pytest.mark.parametrize(
    "url", ["", "ftp://pve1", "http://pve1:8006", "https://u:p@pve1", "https://pve1/x", "https://"]
)
def test_addresses_are_checked(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|unencrypted"):
        Client(url, token=f"root@pam!demo={SECRET}")


def test_given_transport_and_clock_are_used() -> None:
    slept: list[float] = []
    answers = [
        httpx.Response(595, extensions={"reason_phrase": b"No route to host"}),
        httpx.Response(200, json={"data": {"version": "9.2.1", "release": "9.2", "repoid": "x"}}),
    ]
    transport = httpx.MockTransport(lambda request: answers.pop(0))
    token = f"root@pam!demo={SECRET}"
    with Client(
        "pve1", token=token, transport=transport, sleep=slept.append, now=lambda: 0.0
    ) as pve:
        assert pve.version.get().version == "9.2.1"
    assert len(slept) == 1


def test_wrong_state_has_its_class() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500, json={"data": None, "message": "CT 200 already running\n"})

    transport = httpx.MockTransport(refuse)
    with (
        Client("pve1", token=f"root@pam!demo={SECRET}", transport=transport) as pve,
        pytest.raises(WrongState),
    ):
        pve.nodes("pve1").lxc(200).status.start()


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import proxmox_client", "httpx aiohttp attrs ssl typing asyncio"),
        ("from proxmox_client import Client", "aiohttp"),
        ("from proxmox_client import errors, Upid, PropertyString", "httpx aiohttp ssl"),
    ],
)
def test_imports_stay_light(code: str, absent: str) -> None:
    check = f"{code}\nimport sys\nprint([n for n in {absent.split()} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-I", "-c", check], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_unknown_name_of_the_package() -> None:
    import proxmox_client

    assert "AsyncClient" in dir(proxmox_client)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = getattr(proxmox_client, "nonsense")  # noqa: B009  # the type checkers would refuse it
