"""What the client and its peers cost before they do anything: time to import, memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from tests.bench.measure import Row, process_starts

REPEATS = 9
REPEATS_SLOW = 1
CLIENTS = {
    "ours, blocking": (
        "import proxmox_client, proxmox_client.transport.blocking;"
        " proxmox_client.Client('pve1', token='root@pam!a1=b').version"
    ),
    "ours, asyncio": (
        "import proxmox_client, proxmox_client.transport.awaiting;"
        " proxmox_client.AsyncClient('pve1', token='root@pam!a1=b').version"
    ),
    "proxmoxer": (
        "import proxmoxer; proxmoxer.ProxmoxAPI('pve1', user='root@pam', token_name='a',"
        " token_value='b', verify_ssl=False)"
    ),
    "httpx": "import httpx; httpx.Client(verify=False)",
    "aiohttp": "import aiohttp",
    "clientapi-pve": "import clientapi_pve; clientapi_pve.Pve(clientapi_pve.Configuration())",
}
"""Import it with all that a first call would load, and make a client."""
_PEAK = "; print([x.split()[1] for x in open('/proc/self/status') if x.startswith('VmHWM')][0])"
"""Not getrusage: what that tells begins with the parent's memory."""


def rows() -> Iterator[Row]:
    """Compare each of ours with each peer: until a client is there, and the most memory by then."""
    slow = "clientapi-pve"
    quick = [name for name in CLIENTS if name != slow]
    commands = [[sys.executable, "-c", CLIENTS[name]] for name in quick]
    times = dict(zip(quick, process_starts(commands, REPEATS), strict=True))
    times |= {slow: process_starts([[sys.executable, "-c", CLIENTS[slow]]], REPEATS_SLOW)[0]}
    memory = {name: _peak(code) for name, code in CLIENTS.items()}
    pairs = (
        ("ours, blocking", "proxmoxer", None),
        ("ours, blocking", "httpx", None),
        ("ours, asyncio", "aiohttp", None),
        ("ours, blocking", slow, 0.5),
    )
    for mine, peer, target in pairs:
        name = f"{mine.removeprefix('ours, ')} client / {peer}"
        yield Row(f"ready to use, {name}", times[mine], times[peer], "ms", target, "lower")
    for mine, peer, target in pairs:
        name = f"{mine.removeprefix('ours, ')} client / {peer}"
        yield Row(f"memory, {name}", memory[mine], memory[peer], "MB", target, "lower")


def _peak(code: str) -> float:
    """Return the most memory a process used, in megabytes."""
    command = [sys.executable, "-c", code + _PEAK]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024
