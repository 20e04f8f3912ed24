"""Schedules of the simulator: calendar events, and jobs that run by themselves."""

from __future__ import annotations

import calendar
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxmox_client.testing import PveFault, SimulatedCluster
from proxmox_client.testing.outside import Directory
from proxmox_client.testing.schedules import parse


def moment(text: str) -> int:
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("*/15", "2026-11-22 10:07:00", "2026-11-22 10:15:00"),
        ("*/15", "2026-11-22 10:15:00", "2026-11-22 10:30:00"),
        ("02:30", "2026-11-22 02:30:00", "2026-11-23 02:30:00"),
        ("mon..fri 8..17:0/30", "2026-11-20 17:30:00", "2026-11-23 08:00:00"),
        ("sat 18:15", "2026-11-22 00:00:00", "2026-11-28 18:15:00"),
        ("hourly", "2026-12-31 23:00:00", "2027-01-01 00:00:00"),
        ("monthly", "2026-11-22 00:00:00", "2026-12-01 00:00:00"),
        ("*-*-31 00:00", "2026-11-01 00:00:00", "2026-12-31 00:00:00"),
        ("2028-2-29 12:00", "2026-01-01 00:00:00", "2028-02-29 12:00:00"),
        ("0,12:05:30", "2026-11-22 00:05:30", "2026-11-22 12:05:30"),
    ],
)
@pytest.mark.requirement("schedules.calendar")
def test_the_next_time_of_a_schedule(schedule: str, after: str, expected: str) -> None:
    assert parse(schedule).after(moment(after)) == moment(expected)


@pytest.mark.parametrize("text", ["", "25:00", "tomorrow", "10:00 x", "*/0", "*-13-1"])
@pytest.mark.requirement("schedules.calendar")
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unable to parse"):
        parse(text)


@given(
    st.sampled_from(["*/15", "daily", "mon..wed 3,9:10/20", "weekly", "*-*-15 1:1"]),
    st.integers(0, 2**32),
)
@pytest.mark.requirement("schedules.calendar")
def test_the_next_time_is_later_and_stays_the_next_until_then(text: str, now: int) -> None:
    schedule = parse(text)
    found = schedule.after(now)
    assert found is not None
    assert found > now
    assert schedule.after(found - 1) == found


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster(nodes=("pve1", "pve2"))
    made.add_vm("pve1", 100, {"scsi0": "local-lvm:1"})
    made.add_vm("pve2", 101, {"scsi0": "local-lvm:1"})
    return made


def backups(cluster: SimulatedCluster) -> list[str]:
    kinds = [task for node in cluster.nodes.values() for task in node.tasks]
    return sorted(f"{t.upid.node} {t.upid.id}" for t in kinds if t.upid.type == "vzdump")


@pytest.mark.requirement("schedules.jobs")
def test_a_backup_job_runs_at_every_node_that_has_guests_of_it(cluster: SimulatedCluster) -> None:
    job = {"id": "nightly", "schedule": "03:00", "storage": "shared", "all": 1}
    cluster.call("POST", "/cluster/backup", job)
    (row,) = cluster.call("GET", "/cluster/backup")
    cluster.clock.advance_to(row["next-run"] - 1)
    assert backups(cluster) == []
    cluster.clock.advance(120)
    assert backups(cluster) == ["pve1 100", "pve2 101"]
    held = cluster.call("GET", "/nodes/pve1/storage/shared/content", {"content": "backup"})
    assert len(held) == 2
    cluster.call("PUT", "/cluster/backup/nightly", {"enabled": 0, "all": 1})
    cluster.clock.advance(86_400)
    assert len(backups(cluster)) == 2


@pytest.mark.requirement("schedules.jobs")
def test_a_job_of_one_guest_runs_where_the_guest_is(cluster: SimulatedCluster) -> None:
    job = {"schedule": "*/30", "storage": "shared", "vmid": "101"}
    cluster.call("POST", "/cluster/backup", job)
    cluster.clock.advance(3600)
    assert backups(cluster) == ["pve2 101", "pve2 101"]


@pytest.mark.requirement("schedules.jobs")
def test_a_realm_is_synchronised_on_schedule(cluster: SimulatedCluster) -> None:
    realm = {"realm": "corp", "type": "ldap", "server1": "ldap.example.com",
             "base_dn": "dc=example,dc=com", "user_attr": "uid"}  # fmt: skip
    cluster.call("POST", "/access/domains", realm)
    cluster.outside.directories["ldap.example.com"] = Directory(users={"ann": {}})
    path = "/cluster/jobs/realm-sync/hourly"
    job = {"realm": "corp", "schedule": "hourly", "scope": "users"}
    cluster.call("POST", path, job)
    assert cluster.call("GET", "/cluster/jobs/realm-sync")[0]["next-run"] % 3600 == 0
    cluster.clock.advance(3700)
    assert "ann@corp" in cluster.access.users
    assert cluster.call("GET", "/cluster/jobs/realm-sync")[0]["last-run"] % 3600 == 0
    cluster.call("PUT", path, {"schedule": "daily", "comment": "less often"})
    assert cluster.call("GET", path)["comment"] == "less often"
    cluster.call("DELETE", path)
    with pytest.raises(PveFault, match="Parameter verification failed"):
        cluster.call("GET", path)


@pytest.mark.parametrize("realm", ["pam", "none"])
@pytest.mark.requirement("schedules.jobs")
def test_only_realms_with_a_directory_are_synchronised(
    cluster: SimulatedCluster, realm: str
) -> None:
    with pytest.raises(PveFault, match="400 Parameter verification failed"):
        cluster.call(
            "POST", "/cluster/jobs/realm-sync/s1", {"realm": realm, "schedule": "daily"}
        )  # fmt: skip


@pytest.mark.requirement("schedules.calendar")
def test_a_schedule_can_be_looked_at_beforehand(cluster: SimulatedCluster) -> None:
    params = {"schedule": "sat 12:00", "iterations": 2, "starttime": moment("2026-11-22 00:00:00")}
    rows = cluster.call("GET", "/cluster/jobs/schedule-analyze", params)
    assert rows == [
        {"timestamp": moment("2026-11-28 12:00:00"), "utc": "Sat Nov 28 12:00:00 2026"},
        {"timestamp": moment("2026-12-05 12:00:00"), "utc": "Sat Dec  5 12:00:00 2026"},
    ]


@pytest.mark.requirement("storage.pruning")
def test_a_job_removes_what_its_retention_does_not_keep(cluster: SimulatedCluster) -> None:
    job = {"schedule": "*/30", "storage": "shared", "vmid": "100", "prune-backups": "keep-last=2"}
    cluster.call("POST", "/cluster/backup", job)
    cluster.clock.advance(3 * 3600)
    held = cluster.call("GET", "/nodes/pve1/storage/shared/content", {"content": "backup"})
    assert len(held) == 2
    log = next(task.lines for task in reversed(cluster.nodes["pve1"].tasks))
    assert "INFO: prune older backups with retention: keep-last=2" in log
    assert "INFO: pruned 1 backup(s) not covered by keep-retention policy" in log
