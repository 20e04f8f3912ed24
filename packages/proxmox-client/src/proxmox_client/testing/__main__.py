"""Serve a simulated cluster: ``python -m proxmox_client.testing --nodes 3 --port 8006``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from types import FrameType

from proxmox_client.testing import SimulatedCluster


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted, after printing address, fingerprint and a token."""
    parser = argparse.ArgumentParser(prog="python -m proxmox_client.testing", description=__doc__)
    parser.add_argument("--nodes", type=int, default=3, help="number of nodes (default 3)")
    parser.add_argument("--version", default="9.2", help="PVE version to serve (default 9.2)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8006, help="port of the first node, 0: any")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    parser.add_argument("--seed", type=int, default=1, help="makes uuids and the like repeatable")
    options = parser.parse_args(arguments)
    names = tuple(f"pve{number}" for number in range(1, options.nodes + 1))
    cluster = SimulatedCluster(nodes=names, version=options.version, seed=options.seed)
    token = cluster.create_token("root@pam", "demo")
    stop = _stop_on_signal()
    with cluster.serve(options.host, options.port, options.speed) as server:
        for node, url in server.urls.items():
            print(f"{node:12} {url}")
        print(f"fingerprint  {server.fingerprint}")
        print(f"token        {token}", flush=True)
        stop.wait()
    return 0


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()

    def finish(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, finish)
    return stop


if __name__ == "__main__":
    sys.exit(main())
