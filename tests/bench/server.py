"""A server for the benchmarks: as little work per request as TLS allows, so clients are measured.

On the wire it behaves as PVE does: what the front server forwards has two Connection headers, a
connection ends after a hundred requests, and after five idle seconds. Run as a process of its own:
prints its port, fingerprint and certificate file, serves until its input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from weakref import WeakKeyDictionary

from aiohttp import web

from proxmox_client.testing.certificate import Certificate, make_certificate

BODY = b'{"data":{"version":"9.2.11","release":"9.2","repoid":"0f3a1b2c4d5e6f70"}}'
CONFIG = json.dumps(
    {
        "data": {
            "name": "web-1", "cores": 4, "sockets": 1, "memory": "4096", "balloon": 2048,
            "agent": "enabled=1,fstrim_cloned_disks=1", "boot": "order=scsi0;net0",
            "scsihw": "virtio-scsi-single", "ostype": "l26", "onboot": 1, "numa": 0,
            "scsi0": "local-lvm:vm-100-disk-0,discard=on,iothread=1,size=32G",
            "scsi1": "local-lvm:vm-100-disk-1,discard=on,iothread=1,size=100G",
            "ide2": "local:100/vm-100-cloudinit.qcow2,media=cdrom,size=4M",
            "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,tag=20",
            "net1": "virtio=BC:24:11:00:00:02,bridge=vmbr1",
            "ipconfig0": "ip=192.0.2.10/24,gw=192.0.2.1", "ciuser": "admin",
            "smbios1": "uuid=6f1b7a4e-0000-4000-8000-000000000001",
            "vmgenid": "6f1b7a4e-0000-4000-8000-000000000002", "tags": "prod;web",
            "description": "kept by hand\n", "digest": "0123456789abcdef0123456789abcdef01234567",
        }
    }
).encode()  # fmt: skip
CONFIG_SECONDS = 0.007
"""Measured on the recorded three-node cluster, asked for a guest of the node itself."""
REQUESTS_PER_CONNECTION = 100
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_served: WeakKeyDictionary[object, int] = WeakKeyDictionary()


@web.middleware
async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
    """End a connection with its hundredth answer."""
    response = await handler(request)
    transport = request.transport
    if transport is not None:
        _served[transport] = _served.get(transport, 0) + 1
        if _served[transport] >= REQUESTS_PER_CONNECTION:
            response.headers.popall("Connection", None)
            response.force_close()
    return response


async def config(request: web.Request) -> web.Response:
    """Answer as slowly as the recorded cluster does, and for any number at once.

    One small node has three workers; many guests are on many nodes.
    """
    await asyncio.sleep(CONFIG_SECONDS)
    return web.Response(body=CONFIG, content_type="application/json", charset="UTF-8")


async def answer(request: web.Request) -> web.Response:
    """Answer every request as `/version` does."""
    return web.Response(body=BODY, content_type="application/json", charset="UTF-8")


async def forward(request: web.Request) -> web.Response:
    """Answer as PVE does what its front server forwards: two Connection headers, socket open."""
    response = await answer(request)
    response.headers.extend((("Connection", "close"), ("Connection", "Keep-Alive")))
    return response


async def serve() -> None:
    """Listen on a free port of loopback until standard input ends."""
    with tempfile.TemporaryDirectory() as folder:
        await _serve(make_certificate(Path(folder), ("localhost",), ("127.0.0.1",)))


async def _serve(certificate: Certificate) -> None:
    context = certificate.context()
    app = web.Application(middlewares=[limited])
    app.router.add_get("/api2/json/nodes/{node}/qemu/{vmid}/config", config)
    app.router.add_route("*", "/api2/json/nodes/{tail:.*}", forward)
    app.router.add_route("GET", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    print(port, certificate.fingerprint, certificate.certificate_file, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
