"""Version of the simulated server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.request import Call
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_POINT_RELEASES = {"8.4": "8.4.14", "9.0": "9.0.11", "9.1": "9.1.9", "9.2": "9.2.11"}
REPOSITORY = "14a22df35955d97d"


def full_version(release: str) -> str:
    """Return the point release that stands for a release."""
    return _POINT_RELEASES.get(release, f"{release}.1")


@handles("GET", "/version")
@handles("GET", "/nodes/{node}/version")
def version(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Answer with release, version and repository id."""
    return {
        "release": cluster.version,
        "version": full_version(cluster.version),
        "repoid": REPOSITORY,
    }
