"""Serve a simulated Proxmox VE cluster over HTTPS until interrupted.

Without more it is an empty one. It may also be generated, loaded from a file that --save wrote,
made from recorded exchanges, or a copy of a live cluster, which is only read from.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.routing import POINT_RELEASES
from proxmox_client.testing.seeding import numbered

if TYPE_CHECKING:
    from proxmox_client.testing.saving import Copy

_PATIENCE = 600.0
_NODES = 3
_VERSION = "9.2"
_LAST_PORT = 65535
_EXAMPLES = """\
examples:
  python -m proxmox_client.testing --nodes 3 --port 8006
  python -m proxmox_client.testing --generate 500 --seed 7 --save lab.yaml
  python -m proxmox_client.testing --load lab.yaml --speed 60
  python -m proxmox_client.testing --copy home --save home.yaml --no-serve

Tokens of a copied cluster have new secrets: secrets never leave the cluster that is copied.
"""


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted, after printing address, fingerprint and a token."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if wrong := _mistake(options):
        parser.error(wrong)
    try:
        cluster = _cluster(options)
        if not options.no_serve:
            _serve(cluster, options)
        if options.save is not None:
            _save(cluster, options.save)
    except (OSError, OverflowError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _mistake(options: argparse.Namespace) -> str:
    """Return what is wrong with options that are each of the right type."""
    given = [
        f"--{name}" for name in ("nodes", "version", "seed") if vars(options)[name] is not None
    ]
    if given and (options.load or options.recordings or options.copy is not None):
        return f"{', '.join(given)}: only for a new cluster"
    last = options.port + (options.nodes or _NODES) - 1
    if options.port < 0 or last > _LAST_PORT:
        return f"--port {options.port}: ports are 0 (any) to {_LAST_PORT}, one for each node"
    if options.speed <= 0:
        return f"--speed {options.speed:g}: time has to pass"
    if options.save is not None and not options.save.absolute().parent.is_dir():
        return f"--save {options.save}: there is no such folder"
    return ""


def _serve(cluster: SimulatedCluster, options: argparse.Namespace) -> None:
    token = cluster.create_token("root@pam", "demo")
    stop = _stop_on_signal()
    with cluster.serve(options.host, options.port, options.speed) as server:
        for node, url in server.urls.items():
            print(f"{node:12} {url}")
        print(f"fingerprint  {server.fingerprint}")
        print(f"token        {token}", flush=True)
        stop.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m proxmox_client.testing",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    new = parser.add_argument_group("a new cluster")
    new.add_argument("--nodes", type=int, help=f"number of nodes (default {_NODES})")
    new.add_argument("--version", choices=tuple(POINT_RELEASES),
                     help=f"PVE version to serve (default {_VERSION})")  # fmt: skip
    new.add_argument("--seed", type=int, help="makes uuids and the like repeatable (default 1)")
    source = parser.add_argument_group("where it comes from").add_mutually_exclusive_group()
    source.add_argument("--generate", type=int, metavar="GUESTS",
                        help="fill it with this many guests of many kinds")  # fmt: skip
    source.add_argument("--load", type=Path, metavar="FILE", help="load a saved cluster")
    source.add_argument("--recordings", type=Path, nargs="+", metavar="FILE",
                        help="make it from recorded exchanges (.jsonl)")  # fmt: skip
    source.add_argument("--copy", nargs="?", const="", metavar="CONTEXT",
                        help="copy the live cluster that PMPC_URL and PMPC_TOKEN, or a name in"
                        " pmpc's file of clusters, lead to; only reads from it")  # fmt: skip
    serving = parser.add_argument_group("serving")
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serving.add_argument("--port", type=int, default=8006, help="port of the first node, 0: any")
    serving.add_argument("--speed", type=float, default=1.0,
                         help="simulated seconds per second (default 1)")  # fmt: skip
    serving.add_argument("--no-serve", action="store_true",
                         help="only make it, and save it if --save says so")  # fmt: skip
    serving.add_argument("--save", type=Path, metavar="FILE",
                         help="save it there at the end, after its tasks")  # fmt: skip
    return parser


def _cluster(options: argparse.Namespace) -> SimulatedCluster:
    """Make the cluster that is asked for.

    Raises:
        ValueError: The file, recording or server gives none.
        OSError: A file cannot be read, or the server not be reached.
    """
    if options.load is not None:
        return SimulatedCluster.load(options.load)
    if options.recordings is not None:
        from proxmox_client.testing.saving import answers_of, from_answers

        return _told(from_answers(answers_of(options.recordings)))
    if options.copy is not None:
        return _copied(options.copy or None)
    names = numbered(_NODES if options.nodes is None else options.nodes)
    version, seed = options.version or _VERSION, 1 if options.seed is None else options.seed
    if options.generate is not None:
        return SimulatedCluster.generate(names, options.generate, seed, version)
    return SimulatedCluster(names, version, seed)


def _copied(context: str | None) -> SimulatedCluster:
    from proxmox_client import Client
    from proxmox_client.errors import PveError
    from proxmox_client.testing.saving import copy_live

    try:
        with Client.from_env(context=context) as client:
            return _told(copy_live(client))
    except PveError as error:
        raise ValueError(f"cannot copy the cluster: {error}") from None


def _told(copy: Copy) -> SimulatedCluster:
    for line in copy.left_out:
        print(f"left out: {line}", file=sys.stderr)
    return copy.cluster


def _save(cluster: SimulatedCluster, path: Path) -> None:
    """Save a cluster after its tasks have ended; those that never do are kept as dead workers."""
    deadline = cluster.clock.now() + _PATIENCE
    while cluster.clock.now() < deadline and any(
        task.running for node in cluster.nodes.values() for task in node.tasks
    ):
        cluster.clock.advance(1)
    cluster.save(path, unfinished="kill")


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()

    def finish(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, finish)
    return stop


if __name__ == "__main__":
    sys.exit(main())
