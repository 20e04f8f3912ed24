"""Calls the server's version lacks are refused before they are sent."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import httpx
import pytest

from proxmox_client import (
    AsyncClient,
    Client,
    PermissionDenied,
    RequestInvalid,
    VersionUnsupported,
    schema,
)
from proxmox_client.api import operations
from proxmox_client.api.operations import cluster_ha, nodes_ceph, nodes_qemu
from proxmox_client.flows.effects import Flow
from proxmox_client.flows.session import KnownServer
from proxmox_client.flows.versions import assure
from proxmox_client.schema import compat
from proxmox_client.schema.named import operation_at
from proxmox_client.wire.answer import Answer
from proxmox_client.wire.operation import Operation
from proxmox_client.wire.request import Request

RULES = cluster_ha.CLUSTER_HA_RULES_GET
TOKEN = "root@pam!test=00000000-0000-0000-0000-000000000000"
CONFIG = nodes_qemu.NODES_QEMU_CONFIG_PUT
POOLS = nodes_ceph.NODES_CEPH_POOLS_GET


@pytest.mark.parametrize("version", ["9.0", "9.0.3", "9.2.1", "10.0", "odd", ""])
def test_new_enough_servers_are_asked(version: str) -> None:
    compat.check(RULES, {}, version)


def test_an_operation_the_server_lacks_is_refused() -> None:
    with pytest.raises(VersionUnsupported) as caught:
        compat.check(RULES, {}, "8.4.1")
    assert str(caught.value) == (
        "cannot call cluster.ha.rules.get: needs PVE 9.0, this server is 8.4.1. Nothing was sent."
    )
    assert isinstance(caught.value, RequestInvalid)
    with pytest.raises(VersionUnsupported, match=r"needs PVE 7\.4 or older, this server is 8\.0"):
        compat.check(POOLS, {}, "8.0")


def test_a_parameter_the_server_lacks_is_refused_only_where_it_is_sent() -> None:
    compat.check(CONFIG, {"cores": 2, "allow-ksm": None}, "8.4")
    with pytest.raises(VersionUnsupported, match=r"allow-ksm needs PVE 9\.1, this server is 8\.4"):
        compat.check(CONFIG, {"cores": 2, "allow-ksm": True}, "8.4")
    with pytest.raises(VersionUnsupported, match=r"virtiofs needs PVE 8\.4, this server is 8\.3"):
        compat.check(CONFIG, {"virtiofs": {0: "share"}}, "8.3")


def test_what_every_version_has_does_not_matter() -> None:
    assert not compat.matters(CONFIG, {"cores": 2})
    assert compat.matters(CONFIG, {"allow-ksm": False})
    assert compat.matters(RULES, {})


@pytest.mark.parametrize("version", schema.versions())
def test_the_facts_agree(version: str) -> None:
    """What a version has by the facts is never refused on it."""
    for facts in schema.operations(version):
        found = OPERATIONS[facts.id]
        given = {p.stem if p.is_family else p.name: "x" for p in facts.parameters.values()}
        compat.check(found, given, version)


def all_operations() -> dict[str, Operation[Any]]:
    names = [module.name for module in iter_modules(operations.__path__)]
    modules = [import_module(f"{operations.__name__}.{name}") for name in names]
    values = [value for module in modules for value in vars(module).values()]
    return {value.id: value for value in values if isinstance(value, Operation)}  # pyright: ignore[reportUnknownVariableType,reportUnknownMemberType]  # of whatever result


OPERATIONS = all_operations()


class Server:
    """Tells its version when asked."""

    def __init__(self, version: str | None) -> None:
        self.version = version
        self.asked: list[str] = []

    def ask(self, request: Request) -> Flow[Answer]:
        self.asked.append(f"{request.method} {request.address}")
        yield from ()
        if self.version is None:
            raise PermissionDenied("version.get", "GET", "/version", None, 403, "Permission check")
        return Answer({"version": self.version, "release": "9"})

    def sends(self, known: KnownServer, op: Operation[Any], **params: object) -> bool:
        """Whether the call would go on to be sent."""
        try:
            next(assure(known, self.ask, op, params))
        except VersionUnsupported:
            return False
        except StopIteration:
            return True
        raise AssertionError("nothing is to be waited for")


def test_the_version_is_asked_once_and_only_where_it_matters() -> None:
    server, known = Server("9.1.2"), KnownServer()
    assert server.sends(known, CONFIG, cores=2)
    assert server.asked == []
    assert server.sends(known, RULES)
    assert server.sends(known, CONFIG, **{"allow-ksm": True})
    assert server.asked == ["GET /version"]


def test_an_upgraded_server_is_asked_again_before_a_refusal() -> None:
    server, known = Server("8.4.1"), KnownServer()
    assert not server.sends(known, RULES)
    assert len(server.asked) == 1
    server.version = "9.0.1"
    assert server.sends(known, RULES)
    assert len(server.asked) == 2
    assert known.version == "9.0.1"


def test_a_server_that_does_not_tell_is_taken_for_new_enough() -> None:
    server, known = Server(None), KnownServer()
    assert server.sends(known, RULES)
    assert known.version is None


class Wire:
    """Answers everything, of a version that may change."""

    def __init__(self, version: str | None) -> None:
        self.version = version
        self.asked: list[str] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path.removeprefix('/api2/json')}")
        if request.url.path.endswith("/version"):
            if self.version is None:
                return httpx.Response(403, json={"data": None})
            return httpx.Response(200, content=json.dumps({"data": {"version": self.version}}))
        return httpx.Response(200, json={"data": []})

    def client(self, *, check_version: bool = True) -> Client:
        transport = httpx.MockTransport(self.handle)
        return Client("pve1", token=TOKEN, transport=transport, check_version=check_version)


def test_a_client_asks_for_the_version_once_and_only_where_it_matters() -> None:
    wire = Wire("9.1.2")
    with wire.client() as client:
        client.cluster.resources.get()
        client.nodes("pve1").qemu(100).config.put(cores=2)
        assert wire.asked == ["GET /cluster/resources", "PUT /nodes/pve1/qemu/100/config"]
        client.cluster.ha.rules.get()
        client.cluster.ha.rules.get()
        client.nodes("pve1").qemu(100).config.put(allow_ksm=True)
    assert wire.asked.count("GET /version") == 1


def test_a_client_that_was_told_the_version_does_not_ask_again() -> None:
    wire = Wire("9.1.2")
    with wire.client() as client:
        client.version.get()
        client.cluster.ha.rules.get()
        client.request("GET", "/version")
    assert wire.asked == ["GET /version", "GET /cluster/ha/rules", "GET /version"]


def test_nothing_but_the_question_is_sent_where_the_server_is_too_old() -> None:
    wire = Wire("8.4.1")
    with wire.client() as client, pytest.raises(VersionUnsupported):
        client.nodes("pve1").qemu(100).config.put(allow_ksm=True)
    assert wire.asked == ["GET /version"]


async def test_the_async_client_refuses_too() -> None:
    wire = Wire("8.4.1")
    transport = httpx.MockTransport(wire.handle)
    async with AsyncClient("pve1", token=TOKEN, transport=transport) as client:
        with pytest.raises(VersionUnsupported):
            await client.cluster.ha.rules.get()
    assert wire.asked == ["GET /version"]


def test_the_check_can_be_switched_off() -> None:
    wire = Wire("8.4.1")
    with wire.client(check_version=False) as client:
        client.cluster.ha.rules.get()
    assert wire.asked == ["GET /cluster/ha/rules"]


CONFIG_PATH = "/nodes/pve1/qemu/100/config"


@pytest.mark.parametrize(
    ("version", "method", "path", "params", "why"),
    [
        ("8.4.1", "GET", "/cluster/ha/rules", {}, r"needs PVE 9\.0, this server is 8\.4"),
        ("8.4.1", "put", CONFIG_PATH, {"allow-ksm": 1}, r"allow-ksm needs PVE 9\.1"),
        ("8.4.1", "PUT", CONFIG_PATH, {"net0": "virtio,host-tunnel=1"}, "host-tunnel in net needs"),
        ("8.3.1", "PUT", CONFIG_PATH, {"virtiofs0": "share"}, r"virtiofs needs PVE 8\.4"),
        ("8.0.1", "GET", "/nodes/pve1/ceph/pools", {}, r"needs PVE 7\.4 or older"),
    ],
)
def test_calls_made_as_text_are_refused_too(
    version: str, method: str, path: str, params: dict[str, object], why: str
) -> None:
    wire = Wire(version)
    with wire.client() as client, pytest.raises(VersionUnsupported, match=why):
        client.request(method, path, params)
    assert wire.asked == ["GET /version"]


def test_paths_nobody_knows_are_let_through() -> None:
    wire = Wire("8.4.1")
    with wire.client() as client:
        client.request("PUT", CONFIG_PATH, {"virtiofs0": "share", "cores": 2})
        client.request("POST", "/nobody/knows/this", {"allow-ksm": 1})
    assert wire.asked[-2:] == [f"PUT {CONFIG_PATH}", "POST /nobody/knows/this"]
    wire = Wire("8.4.1")
    with wire.client(check_version=False) as client:
        client.request("GET", "/cluster/ha/rules")
    assert wire.asked == ["GET /cluster/ha/rules"]


def test_every_operation_is_found_by_its_path() -> None:
    for op in OPERATIONS.values():
        real = re.sub(r"\{\w[^}]*\}", "x1", op.path)
        found = operation_at(op.method, real)
        assert found is not None, op.id
        assert found.id == op.id
    assert (
        operation_at("GET", "/nodes/n/storage/s/content/s:iso/x.iso")
        is OPERATIONS["nodes.storage.content.volume.get"]
    )
    assert operation_at("PATCH", "/nodes") is operation_at("GET", "/") is None
    assert operation_at("GET", "/__init__") is operation_at("GET", "/nope/x") is None
