"""Simulated high availability: rounds, requests, rules, recovery; times as recorded.

Recorded times are in PVE_CLUSTER_FACTS.md; tolerances are one round of the manager (ten seconds).
"""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster
from proxmox_client.testing.faults import NodeOffline

ROUND = 10.0


class Site:
    """A cluster with one machine on shared storage under high availability."""

    def __init__(self) -> None:
        self.cluster = SimulatedCluster()
        self.cluster.add_vm("pve1", 120, {"name": "one", "scsi0": "shared:1"})
        self.cluster.add_vm("pve2", 121, {"name": "two", "scsi0": "shared:1"})

    def protect(self, sid: str, **options: object) -> None:
        self.cluster.call("POST", "/cluster/ha/resources", {"sid": sid, **options})

    def service(self, sid: str = "vm:120") -> dict[str, Any]:
        rows = self.cluster.call("GET", "/cluster/ha/status/current")
        found: dict[str, Any] = next(row for row in rows if row["id"] == f"service:{sid}")
        return found

    def row(self, vmid: int = 120) -> dict[str, Any]:
        rows = self.cluster.call("GET", "/cluster/resources", {"type": "vm"})
        found: dict[str, Any] = next(row for row in rows if row["vmid"] == vmid)
        return found

    def seconds_until(self, state: str, sid: str = "vm:120", limit: float = 300) -> float:
        begin = self.cluster.clock.now()
        while self.service(sid)["state"] != state:
            self.cluster.clock.advance(0.5)
            waited = self.cluster.clock.now() - begin
            assert waited < limit, f"{sid} is {self.service(sid)['state']}, not {state}"
        return self.cluster.clock.now() - begin


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def started(site: Site) -> Site:
    site.protect("vm:120")
    site.seconds_until("started")
    return site


@pytest.mark.requirement("ha.before")
def test_before_any_service_nobody_is_master(site: Site) -> None:
    rows = site.cluster.call("GET", "/cluster/ha/status/current")
    assert [row["type"] for row in rows] == ["quorum", "fencing"]


@pytest.mark.requirement("ha.first-service")
def test_a_new_service_is_queued_then_starting_then_started(site: Site) -> None:
    site.protect("vm:120")
    assert site.service()["state"] == "queued"
    assert site.row()["hastate"] == "started"
    site.seconds_until("starting")
    assert site.seconds_until("started") == pytest.approx(10, abs=3)
    assert site.cluster.guests[120].running
    assert site.cluster.call("GET", "/nodes/pve1/qemu/120/status/current")["ha"] == {
        "managed": 1,
        "state": "started",
    }


@pytest.mark.requirement("ha.requests")
def test_a_stop_is_only_a_request_and_takes_rounds(started: Site) -> None:
    upid = started.cluster.call("POST", "/nodes/pve1/qemu/120/status/stop")
    started.cluster.clock.advance(1.5)
    assert ":hastop:120:" in upid
    assert started.cluster.tasks.get(upid).exitstatus == "OK"
    assert started.cluster.guests[120].running
    assert started.seconds_until("stopped") == pytest.approx(16, abs=ROUND)
    workers = [task.upid for task in started.cluster.nodes["pve1"].tasks]
    assert [(upid.type, upid.user) for upid in workers][-1] == ("qmstop", "root@pam")
    assert started.cluster.call("GET", "/cluster/ha/resources/vm:120")["state"] == "stopped"


@pytest.mark.requirement("ha.requests")
def test_an_online_migration_shows_the_old_node_until_its_end(started: Site) -> None:
    started.cluster.call("POST", "/nodes/pve1/qemu/120/migrate", {"target": "pve3", "online": 1})
    assert started.seconds_until("migrate") <= ROUND + 1
    while started.cluster.guests[120].node == "pve1":
        started.cluster.clock.advance(0.5)
    assert started.service()["node"] == "pve1"
    assert started.seconds_until("started") <= 2 * ROUND + 5
    assert started.service()["node"] == "pve3"


