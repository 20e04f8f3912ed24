"""How long 5,000 rows of `/cluster/resources` take from bytes to values."""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
# The peer is installed by `nox -s bench` only.

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import requests
from proxmoxer.backends.https import JsonSerializer

from proxmox_client.api.operations.cluster import CLUSTER_RESOURCES_GET
from proxmox_client.wire.answer import read_answer
from proxmox_client.wire.request import Request, Response
from tests.bench.inventory import resources
from tests.bench.measure import Row, fastest

COUNT = 5000
REPEATS = 15
REPEATS_TYPED = 5


def rows() -> Iterator[Row]:
    """Compare our typed values with proxmoxer's plain dicts and clientapi-pve's typed values."""
    body = resources(COUNT)
    answer = requests.Response()
    answer._content = body
    serializer = JsonSerializer()
    response = Response(200, "OK", body, {"content-type": "application/json;charset=UTF-8"})

    path = CLUSTER_RESOURCES_GET.path
    request = Request(CLUSTER_RESOURCES_GET.id, "GET", path, path)

    def ours() -> object:
        return CLUSTER_RESOURCES_GET.decode(read_answer(request, response).data)

    def theirs() -> object:
        return serializer.loads(answer)

    mine, peer = fastest([ours, theirs], REPEATS)
    yield Row(f"decode {COUNT:,} rows / proxmoxer's dicts", mine, peer, "ms", 1, "lower")
    yield Row(f"decode {COUNT:,} rows / clientapi-pve", mine, clientapi(), "ms", 0.25, "lower")


def clientapi() -> float:
    """Measure clientapi-pve, which makes typed values too, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.clientapi_process", "decode"]
    arguments = [str(COUNT), str(REPEATS_TYPED)]
    done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
    return float(done.stdout)
