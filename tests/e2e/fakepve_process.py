"""Run fakepve with an API token, which its own command cannot give; serves until input closes.

Only ever started as a process of its own: fakepve has another licence and is a test tool.
"""

# pyright: basic, reportMissingTypeStubs=false, reportAttributeAccessIssue=false
# fakepve has no types, and this is the one file that touches it.

from __future__ import annotations

import asyncio
import json
import sys
import tempfile

from fakepve import FakePve
from fakepve.certs import make_cert


async def serve(guests: str, token: str, version: str = "") -> None:
    """Serve the guests of a JSON text on a free port of loopback; print the address.

    A guest whose configuration has an agent has one that answers.
    """
    pve = FakePve(user="root@pam", password="secret", host="127.0.0.1", port=0)
    pve.time_scale = 0
    name, _, secret = token.partition("=")
    pve.apitokens[name] = secret
    if version:
        pve.release_version, pve.version = version, f"{version}.1"
    for guest in json.loads(guests):
        made = pve.add_vm(**guest)
        made.agent = {} if "agent" in made.config else None
    with tempfile.TemporaryDirectory() as folder:
        certificate, key, _ = make_cert(folder, hosts=("127.0.0.1",))
        await pve.start(certificate, key)
    print(f"https://{pve.host}:{pve.port}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await pve.stop()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
