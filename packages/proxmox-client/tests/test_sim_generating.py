"""Large simulated clusters."""

from __future__ import annotations

import pytest

from proxmox_client.testing import SimulatedCluster


@pytest.mark.requirement("simulator.seed")
def test_a_generated_cluster_is_the_same_for_one_seed() -> None:
    first, second = (SimulatedCluster.generate(nodes=3, guests=60, seed=7) for _ in range(2))
    other = SimulatedCluster.generate(nodes=3, guests=60, seed=8)
    texts = [[guest.text() for guest in found.guests.values()] for found in (first, second, other)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.requirement("simulator.generated")
def test_a_generated_cluster_has_variety_and_answers() -> None:
    cluster = SimulatedCluster.generate(nodes=4, guests=200)
    rows = cluster.call("GET", "/cluster/resources", {"type": "vm"})
    assert len(rows) == 200
    assert {row["type"] for row in rows} == {"qemu", "lxc"}
    assert {row["status"] for row in rows} == {"running", "stopped"}
    assert {row["node"] for row in rows} == set(cluster.nodes)
    assert sum(len(pool.guests) for pool in cluster.pools.values()) > 50
