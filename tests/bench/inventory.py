"""A made-up answer of `/cluster/resources`, as large as a large cluster's."""

from __future__ import annotations

import json
import random


def resources(count: int, seed: int = 1) -> bytes:
    """Return the body of an answer with `count` guests of 21 fields each."""
    chance = random.Random(seed)
    rows = [_guest(100 + index, chance) for index in range(count)]
    return json.dumps({"data": rows}).encode()


def _guest(vmid: int, chance: random.Random) -> dict[str, object]:
    kind = chance.choice(["qemu", "qemu", "lxc"])
    return {
        "id": f"{kind}/{vmid}",
        "type": kind,
        "vmid": vmid,
        "name": f"guest-{vmid}.example",
        "node": f"pve{1 + vmid % 32}",
        "status": chance.choice(["running", "stopped"]),
        "pool": chance.choice(["web", "db", "lab"]),
        "tags": "prod;web",
        "template": 0,
        "hastate": "started",
        "lock": "backup",
        "cpu": chance.random(),
        "maxcpu": chance.randint(1, 32),
        "mem": chance.randint(1 << 28, 1 << 36),
        "maxmem": 1 << 36,
        "disk": 0,
        "maxdisk": chance.randint(1 << 33, 1 << 40),
        "diskread": chance.randint(0, 1 << 40),
        "diskwrite": chance.randint(0, 1 << 40),
        "netin": chance.randint(0, 1 << 40),
        "netout": chance.randint(0, 1 << 40),
        "uptime": chance.randint(0, 10_000_000),
    }