@pytest.mark.requirement("ha.dropped")
@pytest.mark.parametrize("node", ["pve1", "pve9"])
def test_senseless_moves_are_accepted_and_dropped(started: Site, node: str) -> None:
    answer = started.cluster.call("POST", "/cluster/ha/resources/vm:120/migrate", {"node": node})
    assert answer == {"sid": "vm:120", "requested-node": node}
    started.cluster.clock.advance(30)
    assert (started.service()["state"], started.service()["node"]) == ("started", "pve1")


@pytest.mark.requirement("ha.killed")
def test_a_killed_guest_is_started_again_where_it_was(started: Site) -> None:
    started.cluster.guests[120].end()
    started.cluster.clock.advance(15)
    assert started.cluster.guests[120].running
    assert started.cluster.guests[120].node == "pve1"


@pytest.mark.requirement("ha.fencing")
def test_services_of_a_dead_node_run_elsewhere_after_fencing(started: Site) -> None:
    started.cluster.faults.add(NodeOffline("pve1"))
    begin = started.cluster.clock.now()
    assert started.seconds_until("fence") == pytest.approx(56, abs=ROUND + 5)
    assert started.row()["node"] == "pve1"
    assert started.row()["status"] == "running"
    while started.cluster.guests[120].node == "pve1":
        started.cluster.clock.advance(0.5)
    assert started.cluster.clock.now() - begin == pytest.approx(136, abs=2 * ROUND)
    started.seconds_until("started")
    assert started.cluster.guests[120].running
    assert started.cluster.clock.now() - begin == pytest.approx(147, abs=2 * ROUND)


@pytest.mark.requirement("ha.error")
def test_a_service_that_does_not_start_ends_in_error_and_is_freed_by_disabling(
    site: Site,
) -> None:
    for volume in list(site.cluster.volumes):
        if volume.vmid == 120:
            site.cluster.volumes.remove(volume)
    site.protect("vm:120")
    assert site.seconds_until("error") == pytest.approx(66, abs=3 * ROUND)
    with pytest.raises(PveFault, match="in error state, must be disabled and fixed first"):
        site.cluster.call("PUT", "/cluster/ha/resources/vm:120", {"state": "started"})
    node = site.cluster.guests[120].node
    upid = site.cluster.call("POST", f"/nodes/{node}/qemu/120/status/start")
    site.cluster.clock.advance(5)
    status = site.cluster.tasks.get(upid).exitstatus
    assert status == "command 'ha-manager set vm:120 --state started' failed: exit code 255"
    site.cluster.call("PUT", "/cluster/ha/resources/vm:120", {"state": "disabled"})
    site.seconds_until("disabled", limit=ROUND + 1)


@pytest.mark.requirement("ha.error")
def test_an_ignored_service_is_started_and_stopped_as_any_guest(started: Site) -> None:
    started.cluster.call("PUT", "/cluster/ha/resources/vm:120", {"state": "ignored"})
    assert ":qmstop:" in started.cluster.call("POST", "/nodes/pve1/qemu/120/status/stop")


@pytest.mark.requirement("ha.delete")
def test_a_protected_guest_is_deleted_only_with_purge(site: Site) -> None:
    site.protect("vm:120", state="stopped")
    with pytest.raises(PveFault, match="used in HA resources and purge parameter not set"):
        site.cluster.call("DELETE", "/nodes/pve1/qemu/120")
    site.cluster.call("DELETE", "/nodes/pve1/qemu/120", {"purge": 1})
    assert site.cluster.call("GET", "/cluster/ha/resources") == []


@pytest.mark.requirement("ha.affinity")
def test_a_strict_node_rule_moves_a_running_service(started: Site) -> None:
    rule = {"rule": "rx", "type": "node-affinity", "resources": "vm:120", "nodes": "pve3"}
    started.cluster.call("POST", "/cluster/ha/rules", {**rule, "strict": 1})
    started.cluster.clock.advance(40)
    assert started.cluster.guests[120].node == "pve3"


