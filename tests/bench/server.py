"""A server for the fan-out: as little work per request as TLS allows, so that clients are measured.

Run as a process of its own: prints its port and fingerprint, serves until its input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path

from aiohttp import web

from proxmox_client.testing.certificate import make_certificate

BODY = b'{"data":{"version":"9.2.11","release":"9.2","repoid":"0f3a1b2c4d5e6f70"}}'


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
        certificate = make_certificate(Path(folder), ("localhost",), ("127.0.0.1",))
        context = certificate.context()
    app = web.Application()
    app.router.add_route("*", "/api2/json/nodes/{tail:.*}", forward)
    app.router.add_route("GET", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    print(port, certificate.fingerprint, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
