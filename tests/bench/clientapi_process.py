"""What clientapi-pve takes for the same work: a peer with another licence, so a process of its own.

Prints one figure: milliseconds, or requests per second.
"""

# pyright: basic, reportMissingImports=false
# The peer is installed by `nox -s bench` only.

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from tests.bench.inventory import resources


def decode(count: str, repeats: str) -> float:
    """Decode rows of /cluster/resources; the fastest time in milliseconds."""
    from clientapi_pve.models.cluster_resources_response import ClusterResourcesResponse

    body = resources(int(count)).decode()
    times: list[float] = []
    for _ in range(int(repeats)):
        start = time.perf_counter()
        ClusterResourcesResponse.from_json(body)
        times.append((time.perf_counter() - start) * 1000)
    return min(times)


def configs(url: str, token: str, certificate: str, count: str) -> float:
    """Read configurations one by one; how many per second.

    As JSON: its typed model of a configuration accepts none that PVE answers (`vcpus` is absent,
    so 0, and has to be 1; absent members of families are no text).
    """
    from clientapi_pve import Configuration, Pve

    settings = Configuration(
        host=f"{url}/api2/json",
        api_key={"Authorization": f"PVEAPIToken={token}"},
        ssl_ca_cert=certificate,
    )
    pve = Pve(configuration=settings)
    read = pve.qemu.vm_config_without_preload_content
    read(node="pve1", vmid=100).read()
    start = time.perf_counter()
    for vmid in range(100, 100 + int(count)):
        json.loads(read(node="pve1", vmid=vmid).read())
    return int(count) / (time.perf_counter() - start)


if __name__ == "__main__":
    known: dict[str, Callable[..., float]] = {"decode": decode, "configs": configs}
    print(known[sys.argv[1]](*sys.argv[2:]))