@pytest.mark.requirement("ha.affinity")
def test_negative_affinity_lets_the_request_fail_in_its_task(site: Site) -> None:
    site.protect("vm:120")
    site.protect("vm:121")
    site.cluster.clock.advance(30)
    rule = {"rule": "rx", "type": "resource-affinity", "resources": "vm:120,vm:121"}
    site.cluster.call("POST", "/cluster/ha/rules", {**rule, "affinity": "negative"})
    upid = site.cluster.call("POST", "/nodes/pve1/qemu/120/migrate", {"target": "pve2"})
    answer = site.cluster.call("POST", "/cluster/ha/resources/vm:120/migrate", {"node": "pve2"})
    assert answer["blocking-resources"] == [{"sid": "vm:121", "cause": "resource-affinity"}]
    site.cluster.clock.advance(3)
    status = site.cluster.tasks.get(upid).exitstatus
    assert status == "command 'ha-manager migrate vm:120 pve2' failed: exit code 2"


@pytest.mark.requirement("ha.rules")
@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"type": "node-affinity", "resources": "vm:9999", "nodes": "pve1"},
         "create ha rule failed: cannot use unmanaged resource(s) vm:9999."),
        ({"type": "node-affinity", "resources": "vm:120", "nodes": "pve9"},
         "create ha rule failed: cannot use non-existent node(s) pve9."),
        ({"type": "node-affinity", "resources": "vm:120", "nodes": "pve1"},
         "resource 'vm:120' is already used in another node affinity rule"),
    ],
)  # fmt: skip
def test_bad_rules_are_refused(site: Site, rule: dict[str, str], text: str) -> None:
    site.protect("vm:120")
    first = {"rule": "ra", "type": "node-affinity", "resources": "vm:120", "nodes": "pve2"}
    site.cluster.call("POST", "/cluster/ha/rules", first)
    with pytest.raises(PveFault) as refused:
        site.cluster.call("POST", "/cluster/ha/rules", {"rule": "rb", **rule})
    assert text in str(refused.value)


@pytest.mark.requirement("ha.self-fencing")
def test_a_node_with_services_is_reset_a_minute_after_it_lost_the_others(started: Site) -> None:
    for name in ("pve2", "pve3"):
        started.cluster.faults.add(NodeOffline(name))
    started.cluster.clock.advance(59)
    before = [started.cluster.guests[120].running, started.cluster.nodes["pve1"].away]
    assert before == [True, None]
    started.cluster.clock.advance(2)
    assert started.cluster.nodes["pve1"].away is not None
    assert not started.cluster.guests[120].running


@pytest.mark.requirement("ha.self-fencing")
def test_a_node_without_services_stays_up_without_quorum(site: Site) -> None:
    for name in ("pve2", "pve3"):
        site.cluster.faults.add(NodeOffline(name))
    site.cluster.clock.advance(300)
    assert site.cluster.nodes["pve1"].away is None


@pytest.mark.requirement("ha.cold-start")
def test_after_a_cold_start_services_wait_until_old_locks_have_run_out(started: Site) -> None:
    lost = [started.cluster.faults.add(NodeOffline(name)) for name in ("pve1", "pve2", "pve3")]
    started.cluster.clock.advance(60)
    for fault in lost:
        fault.remove()
    started.cluster.clock.advance(60)
    rows = started.cluster.call("GET", "/cluster/ha/status/current")
    workers = [row["status"] for row in rows if row["type"] == "lrm" and row["node"] == "pve1"]
    assert "wait_for_agent_lock" in workers[0]
    assert not started.cluster.guests[120].running
    started.cluster.clock.advance(100)
    assert started.cluster.guests[120].running


def fencing(site: Site) -> dict[str, Any]:
    rows = site.cluster.call("GET", "/cluster/ha/status/current")
    found: dict[str, Any] = next(row for row in rows if row["id"] == "fencing")
    return found


