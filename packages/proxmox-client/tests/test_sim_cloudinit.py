"""What the simulator says of a machine's cloud-init drive, as qemu-server does."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.saving import from_document, to_document
from tests.lab.machines import VM, run, with_machines
from tests.lab.simulated import Lab

HIDDEN = "**********"


@pytest.fixture
def cluster() -> SimulatedCluster:
    """Return a cluster whose machine 100 runs with a drive made of one user and one address."""
    made = with_machines()
    run(
        made, "POST", f"{VM}/config",
        ide0="local:cloudinit", ciuser="deb", cipassword="geheim", ipconfig0="ip=dhcp",
    )  # fmt: skip
    run(made, "POST", f"{VM}/status/start")
    return made


def edit(cluster: SimulatedCluster, **params: object) -> None:
    run(cluster, "POST", f"{VM}/config", **params)


def stale(cluster: SimulatedCluster) -> dict[str, dict[str, Any]]:
    """Return the rows that say more than what the drive has."""
    rows = cluster.call("GET", f"{VM}/cloudinit")
    return {row.pop("key"): row for row in rows if row.keys() & {"pending", "delete"}}


def digest(cluster: SimulatedCluster) -> str:
    found: str = cluster.call("GET", f"{VM}/config")["digest"]
    return found


@pytest.mark.requirement("guests.cloudinit-drive-behind")
def test_a_change_while_it_runs_waits_for_the_drive(cluster: SimulatedCluster) -> None:
    assert stale(cluster) == {}
    edit(cluster, ciuser="admin", nameserver="1.1.1.1")
    assert stale(cluster) == {
        "ciuser": {"value": "deb", "pending": "admin"},
        "nameserver": {"pending": "1.1.1.1"},
    }
    edit(cluster, delete="ciuser")
    assert stale(cluster)["ciuser"] == {"delete": 1}
    edit(cluster, ciuser="deb", delete="nameserver")
    assert stale(cluster) == {}


@pytest.mark.requirement("guests.cloudinit-drive-behind")
def test_regenerating_brings_the_drive_up_to_date(cluster: SimulatedCluster) -> None:
    edit(cluster, ciuser="admin")
    before = digest(cluster)
    cluster.call("PUT", f"{VM}/cloudinit")
    assert stale(cluster) == {}
    assert digest(cluster) != before
    after = digest(cluster)
    cluster.call("PUT", f"{VM}/cloudinit")
    assert digest(cluster) == after


@pytest.mark.requirement("guests.cloudinit-drive-behind")
@pytest.mark.parametrize("what", ["reboot", "stop"])
def test_a_cold_start_brings_the_drive_up_to_date(cluster: SimulatedCluster, what: str) -> None:
    edit(cluster, ciuser="admin")
    run(cluster, "POST", f"{VM}/status/{what}")
    if what == "stop":
        assert stale(cluster) != {}
        edit(cluster, searchdomain="example.com")
        assert "searchdomain" not in stale(cluster)
        run(cluster, "POST", f"{VM}/status/start")
    assert stale(cluster) == {}


@pytest.mark.requirement("guests.cloudinit-drive-behind")
def test_with_the_hot_plug_feature_the_drive_follows_by_itself(cluster: SimulatedCluster) -> None:
    edit(cluster, hotplug="network,disk,usb,cloudinit")
    edit(cluster, ciuser="admin")
    assert stale(cluster) == {}


@pytest.mark.requirement("guests.cloudinit-drive-behind")
def test_a_changed_password_is_not_noted(cluster: SimulatedCluster) -> None:
    edit(cluster, cipassword="other")
    assert cluster.guests[100].cloudinit == {}
    edit(cluster, delete="cipassword")
    assert stale(cluster) == {"cipassword": {"delete": 1}}


@pytest.mark.requirement("guests.cloudinit-drive-behind")
def test_changed_addresses_names_and_cards_are_noted_but_not_listed(
    cluster: SimulatedCluster,
) -> None:
    edit(cluster, ipconfig0="ip=10.0.0.9/24", ipconfig1="ip=dhcp", name="other")
    assert stale(cluster) == {"ipconfig1": {"pending": "ip=dhcp"}}
    assert cluster.guests[100].cloudinit.keys() == {"ipconfig0", "ipconfig1", "name"}
    edit(cluster, delete="ipconfig0,ipconfig1")
    assert stale(cluster) == {"ipconfig0": {"delete": 1}}


@pytest.mark.requirement("guests.cloudinit-drive-behind")
def test_zero_is_taken_for_none(cluster: SimulatedCluster) -> None:
    edit(cluster, ciupgrade=1)
    cluster.call("PUT", f"{VM}/cloudinit")
    edit(cluster, ciupgrade=0)
    assert stale(cluster) == {"ciupgrade": {"delete": 1}}


@pytest.mark.requirement("guests.cloudinit-drive-behind")
def test_without_a_drive_nothing_is_noted() -> None:
    cluster = with_machines()
    run(cluster, "POST", f"{VM}/status/start")
    edit(cluster, ciuser="admin")
    assert stale(cluster) == {}
    cluster.call("PUT", f"{VM}/cloudinit")


@pytest.mark.requirement("guests.cloudinit-drive-behind")
def test_what_is_behind_survives_saving_and_a_live_migration(cluster: SimulatedCluster) -> None:
    edit(cluster, ciuser="admin", nameserver="1.1.1.1")
    before = stale(cluster)
    again = from_document(to_document(cluster))
    assert stale(again) == before
    assert digest(again) == digest(cluster)
    run(cluster, "POST", f"{VM}/migrate", target="pve2", online=1, **{"with-local-disks": 1})
    assert cluster.guests[100].node == "pve2"
    assert cluster.guests[100].cloudinit == {"ciuser": "deb", "nameserver": None}


@pytest.mark.requirement("guests.cloudinit-drive-behind")
def test_who_may_set_networks_may_set_the_options_and_not_write_the_drive(
    cluster: SimulatedCluster,
) -> None:
    lab = Lab(cluster)
    for privilege, statuses in (
        ("VM.Config.Network", (200, 403)),
        ("VM.Config.Cloudinit", (200, 200)),
        ("VM.Config.Options", (403, 403)),
    ):
        name = privilege.rpartition(".")[2]
        headers = {"authorization": f"PVEAPIToken={cluster.create_token(f'{name}@pve', 'test')}"}
        lab("POST", "/access/roles", {"roleid": name, "privs": privilege})
        lab("PUT", "/access/acl", {"path": "/vms", "roles": name, "users": f"{name}@pve"})
        options = lab("PUT", f"{VM}/config", {"ciuser": name}, headers=headers)
        drive = lab("PUT", f"{VM}/cloudinit", headers=headers)
        found = (options.status, drive.status)
        assert found == statuses, privilege
