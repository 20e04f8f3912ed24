"""A simulated cluster for the benchmarks, served by a process of its own until its input closes."""

from __future__ import annotations

import json
import sys

from proxmox_client.testing import SimulatedCluster


def main(guests: str, token: str) -> None:
    """Serve the guests of a JSON text as `tests.e2e.fakepve_process` does; print the address."""
    cluster = SimulatedCluster(nodes=("pve1",))
    name, _, secret = token.partition("=")
    user, _, tokenid = name.partition("!")
    cluster.create_token(user, tokenid)
    cluster.access.users[user].tokens[tokenid].secret = secret
    for guest in json.loads(guests):
        cluster.add_vm("pve1", guest["vmid"], {"name": guest["name"], "scsi0": "local-lvm:8"})
    with cluster.serve(speed=20.0) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
