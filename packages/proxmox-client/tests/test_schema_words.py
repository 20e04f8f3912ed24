"""Words and keys that the server's version lacks are refused before they are sent."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import httpx
import pytest

from proxmox_client import Client, VersionUnsupported, schema
from proxmox_client.api import operations
from proxmox_client.api.operations import nodes_qemu, storage
from proxmox_client.api.words import WORDS
from proxmox_client.options import NetQemu
from proxmox_client.schema import PropertyFormat, compat
from proxmox_client.wire.operation import Operation

CONFIG = nodes_qemu.NODES_QEMU_CONFIG_PUT
STORAGE = storage.STORAGE_POST
TOKEN = "root@pam!test=00000000-0000-0000-0000-000000000000"


def test_a_word_the_server_lacks_is_refused() -> None:
    compat.check(STORAGE, {"type": "esxi"}, "8.2.4")
    compat.check(STORAGE, {"type": "dir", "content": "images,iso"}, "7.4")
    with pytest.raises(VersionUnsupported, match=r"type=esxi needs PVE 8\.2, this server is 8\.1"):
        compat.check(STORAGE, {"type": "esxi"}, "8.1")
    with pytest.raises(VersionUnsupported, match=r"type=glusterfs needs PVE 8\.4 or older"):
        compat.check(STORAGE, {"type": "glusterfs"}, "9.0")


@pytest.mark.parametrize(
    "net",
    [
        {0: "virtio,bridge=vmbr0,host-tunnel=1"},
        {0: {"model": "virtio", "host-tunnel": True}},
        {0: "virtio", 3: "virtio=BC:24:11:00:00:01,host-tunnel=0"},
    ],
)
def test_a_key_of_a_property_string_the_server_lacks_is_refused(net: dict[int, Any]) -> None:
    compat.check(CONFIG, {"net": net}, "9.2")
    with pytest.raises(VersionUnsupported, match=r"host-tunnel in net needs PVE 9\.2, this"):
        compat.check(CONFIG, {"net": net}, "9.1.5")


def test_a_word_of_a_key_and_a_key_that_is_gone() -> None:
    disk = "local-lvm:1,ms-cert=2023w"
    with pytest.raises(VersionUnsupported, match=r"ms-cert=2023w in efidisk0 needs PVE 9\.2"):
        compat.check(CONFIG, {"efidisk0": disk}, "9.1")
    compat.check(CONFIG, {"efidisk0": "local-lvm:1,ms-cert=2011"}, "9.1")
    with pytest.raises(VersionUnsupported, match=r"cyls in scsi needs PVE 8\.4 or older"):
        compat.check(CONFIG, {"scsi": {0: "local:1,cyls=5"}}, "9.0")


def test_what_every_version_knows_does_not_matter() -> None:
    plain = {"net": {0: NetQemu("virtio", bridge="vmbr0")}, "machine": "q35", "memory": 512}
    assert not compat.matters(CONFIG, plain)
    assert not compat.matters(CONFIG, {"net": None, "description": "host-tunnel=1"})
    assert compat.matters(CONFIG, {"machine": "q35,viommu=intel"})
    assert not compat.matters(CONFIG, {"net": object()})  # building the request says why


def all_operations() -> dict[str, Operation[Any]]:
    names = [module.name for module in iter_modules(operations.__path__)]
    modules = [import_module(f"{operations.__name__}.{name}") for name in names]
    values = [value for module in modules for value in vars(module).values()]
    return {value.id: value for value in values if isinstance(value, Operation)}  # pyright: ignore[reportUnknownVariableType,reportUnknownMemberType]  # of whatever result


OPERATIONS = all_operations()


@pytest.mark.parametrize("version", schema.versions())
def test_the_facts_agree(version: str) -> None:
    """Whatever words and keys a version has by the facts pass on it; those it lacks do not."""
    newest = {facts.id: facts for facts in schema.operations(schema.versions()[-1])}
    refused = 0
    for facts in schema.operations(version):
        op = OPERATIONS[facts.id]
        for name in op.worded:
            here = facts.parameter(name) or facts.parameters.get(f"{name}[n]")
            if here is None:
                continue
            for text in _values(here):
                compat.check(op, {name: {0: text} if here.is_family else text}, version)
            later = newest[facts.id].parameters.get(here.name) if facts.id in newest else None
            if later is None or not here.enum or here.one_of or later.one_of:
                continue
            for word in set(later.enum) - set(here.enum):
                with pytest.raises(VersionUnsupported):
                    compat.check(op, {name: word}, version)
                refused += 1
    assert refused > 10 or version >= "9.1"


def _values(facts: schema.ParameterFacts) -> list[str]:
    found = list(facts.enum)
    if isinstance(facts.format, PropertyFormat):
        for key, inner in facts.format.keys.items():
            found += [f"{key}={word}" for word in inner.enum] or [f"{key}=1"]
    return found


def test_a_table_for_each_operation_that_says_so() -> None:
    said = {op.id: set(op.worded) for op in OPERATIONS.values() if op.worded}
    assert said == {name: {limit[0] for limit in table} for name, table in WORDS.items()}
    assert len(said) > 30


def test_a_client_sends_nothing_but_the_question() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.removeprefix("/api2/json"))
        return httpx.Response(200, json={"data": {"version": "8.0.3"}})

    with Client("pve1", token=TOKEN, transport=httpx.MockTransport(handle)) as pve:
        pve.nodes("pve1").qemu(100).config.put(net={0: "virtio"})
        with pytest.raises(VersionUnsupported, match="vga"):
            pve.nodes("pve1").qemu(100).config.put(vga="std,clipboard=vnc")
    assert asked == ["/nodes/pve1/qemu/100/config", "/version"]
