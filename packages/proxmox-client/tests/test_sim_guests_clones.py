"""Copies of simulated machines: linked and full clones, races, aborts."""

from __future__ import annotations

import pytest

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.guestwork.placing import place
from tests.lab.machines import NODE, VM, config, refused, run, volids, with_machines


@pytest.fixture
def cluster() -> SimulatedCluster:
    return with_machines()


@pytest.mark.requirement("guests.clones")
def test_a_linked_clone_keeps_its_base_image_alive(cluster: SimulatedCluster) -> None:
    assert run(cluster, "POST", f"{NODE}/qemu/900/clone", newid=120, name="c")[0] == "OK"
    clone = config(cluster, 120)
    assert clone["scsi0"].startswith("local:900/base-900-disk-0.qcow2/120/vm-120-disk-0.qcow2,")
    assert clone["net0"] != config(cluster, 900)["net0"]
    assert clone["smbios1"] != config(cluster, 900)["smbios1"]
    status, _ = run(cluster, "DELETE", f"{NODE}/qemu/900")
    assert status == (
        "base volume 'local:900/base-900-disk-0.qcow2' is still in use by linked cloned"
    )
    assert 900 in cluster.guests
    assert run(cluster, "DELETE", f"{NODE}/qemu/120")[0] == "OK"
    assert run(cluster, "DELETE", f"{NODE}/qemu/900")[0] == "OK"
    assert not any("900" in volid for volid in volids(cluster))


@pytest.mark.requirement("guests.clones")
def test_several_clones_of_one_template_run_side_by_side(cluster: SimulatedCluster) -> None:
    path = f"{NODE}/qemu/900/clone"
    upids = [cluster.call("POST", path, {"newid": 120 + i, "full": 1}) for i in range(3)]
    cluster.clock.advance(6)
    assert [cluster.tasks.get(upid).exitstatus for upid in upids] == ["OK"] * 3


@pytest.mark.requirement("locks.clone")
def test_two_clones_to_one_id_give_one_guest(cluster: SimulatedCluster) -> None:
    path = f"{NODE}/qemu/900/clone"
    upids = [cluster.call("POST", path, {"newid": 130, "full": 1}) for _ in range(2)]
    cluster.clock.advance(60)
    ends = sorted(str(cluster.tasks.get(upid).exitstatus) for upid in upids)
    assert ends[0] == "OK"
    assert "lock-130.conf" in ends[1] or "config file already exists" in ends[1]


@pytest.mark.requirement("guests.clone-errors")
def test_clone_errors(cluster: SimulatedCluster) -> None:
    place(cluster, "qemu", "pve2", 300, {"memory": "64"})
    path = f"{VM}/clone"
    assert refused(cluster, "POST", path, newid=900).message == (
        "unable to create VM 900: config file already exists"
    )
    assert refused(cluster, "POST", path, newid=150, full=0).message == (
        "Linked clone feature is not supported for 'local:100/vm-100-disk-0.qcow2' (scsi0)"
    )
    assert refused(cluster, "POST", path, newid=150, target="pve2").message == (
        "can't clone VM to node 'pve2' (VM uses local storage)"
    )
    assert refused(cluster, "POST", path, newid=150, pool="nopool").status == 403
    status, _ = run(cluster, "POST", path, newid=300)
    assert status.startswith(
        "close (rename) atomic file '/etc/pve/nodes/pve1/qemu-server/300.conf'"
    )


@pytest.mark.requirement("guests.clone-errors")
def test_an_aborted_linked_clone_leaves_nothing_behind(cluster: SimulatedCluster) -> None:
    before = volids(cluster)
    upid = cluster.call("POST", f"{NODE}/qemu/900/clone", {"newid": 140})
    cluster.tasks.stop(cluster.tasks.get(upid))
    assert 140 not in cluster.guests
    assert volids(cluster) == before


@pytest.mark.requirement("guests.clone-errors")
def test_an_aborted_clone_leaves_nothing_behind(cluster: SimulatedCluster) -> None:
    before = volids(cluster)
    upid = cluster.call("POST", f"{VM}/clone", {"newid": 140})
    cluster.clock.advance(1)
    assert cluster.guests[140].lock == "clone"
    cluster.tasks.stop(cluster.tasks.get(upid))
    assert 140 not in cluster.guests
    assert volids(cluster) == before
    assert run(cluster, "POST", f"{VM}/status/start")[0] == "OK"
