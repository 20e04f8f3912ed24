"""Faults on demand, lost nodes and lost quorum in the simulated cluster."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from proxmox_client.testing import PveFault, SimRequest, SimResponse, SimulatedCluster
from proxmox_client.testing.faults import (
    Answer,
    ClockSkew,
    Drop,
    Edit,
    ExpiredTickets,
    FailingTask,
    Fault,
    FullStorage,
    HeldLock,
    Latency,
    NodeOffline,
    NoQuorum,
    Script,
    SlowTasks,
    SomebodyElse,
    TicketLifetime,
    Where,
)

CONFIG = "/nodes/pve1/qemu/100/config"


@pytest.fixture
def cluster() -> SimulatedCluster:
    found = SimulatedCluster()
    found.add_vm("pve1", 100, {"name": "web", "scsi0": "local-lvm:4"})
    found.add_vm("pve3", 103, {"name": "far"}, status="running")
    return found


@pytest.fixture
def secret(cluster: SimulatedCluster) -> str:
    return cluster.create_token("root@pam", "t")


class Asker:
    """Asks the cluster as a client would and notes how long it took."""

    def __init__(self, cluster: SimulatedCluster, secret: str) -> None:
        self.cluster = cluster
        self.headers = {"authorization": f"PVEAPIToken={secret}"}
        self.seconds = 0.0

    def __call__(self, method: str, path: str, via: str = "", **params: object) -> SimResponse:
        begin = self.cluster.clock.now()
        try:
            return self.cluster.handle(SimRequest(method, path, params, self.headers, via))
        finally:
            self.seconds = self.cluster.clock.now() - begin


@pytest.fixture
def ask(cluster: SimulatedCluster, secret: str) -> Asker:
    return Asker(cluster, secret)


def exit_of(cluster: SimulatedCluster, response: SimResponse, seconds: float = 60) -> str | None:
    cluster.clock.advance(seconds)
    return cluster.tasks.get(response.data).exitstatus


@pytest.mark.requirement("faults.latency")
def test_latency_delays_what_it_covers_and_nothing_else(
    cluster: SimulatedCluster, ask: Asker
) -> None:
    with cluster.faults.add(Latency(2.0, where=Where(path="/nodes/*/config"))) as active:
        ask("GET", CONFIG)
        assert ask.seconds == pytest.approx(2.0)
        ask("GET", "/version")
        assert ask.seconds == 0
    ask("GET", CONFIG)
    assert (ask.seconds, active.hits) == (0, 1)


@pytest.mark.requirement("faults.drop")
@pytest.mark.parametrize(("when", "name"), [("before", "web"), ("after", "db")])
def test_a_dropped_write_is_without_or_with_effect(
    cluster: SimulatedCluster, secret: str, when: str, name: str
) -> None:
    cluster.faults.add(Drop("before" if when == "before" else "after", Where("PUT", times=1)))
    headers = {"Authorization": f"PVEAPIToken={secret}"}
    url = f"https://pve1:8006/api2/json{CONFIG}"
    with httpx.Client(transport=cluster.transport(), headers=headers) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.put(url, data={"name": "db"})
        assert client.get(url).json()["data"]["name"] == name


@pytest.mark.requirement("faults.answer")
def test_an_answer_strikes_after_skipping_and_for_a_number_of_times(
    cluster: SimulatedCluster, ask: Asker
) -> None:
    cluster.faults.add(Answer(503, "busy", Where("GET", "/version", skip=1, times=2)))
    assert [ask("GET", "/version").status for _ in range(4)] == [200, 503, 503, 200]


@pytest.mark.requirement("faults.somebody-else")
def test_somebody_else_edits_between_two_calls(cluster: SimulatedCluster, ask: Asker) -> None:
    cluster.faults.add(
        SomebodyElse(lambda now: now.edit(100, cores=4), where=Where("PUT", "*/config", times=1))
    )
    digest = ask("GET", CONFIG).data["digest"]
    answer = ask("PUT", CONFIG, name="mine", digest=digest)
    assert answer.reason == "checksum mismatch (file change by other user?)"
    assert ask("GET", CONFIG).data["cores"] == 4


@pytest.mark.requirement("locks.flock", "faults.held-lock")
def test_a_held_lock_makes_a_write_wait(cluster: SimulatedCluster, ask: Asker) -> None:
    cluster.faults.add(HeldLock(100, 4))
    assert ask("PUT", CONFIG, name="late").status == 200
    assert ask.seconds == pytest.approx(4, abs=0.2)
    cluster.faults.add(HeldLock(100, 40))
    assert "got timeout" in ask("PUT", CONFIG, name="never").reason


@pytest.mark.requirement("faults.full-storage")
def test_a_full_storage_refuses_new_disks(cluster: SimulatedCluster, ask: Asker) -> None:
    with cluster.faults.add(FullStorage("local-lvm")):
        answer = ask("POST", "/nodes/pve1/qemu", vmid=101, scsi0="local-lvm:1")
        assert "No space left on device" in str(exit_of(cluster, answer))
    answer = ask("POST", "/nodes/pve1/qemu", vmid=102, scsi0="local-lvm:1")
    assert exit_of(cluster, answer) == "OK"


@pytest.mark.requirement("faults.slow-task")
def test_a_slow_task_takes_longer(cluster: SimulatedCluster, ask: Asker) -> None:
    cluster.faults.add(SlowTasks(100, "qmstart", "100"))
    answer = ask("POST", "/nodes/pve1/qemu/100/status/start")
    assert exit_of(cluster, answer, 5) is None
    cluster.clock.advance(500)
    assert cluster.tasks.get(answer.data).exitstatus == "OK"


@pytest.mark.requirement("faults.failing-task")
def test_a_task_fails_at_a_percentage_and_tidies_up(cluster: SimulatedCluster, ask: Asker) -> None:
    cluster.faults.add(FailingTask("qmclone", message="disk went away", percent=40))
    answer = ask("POST", "/nodes/pve1/qemu/100/clone", newid=110, full=1)
    status = exit_of(cluster, answer, 600)
    assert "disk went away" in str(status)
    assert cluster.tasks.get(answer.data).percent() < 60
    assert 110 not in cluster.guests


@pytest.mark.requirement("faults.tickets")
def test_ended_tickets_are_refused_and_new_ones_work(cluster: SimulatedCluster) -> None:
    cluster.access.users["root@pam"].password = "secret"
    params = {"username": "root@pam", "password": "secret"}

    def read(ticket: str) -> int:
        headers = {"cookie": f"PVEAuthCookie={ticket}"}
        return cluster.handle(SimRequest("GET", "/version", headers=headers)).status

    old = cluster.handle(SimRequest("POST", "/access/ticket", params)).data["ticket"]
    cluster.faults.add(ExpiredTickets("root@pam"))
    new = cluster.handle(SimRequest("POST", "/access/ticket", params)).data["ticket"]
    assert (read(old), read(new)) == (401, 200)


@pytest.mark.requirement("faults.clock-skew")
def test_a_skewed_clock_shows_in_times_and_upids(cluster: SimulatedCluster, ask: Asker) -> None:
    cluster.faults.add(ClockSkew("pve2", 90))
    times = [ask("GET", f"/nodes/{node}/time").data["time"] for node in ("pve1", "pve2")]
    assert times[1] - times[0] == 90


@pytest.mark.requirement("offline.delays", "faults.node-offline")
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("processes", [(596, 0.05), (595, 0.008), (595, 0.008)]),
        ("power", [(595, 11.7), (595, 3.07), (595, 3.07)]),
        ("silent", [(595, 30.01), (595, 30.01), (595, 30.01)]),
    ],
)
def test_a_lost_node_is_reported_with_the_recorded_delays(
    cluster: SimulatedCluster, ask: Asker, how: str, expected: list[tuple[int, float]]
) -> None:
    match how:
        case "processes":
            cluster.faults.add(NodeOffline("pve3", "processes"))
        case "silent":
            cluster.faults.add(NodeOffline("pve3", "silent"))
        case _:
            cluster.faults.add(NodeOffline("pve3"))
    for status, seconds in expected:
        answer = ask("GET", "/nodes/pve3/status")
        assert (answer.status, answer.body) == (status, b"")
        assert ask.seconds == pytest.approx(seconds, abs=0.01)


def row(ask: Asker, name: str) -> dict[str, object]:
    rows = ask("GET", "/cluster/resources").data
    return next(entry for entry in rows if entry["id"] == name)


@pytest.mark.requirement("offline.noticed")
def test_guests_of_a_lost_node_look_running_for_five_minutes(
    cluster: SimulatedCluster, ask: Asker
) -> None:
    cluster.faults.add(NodeOffline("pve3"))
    assert row(ask, "node/pve3")["status"] == "online"
    cluster.clock.advance(8)
    assert row(ask, "node/pve3")["status"] == "offline"
    assert row(ask, "qemu/103")["status"] == "running"
    cluster.clock.advance(280)
    assert row(ask, "qemu/103")["status"] == "running"
    cluster.clock.advance(20)
    assert row(ask, "qemu/103")["status"] == "unknown"
    assert "name" not in row(ask, "qemu/103")


@pytest.mark.requirement("offline.back")
def test_a_node_comes_back_with_its_guests_stopped(cluster: SimulatedCluster, ask: Asker) -> None:
    fault = cluster.faults.add(NodeOffline("pve3"))
    cluster.clock.advance(100)
    fault.remove()
    assert ask("GET", "/nodes/pve3/status").reason == "Connection refused"
    cluster.clock.advance(15)
    assert ask("GET", "/nodes/pve3/qemu/103/status/current").data["status"] == "stopped"


@pytest.mark.requirement("offline.itself")
def test_asking_the_lost_node_itself_is_a_failed_connection(cluster: SimulatedCluster) -> None:
    cluster.faults.add(NodeOffline("pve3"))
    with (
        httpx.Client(transport=cluster.transport("pve3")) as client,
        pytest.raises(httpx.ConnectError, match="No route to host"),
    ):
        client.get("https://pve3:8006/api2/json/version")


@pytest.mark.requirement("quorum.refusals", "faults.no-quorum")
@pytest.mark.parametrize(
    ("method", "path", "params", "text", "seconds"),
    [
        ("POST", "/nodes/pve1/qemu/100/status/start", {}, "cluster not ready - no quorum?", 0),
        ("POST", "/pools", {"poolid": "p"},
         "create pool failed: cfs-lock 'file-user_cfg' error: no quorum!", 9.92),
        ("POST", "/nodes/pve1/qemu/100/firewall/rules", {"type": "in", "action": "DROP"},
         "cfs-lock 'firewall-vm-100' error: no quorum!", 9.92),
        ("PUT", CONFIG, {"name": "x"}, "unable to open file '/etc/pve/nodes/pve1/qemu-server/", 0),
    ],
)  # fmt: skip
def test_without_quorum_writes_are_refused_in_three_ways(
    cluster: SimulatedCluster,
    ask: Asker,
    method: str,
    path: str,
    params: dict[str, str],
    text: str,
    seconds: float,
) -> None:
    with cluster.faults.add(NoQuorum()):
        answer = ask(method, path, **params)
        assert (answer.status, answer.reason.startswith(text)) == (500, True)
        assert ask.seconds == pytest.approx(seconds)
        assert ask("GET", CONFIG).status == 200
    assert cluster.quorate


@pytest.mark.requirement("quorum.half-done")
def test_without_quorum_resize_and_delete_are_half_done(
    cluster: SimulatedCluster, ask: Asker
) -> None:
    volid = str(cluster.guests[100].config["scsi0"]).partition(",")[0]
    cluster.faults.add(NoQuorum())
    answer = ask("PUT", "/nodes/pve1/qemu/100/resize", disk="scsi0", size="+1G")
    assert "Permission denied" in str(exit_of(cluster, answer))
    volume = cluster.volumes.find("pve1", volid)
    assert volume is not None
    assert volume.size == 5 * 1024**3
    assert "size=4G" in str(cluster.guests[100].config["scsi0"])
    answer = ask("DELETE", "/nodes/pve1/qemu/100")
    assert "Permission denied" in str(exit_of(cluster, answer))
    assert cluster.volumes.find("pve1", volid) is None
    assert 100 in cluster.guests


@pytest.mark.requirement("quorum.lost")
def test_two_lost_nodes_of_three_lose_the_quorum(cluster: SimulatedCluster, ask: Asker) -> None:
    faults = [cluster.faults.add(NodeOffline(node)) for node in ("pve2", "pve3")]
    cluster.clock.advance(8)
    status = ask("GET", "/cluster/status").data
    assert next(entry for entry in status if entry["type"] == "cluster")["quorate"] == 0
    with pytest.raises(PveFault, match="no quorum"):
        cluster.call("POST", "/nodes/pve1/qemu/100/status/start")
    faults[0].remove()
    cluster.clock.advance(7)
    assert cluster.quorate


@pytest.mark.requirement("locks.cluster-files")
def test_a_lock_on_a_cluster_file_is_waited_for_in_steps_of_a_second(
    cluster: SimulatedCluster, ask: Asker
) -> None:
    cluster.faults.add(HeldLock("file-user_cfg", 2.5))
    assert ask("POST", "/pools", poolid="late").status == 200
    assert ask.seconds == pytest.approx(3.2, abs=0.3)
    cluster.faults.add(HeldLock("file-user_cfg", 60))
    answer = ask("POST", "/pools", poolid="never")
    text = "create pool failed: cfs-lock 'file-user_cfg' error: got lock request timeout"
    assert answer.reason == text
    assert ask.seconds == pytest.approx(9.99)


@pytest.mark.requirement("faults.somebody-else")
def test_a_script_makes_the_next_edit_at_each_call(cluster: SimulatedCluster, ask: Asker) -> None:
    edits = [Edit("PUT", CONFIG, {"name": name}, user="eve@pve") for name in ("one", "two")]
    edits.append(Edit("POST", "/nodes/pve1/qemu/100/snapshot", {"snapname": "its"}, "eve@pve"))
    fault = cluster.faults.add(SomebodyElse(Script(edits), where=Where("GET", CONFIG)))
    assert [ask("GET", CONFIG).data["name"] for _ in range(4)] == ["one", "two", "two", "two"]
    assert fault.hits == 4
    assert [str(task.upid.user) for task in cluster.nodes["pve1"].tasks] == ["eve@pve"]
    cluster.faults.add(SomebodyElse(Edit("POST", "/pools", {"poolid": "no good"})))
    with pytest.raises(RuntimeError, match="alice@pve cannot POST /pools"):
        ask("GET", "/version")


@pytest.mark.requirement("faults.tickets")
def test_tickets_can_be_made_to_live_shorter(cluster: SimulatedCluster) -> None:
    cluster.access.users["root@pam"].password = "secret"
    params = {"username": "root@pam", "password": "secret"}
    ticket = cluster.handle(SimRequest("POST", "/access/ticket", params)).data["ticket"]
    asked = SimRequest("GET", "/version", headers={"cookie": f"PVEAuthCookie={ticket}"})
    with cluster.faults.add(TicketLifetime(60)):
        assert cluster.handle(asked).status == 200
        cluster.clock.advance(61)
        assert cluster.handle(asked).reason == "Authentication failed!"
    assert cluster.handle(asked).status == 200


@pytest.mark.requirement("faults.latency")
def test_jitter_is_the_same_for_one_seed() -> None:
    def times(seed: int) -> list[float]:
        cluster = SimulatedCluster(nodes=("pve1",), seed=seed)
        asker = Asker(cluster, cluster.create_token("root@pam", "t"))
        cluster.faults.add(Latency(1, jitter=2))
        found: list[float] = []
        for _ in range(5):
            asker("GET", "/version")
            found.append(asker.seconds)
        return found

    assert times(1) == times(1) != times(2)
    assert all(1 <= seconds <= 3 for seconds in times(1))
    assert len(set(times(1))) == 5


@pytest.mark.requirement("faults.checked")
@pytest.mark.parametrize(
    "make",
    [
        lambda: Drop("middle"),  # type: ignore[arg-type]
        lambda: NodeOffline("pve1", "gone"),  # type: ignore[arg-type]
        lambda: Latency(-1),
        lambda: Latency(1, jitter=-1),
        lambda: Answer(42, "what"),
        lambda: SlowTasks(0),
        lambda: FailingTask(percent=300),
        lambda: HeldLock(100, -1),
        lambda: TicketLifetime(-1),
    ],
)
def test_a_fault_that_cannot_be_is_refused(make: Callable[[], Fault]) -> None:
    with pytest.raises(ValueError, match=r"."):
        make()


@pytest.mark.requirement("faults.checked")
@pytest.mark.parametrize(
    "fault",
    [NodeOffline("pve9"), ClockSkew("pve9", 1), FullStorage("nowhere"), HeldLock(999, 1)],
    ids=str,
)
def test_a_fault_that_would_strike_nothing_is_refused(
    cluster: SimulatedCluster, fault: Fault
) -> None:
    with pytest.raises(KeyError):
        cluster.faults.add(fault)
    assert list(cluster.faults) == []
