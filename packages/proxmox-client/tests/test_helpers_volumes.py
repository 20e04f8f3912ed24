"""Volumes of a storage, and files PVE fetches itself, in both colours."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxmox_client import AlreadyExists, RequestInvalid, TaskFailed, Volid
from proxmox_client.flows.volumes import read_checksum
from proxmox_client.testing import SimulatedCluster
from tests.lab.colours import COLOURS, open_client

URL = "https://images.example/debian-13.iso"
DATA = b"an image"
SUM = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve1", 100, {"name": "web", "memory": "128"})
    made.downloads[URL] = DATA
    return made


@pytest.fixture(params=COLOURS)
async def pve(cluster: SimulatedCluster, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    token = cluster.create_token("root@pam", "test")
    async with open_client(request.param, cluster, token=token) as made:
        yield made


async def test_volume_is_allocated_listed_and_deleted(pve: Any) -> None:
    lvm = pve.volumes("pve1", "local-lvm")
    made = await lvm.allocate(100, "1G", "vm-100-disk-7")
    assert made == Volid("local-lvm", "vm-100-disk-7")
    (found,) = await lvm.list(content="images", guest=100)
    assert (found.volid, found.size, found.vmid) == (str(made), 1 << 30, 100)
    with pytest.raises(AlreadyExists):
        await lvm.allocate(100, "1G", "vm-100-disk-7")
    assert (await lvm.delete(made)).ok
    assert list(await lvm.list(guest=100)) == []


async def test_volume_of_another_storage_is_not_touched(pve: Any) -> None:
    lvm = pve.volumes("pve1", "local-lvm")
    with pytest.raises(RequestInvalid, match="not on local-lvm"):
        await lvm.delete("local:iso/debian-13.iso")


async def test_download_is_checked(pve: Any) -> None:
    task = await pve.download_url("pve1", "local", URL, checksum=f"sha256:{SUM}")
    assert (await task.wait(600)).ok
    iso = pve.volumes("pve1", "local")
    (found,) = await iso.list(content="iso")
    assert found.volid == "local:iso/debian-13.iso"
    assert (await iso.delete("iso/debian-13.iso")).ok


async def test_wrong_checksum_fails_the_task(pve: Any) -> None:
    task = await pve.download_url("pve1", "local", URL, checksum="0" * 64, filename="x.iso")
    result = await task.wait(600)
    assert isinstance(result, TaskFailed)
    assert "checksum mismatch" in result.message


async def test_nobody_answers_there(pve: Any) -> None:
    task = await pve.download_url("pve1", "local", "https://nosuch.example/a.iso")
    assert isinstance(await task.wait(600), TaskFailed)


@pytest.mark.parametrize("text", ["", "sha256", "sha256:abc", f"md5:{SUM}", "z" * 64])
def test_what_is_no_checksum(text: str) -> None:
    with pytest.raises(RequestInvalid, match="no checksum"):
        read_checksum(text)


@pytest.mark.parametrize("text", [SUM, SUM.upper(), f"sha256:{SUM}", f" SHA256:{SUM}\n"])
def test_checksum_tells_its_algorithm(text: str) -> None:
    assert read_checksum(text) == ("sha256", SUM)


async def test_url_without_a_name_needs_one(pve: Any) -> None:
    with pytest.raises(RequestInvalid, match="no file name"):
        await pve.download_url("pve1", "local", "https://images.example/")
