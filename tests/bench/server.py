"""A server for the fan-out: as little work per request as TLS allows, so that clients are measured.

Run as a process of its own: prints its port and fingerprint, serves until its input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
import sys
import tempfile
from pathlib import Path

from aiohttp import web
from proxmox_client.testing.certificate import self_signed

BODY = b'{"data":{"version":"9.2.11","release":"9.2","repoid":"0f3a1b2c4d5e6f70"}}'


async def answer(request: web.Request) -> web.Response:
    """Answer every request as `/version` does."""
    return web.Response(body=BODY, content_type="application/json", charset="UTF-8")


async def serve() -> None:
    """Listen on a free port of loopback until standard input ends."""
    certificate = self_signed(("127.0.0.1", "localhost"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.write_bytes(certificate.private_key + certificate.certificate)
        context.load_cert_chain(path)
    fingerprint = hashlib.sha256(
        ssl.PEM_cert_to_DER_cert(certificate.certificate.decode())
    ).hexdigest()
    app = web.Application()
    app.router.add_route("GET", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    print(port, fingerprint, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
