"""Version of the simulated server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.request import Call
from proxmox_client.testing.routing import POINT_RELEASES, handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

REPOSITORY = "14a22df35955d97d"


def full_version(release: str) -> str:
    """Return the point release that stands for a release."""
    return POINT_RELEASES[release]


@handles("GET", "/version")
@handles("GET", "/nodes/{node}/version")
def version(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Answer with release, version and repository id."""
    return {
        "release": cluster.version,
        "version": full_version(cluster.version),
        "repoid": REPOSITORY,
    }