@pytest.mark.requirement("ha.disarming")
def test_disarmed_services_are_frozen_and_go_on_when_armed_again(started: Site) -> None:
    started.cluster.call("POST", "/cluster/ha/status/disarm-ha", {"resource-mode": "freeze"})
    started.cluster.clock.advance(3 * ROUND)
    assert (fencing(started)["armed-state"], fencing(started)["resource_mode"]) == (
        "disarmed",
        "freeze",
    )
    started.cluster.guests[120].end()
    started.cluster.clock.advance(3 * ROUND)
    assert not started.cluster.guests[120].running
    for name in ("pve2", "pve3"):
        started.cluster.faults.add(NodeOffline(name))
    started.cluster.clock.advance(100)
    assert started.cluster.nodes["pve1"].away is None, "no watchdog bites"
    started.cluster.faults.clear()
    started.cluster.clock.advance(2 * ROUND)
    started.cluster.call("POST", "/cluster/ha/status/arm-ha")
    started.seconds_until("started")
    assert started.cluster.guests[120].running


@pytest.mark.requirement("ha.disarming")
def test_services_ignored_while_disarmed_are_guests_as_any(started: Site) -> None:
    started.cluster.call("POST", "/cluster/ha/status/disarm-ha", {"resource-mode": "ignore"})
    started.cluster.clock.advance(3 * ROUND)
    assert started.service()["state"] == "ignore"
    assert ":qmstop:" in started.cluster.call("POST", "/nodes/pve1/qemu/120/status/stop")


class OldSite(Site):
    """The same with PVE 8."""

    def __init__(self) -> None:
        self.cluster = SimulatedCluster(version="8.4")
        self.cluster.add_vm("pve1", 120, {"name": "one", "scsi0": "shared:1"})


@pytest.mark.requirement("ha.groups")
def test_with_pve_8_a_service_goes_to_the_best_node_of_its_group() -> None:
    old = OldSite()
    group = {"group": "good", "nodes": "pve2:1,pve3:2", "restricted": 1}
    old.cluster.call("POST", "/cluster/ha/groups", group)
    with pytest.raises(PveFault, match="HA group 'none' does not exist"):
        old.protect("vm:120", group="none")
    old.protect("vm:120", group="good")
    old.seconds_until("started")
    old.cluster.clock.advance(40)
    assert old.service()["node"] == "pve3"
    with pytest.raises(PveFault, match="ha group is used by service 'vm:120'"):
        old.cluster.call("DELETE", "/cluster/ha/groups/good")
    (row,) = old.cluster.call("GET", "/cluster/ha/groups")
    assert (row["group"], row["nodes"], row["restricted"]) == ("good", "pve2:1,pve3:2", 1)


@pytest.mark.requirement("ha.groups")
def test_without_failback_a_service_stays_on_a_node_that_is_good_enough() -> None:
    old = OldSite()
    group = {"group": "any", "nodes": "pve1:1,pve3:2", "nofailback": 1}
    old.cluster.call("POST", "/cluster/ha/groups", group)
    old.protect("vm:120", group="any")
    old.seconds_until("started")
    old.cluster.clock.advance(60)
    assert old.service()["node"] == "pve1"
    old.cluster.call("PUT", "/cluster/ha/groups/any", {"nofailback": 0})
    old.cluster.clock.advance(60)
    assert old.service()["node"] == "pve3"


@pytest.mark.requirement("ha.affinity")
def test_where_a_service_may_go_shows_what_moves_along_and_what_stands_in_the_way(
    started: Site,
) -> None:
    started.protect("vm:121")
    path = "/nodes/pve1/qemu/120/migrate"
    assert started.cluster.call("GET", path)["dependent-ha-resources"] == []
    rule = {"rule": "apart", "type": "resource-affinity", "resources": "vm:120,vm:121"}
    started.cluster.call("POST", "/cluster/ha/rules", {**rule, "affinity": "negative"})
    found = started.cluster.call("GET", path)
    blocking = {"blocking-ha-resources": [{"sid": "vm:121", "cause": "resource-affinity"}]}
    assert found["not_allowed_nodes"]["pve2"] == blocking
    assert found["allowed_nodes"] == ["pve3"]
    started.cluster.call("DELETE", "/cluster/ha/rules/apart")
    started.cluster.call("POST", "/cluster/ha/rules", {**rule, "affinity": "positive"})
    assert started.cluster.call("GET", path)["dependent-ha-resources"] == ["vm:121"]
