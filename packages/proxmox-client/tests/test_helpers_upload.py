"""Files on their way to a storage, streamed, checked and counted, in both colours."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from proxmox_client import (
    AmbiguousWrite,
    AsyncClient,
    Client,
    PasswordLogin,
    Pin,
    RequestInvalid,
    TaskResult,
)
from proxmox_client.testing import SimulatedCluster
from proxmox_client.wire.upload import CHUNK, build_body

if TYPE_CHECKING:
    from tests.lab.watched_server import WatchedServer

Upload = Callable[..., Awaitable[TaskResult]]
SIZE = 3 * CHUNK + 3


def _blocking(path: Path, url: str, options: dict[str, Any], **how: Any) -> TaskResult:
    with Client(url, **options) as pve:
        return pve.upload("pve1", "local", path, **how).wait(60)


async def blocking(path: Path, url: str, options: dict[str, Any], **how: Any) -> TaskResult:
    return await asyncio.to_thread(_blocking, path, url, options, **how)


async def awaiting(path: Path, url: str, options: dict[str, Any], **how: Any) -> TaskResult:
    async with AsyncClient(url, **options) as pve:
        return await (await pve.upload("pve1", "local", path, **how)).wait(60)


@pytest.fixture(params=[blocking, awaiting], ids=["sync", "async"])
def upload(request: pytest.FixtureRequest) -> Upload:
    made: Upload = request.param
    return made


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.iso"
    path.write_bytes(bytes(range(256)) * (3 * CHUNK // 256) + b"end")
    return path


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "a.iso"
    path.write_bytes(b"hello")
    return path


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster(nodes=("pve1",))


async def test_file_arrives_over_https(
    cluster: SimulatedCluster, iso: Path, upload: Upload
) -> None:
    token = cluster.create_token("root@pam", "test")
    told: list[tuple[int, int]] = []

    def tell(sent: int, size: int) -> None:
        told.append((sent, size))

    with cluster.serve(speed=20.0) as server:
        options = {"token": token, "tls": Pin(server.fingerprint)}
        result = await upload(iso, server.url, options, progress=tell)
    assert result.ok
    assert cluster.volumes.find("pve1", "local:iso/tiny.iso") is not None
    size = SIZE
    assert told == [(CHUNK, size), (2 * CHUNK, size), (3 * CHUNK, size), (size, size)]


@pytest.mark.parametrize("colour", ["sync", "async"])
async def test_file_arrives_in_process(cluster: SimulatedCluster, iso: Path, colour: str) -> None:
    cluster.access.users["root@pam"].password = "a password"
    options: dict[str, Any] = {
        "login": PasswordLogin("root@pam", "a password"),
        "now": cluster.clock.now,
    }
    if colour == "sync":
        options |= {"transport": cluster.transport(), "sleep": cluster.clock.sleep}
        result = await blocking(iso, "pve1", options, filename="other.iso", checksum=False)
    else:
        options |= {"transport": cluster.async_transport(), "sleep": cluster.clock.asleep}
        result = await awaiting(iso, "pve1", options, filename="other.iso", checksum=False)
    assert result.ok
    assert cluster.volumes.find("pve1", "local:iso/other.iso") is not None


async def test_form_has_its_length_and_the_file_last(
    server: WatchedServer, text: Path, reply: Callable[..., bytes], upload: Upload
) -> None:
    server.behave = lambda request, number: reply("OK")
    options = {"token": "root@pam!test=x", "tls": Pin(server.certificate.fingerprint)}
    await upload(text, server.url, options)
    (seen,) = server.received
    assert "transfer-encoding" not in seen.headers
    assert int(seen.headers["content-length"]) == len(seen.body)
    kind, _, boundary = seen.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    names = [part.partition('name="')[2].partition('"')[0] for part in seen.body.split(boundary)]
    assert names == ["", "content", "checksum", "checksum-algorithm", "filename", ""]
    assert hashlib.sha256(b"hello").hexdigest() in seen.body
    assert "csrfpreventiontoken" not in seen.headers


async def test_lost_answer_of_an_upload_is_ambiguous(
    server: WatchedServer, text: Path, upload: Upload
) -> None:
    server.behave = lambda request, number: None
    options = {"token": "root@pam!test=x", "tls": Pin(server.certificate.fingerprint)}
    with pytest.raises(AmbiguousWrite):
        await upload(text, server.url, options)
    assert len(server.received) == 1


async def test_missing_file_is_told_before_anything_is_sent(tmp_path: Path, upload: Upload) -> None:
    options = {"token": "root@pam!test=x"}
    for checksum in (True, False):
        with pytest.raises(RequestInvalid, match="No such file"):
            await upload(tmp_path / "nosuch.iso", "pve1", options, checksum=checksum)


def test_file_that_grows_is_not_sent_on(iso: Path) -> None:
    body = build_body(iso, "x.iso", {"content": "iso"}, None)
    iso.write_bytes(iso.read_bytes() + b"more")
    with pytest.raises(RequestInvalid, match="changes while it is sent"):
        list(body.pieces())


@pytest.mark.parametrize("name", ["", "a/b.iso", 'a"b.iso', "a\r\nb.iso"])
def test_name_of_a_file_is_checked(iso: Path, name: str) -> None:
    with pytest.raises(RequestInvalid, match="no name of a file"):
        build_body(iso, name, {}, None)
