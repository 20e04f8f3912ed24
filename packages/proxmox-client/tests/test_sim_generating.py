"""Large simulated clusters."""

from __future__ import annotations

from collections.abc import Callable

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


@pytest.mark.requirement("simulator.generated")
def test_a_generated_cluster_has_what_real_ones_have() -> None:
    cluster = SimulatedCluster.generate(nodes=4, guests=800)
    guests = list(cluster.guests.values())
    texts = [guest.text() for guest in guests]
    signs = (
        "template: 1", "cloudinit", "ovmf", "media=cdrom", "mp0: ", "net1: ", "scsi1: ",
        "[PENDING]", "protection: 1", "startup: ", "shared:", "local:", "lock: ",
    )  # fmt: skip
    for sign in signs:
        assert any(sign in text for text in texts), sign
    assert len(cluster.access.users) > 5
    assert {entry.kind for entry in cluster.access.acl} == {"user", "group"}
    for path in ("rules", "aliases", "ipset", "groups"):
        assert cluster.call("GET", f"/cluster/firewall/{path}")
    assert cluster.call("GET", "/cluster/backup")


@pytest.mark.requirement("simulator.generated")
def test_guests_of_a_generated_cluster_work() -> None:
    cluster = SimulatedCluster.generate(nodes=2, guests=60)
    upids = [
        cluster.call("POST", f"/nodes/{guest.node}/{guest.kind}/{guest.vmid}/status/start")
        for guest in cluster.guests.values()
        if not guest.running and not guest.template and guest.lock is None
    ]
    cluster.clock.advance(60)
    assert {cluster.tasks.get(upid).exitstatus for upid in upids} == {"OK"}


@pytest.mark.requirement("simulator.generated")
def test_nodes_of_a_generated_cluster_may_have_names() -> None:
    cluster = SimulatedCluster.generate(nodes=("red", "blue"), guests=6)
    assert {guest.node for guest in cluster.guests.values()} == {"red", "blue"}


@pytest.mark.requirement("simulator.versions")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SimulatedCluster(version="7.4"), "no PVE version '7.4': there are 8.4, 9.0"),
        (lambda: SimulatedCluster(nodes=()), "a cluster has nodes"),
        (lambda: SimulatedCluster(nodes=("a", "a")), "names are unique"),
        (lambda: SimulatedCluster(nodes=("no_name",)), "cannot make the node 'no_name'"),
        (lambda: SimulatedCluster.generate(guests=-1), "cannot have -1 guests"),
    ],
)
def test_clusters_that_cannot_be_are_refused(
    make: Callable[[], SimulatedCluster], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        make()
