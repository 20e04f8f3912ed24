"""Simulated nodes as machines: services, logs, packages, certificates, figures."""

from __future__ import annotations

import zoneinfo
from pathlib import Path
from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster
from proxmox_client.testing.certificate import make_certificate


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster(nodes=("pve1", "pve2"))


def run(
    cluster: SimulatedCluster, method: str, path: str, params: dict[str, Any] | None = None
) -> tuple[str, list[str]]:
    task = cluster.tasks.get(cluster.call(method, path, params))
    cluster.clock.advance(20)
    return str(task.exitstatus), task.lines


@pytest.mark.requirement("nodes.services")
def test_services_stop_and_start_but_for_essential_ones(cluster: SimulatedCluster) -> None:
    services = "/nodes/pve1/services"
    assert run(cluster, "POST", f"{services}/pvescheduler/stop")[0] == "OK"
    assert cluster.call("GET", f"{services}/pvescheduler/state")["active-state"] == "inactive"
    assert run(cluster, "POST", f"{services}/pvescheduler/start")[0] == "OK"
    assert cluster.call("GET", f"{services}/pvescheduler/state")["state"] == "running"
    ended, _ = run(cluster, "POST", f"{services}/pveproxy/stop")
    assert ended == "invalid service cmd 'pveproxy stop': refusing to stop essential service!"
    with pytest.raises(PveFault, match="Parameter verification failed"):
        cluster.call("GET", f"{services}/httpd/state")


@pytest.mark.requirement("nodes.logs")
def test_logs_tell_of_tasks(cluster: SimulatedCluster) -> None:
    run(cluster, "POST", "/nodes/pve1/services/cron/restart")
    lines = [row["t"] for row in cluster.call("GET", "/nodes/pve1/syslog")]
    assert any("starting task UPID:pve1:" in line for line in lines)
    assert any(line.endswith("srvrestart:cron:root@pam: OK") for line in lines)
    first, *middle, last = cluster.call("GET", "/nodes/pve1/journal", {"lastentries": 2})
    assert len(middle) == 2
    assert first.startswith("s=")
    assert last.startswith("s=")
    day = {"since": "2026-11-21", "until": "2026-11-21"}
    assert cluster.call("GET", "/nodes/pve2/syslog", day) == [{"n": 1, "t": "no content"}]


@pytest.mark.requirement("nodes.packages")
def test_repositories_are_added_and_switched_under_a_digest(cluster: SimulatedCluster) -> None:
    path = "/nodes/pve1/apt/repositories"
    before = cluster.call("GET", path)
    cluster.call("PUT", path, {"handle": "no-subscription", "digest": before["digest"]})
    with pytest.raises(PveFault, match="detected modified configuration"):
        cluster.call("PUT", path, {"handle": "test", "digest": before["digest"]})
    enterprise = "/etc/apt/sources.list.d/pve-enterprise.sources"
    cluster.call("POST", path, {"path": enterprise, "index": 0, "enabled": 0})
    states = {
        row["handle"]: row.get("status") for row in cluster.call("GET", path)["standard-repos"]
    }
    assert states == {"enterprise": 0, "no-subscription": 1, "test": None}
    with pytest.raises(PveFault, match="unknown repository handle"):
        cluster.call("PUT", path, {"handle": "nightly"})


@pytest.mark.requirement("nodes.packages")
def test_updating_needs_a_subscription_for_the_enterprise_repository(
    cluster: SimulatedCluster,
) -> None:
    ended, _ = run(cluster, "POST", "/nodes/pve1/apt/update")
    assert ended == "command 'apt-get update' failed: exit code 100"
    assert cluster.call("GET", "/nodes/pve1/subscription")["status"] == "notfound"
    cluster.call("PUT", "/nodes/pve1/subscription", {"key": "pve1c-0123456789"})
    assert cluster.call("GET", "/nodes/pve1/subscription")["status"] == "active"
    ended, lines = run(cluster, "POST", "/nodes/pve1/apt/update")
    assert (ended, lines[0]) == ("OK", "starting apt-get update")
    assert cluster.call("GET", "/nodes/pve1/apt/update") == []
    names = [row["Package"] for row in cluster.call("GET", "/nodes/pve1/apt/versions")]
    assert names[:2] == ["proxmox-ve", "pve-manager"]
    cluster.call("DELETE", "/nodes/pve1/subscription")
    assert cluster.call("GET", "/nodes/pve1/subscription")["status"] == "notfound"


@pytest.mark.requirement("nodes.templates")
def test_container_templates_are_downloaded_and_take_space(cluster: SimulatedCluster) -> None:
    template = cluster.call("GET", "/nodes/pve1/aplinfo")[0]["template"]
    free = cluster.call("GET", "/nodes/pve1/storage/local/status")["avail"]
    params = {"storage": "local", "template": template}
    assert run(cluster, "POST", "/nodes/pve1/aplinfo", params)[0] == "OK"
    rows = cluster.call("GET", "/nodes/pve1/storage/local/content", {"content": "vztmpl"})
    assert [row["volid"] for row in rows] == [f"local:vztmpl/{template}"]
    assert cluster.call("GET", "/nodes/pve1/storage/local/status")["avail"] < free
    with pytest.raises(PveFault, match="does not support templates"):
        cluster.call(
            "POST", "/nodes/pve1/aplinfo", {"storage": "local-lvm", "template": template}
        )  # fmt: skip


@pytest.mark.requirement("nodes.certificates")
def test_a_certificate_of_ones_own_is_uploaded_read_and_removed(
    cluster: SimulatedCluster, tmp_path: Path
) -> None:
    made = make_certificate(tmp_path, ("pve1.example.com",), ("10.0.0.1",))
    path = "/nodes/pve1/certificates/custom"
    chain = {"certificates": made.certificate_file.read_text()}
    with pytest.raises(PveFault) as missing:
        cluster.call("POST", path, chain)
    assert "key" in (missing.value.errors or {})
    both = {**chain, "key": made.key_file.read_text()}
    assert cluster.call("POST", path, both)["fingerprint"] == made.fingerprint
    with pytest.raises(PveFault, match="force flag is not set"):
        cluster.call("POST", path, both)
    rows = cluster.call("GET", "/nodes/pve1/certificates/info")
    assert [row["filename"] for row in rows][-1] == "pveproxy-ssl.pem"
    assert rows[-1]["san"] == ["pve1.example.com", "10.0.0.1"]
    assert rows[1]["fingerprint"] == cluster.nodes["pve1"].fingerprint
    cluster.call("DELETE", path)
    assert len(cluster.call("GET", "/nodes/pve1/certificates/info")) == 2


@pytest.mark.requirement("nodes.figures")
def test_figures_of_nodes_and_storages_move_with_time(cluster: SimulatedCluster) -> None:
    cluster.clock.advance(1200)
    rows = cluster.call("GET", "/nodes/pve1/rrddata", {"timeframe": "hour"})
    known = [row for row in rows if "cpu" in row]
    assert len(rows) == 60
    assert len(known) == 20
    assert len({row["memused"] for row in known}) > 10
    stored = cluster.call("GET", "/nodes/pve1/storage/local/rrddata", {"timeframe": "hour"})
    assert stored[-1]["used"] > 0
    drawn = cluster.call("GET", "/nodes/pve1/rrd", {"timeframe": "hour", "ds": "cpu"})
    assert drawn["image"].startswith("\x89PNG")


@pytest.mark.requirement("nodes.figures")
def test_figures_are_exported_for_collectors(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 100, {"memory": 64}, status="running")
    cluster.clock.advance(60)
    rows = cluster.call("GET", "/cluster/metrics/export")["data"]
    assert {"node/pve1", "node/pve2", "qemu/100", "storage/pve2/local"} <= {
        row["id"] for row in rows
    }
    local = cluster.call("GET", "/cluster/metrics/export", {"local-only": 1})["data"]
    assert not any(row["id"] == "node/pve2" for row in local)
    since = int(cluster.clock.now()) - 30
    history = {"history": 1, "start-time": since}
    past = cluster.call("GET", "/cluster/metrics/export", history)["data"]
    stamps = {row["timestamp"] for row in past if row["id"] == "node/pve1"}
    assert len(stamps) == 3
    assert min(stamps) >= since


@pytest.mark.requirement("nodes.hardware")
def test_devices_are_what_the_node_has(cluster: SimulatedCluster) -> None:
    rows = cluster.call("GET", "/nodes/pve1/hardware/pci")
    assert {row["vendor"] for row in rows} == {"0x1af4"}
    few = cluster.call("GET", "/nodes/pve1/hardware/pci", {"pci-class-blacklist": "02"})
    assert len(few) == len(rows) - 1
    assert cluster.call("GET", "/nodes/pve1/hardware/usb") == []
    gpu = {"id": "0000:01:00.0", "class": "0x030000", "vendor": "0x10de", "device": "0x1",
           "mdev-types": [{"type": "nvidia-1", "available": 4, "description": "x"}]}  # fmt: skip
    cluster.nodes["pve1"].files["pci"] = [gpu]
    mdev = cluster.call("GET", "/nodes/pve1/hardware/pci/0000:01:00.0/mdev")
    assert mdev[0]["type"] == "nvidia-1"


@pytest.mark.requirement("nodes.hardware")
def test_processor_models_include_the_clusters_own(cluster: SimulatedCluster) -> None:
    model = {"cputype": "mine", "reported-model": "EPYC"}
    cluster.call("POST", "/cluster/qemu/custom-cpu-models", model)
    rows = cluster.call("GET", "/nodes/pve1/capabilities/qemu/cpu")
    own = next(row for row in rows if row["name"] == "custom-mine")
    assert own == {"name": "custom-mine", "vendor": "AuthenticAMD", "custom": 1}
    flags = {row["name"] for row in cluster.call("GET", "/cluster/qemu/cpu-flags")}
    machine = cluster.call("GET", "/nodes/pve1/capabilities/qemu/cpu-flags")
    assert {row["name"] for row in machine} - flags <= {"hv-evmcs", "hv-tlbflush"}


@pytest.mark.requirement("nodes.services")
@pytest.mark.skipif(not zoneinfo.available_timezones(), reason="this machine knows no time zones")
def test_a_nodes_time_is_that_of_its_zone(cluster: SimulatedCluster) -> None:
    cluster.call("PUT", "/nodes/pve1/time", {"timezone": "America/Sao_Paulo"})
    found = cluster.call("GET", "/nodes/pve1/time")
    assert found["localtime"] - found["time"] == -3 * 3600
    for zone in ("Nowhere/City", "../etc/passwd"):
        with pytest.raises(PveFault) as wrong:
            cluster.call("PUT", "/nodes/pve1/time", {"timezone": zone})
        assert wrong.value.errors == {"timezone": "No such timezone"}


@pytest.mark.requirement("nodes.figures")
def test_traffic_of_running_guests_is_listed_by_node(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 100, {"net0": "virtio", "net1": "virtio"}, status="running")
    cluster.add_vm("pve1", 101, {"net0": "virtio"})
    cluster.add_container("pve2", 102, {"net0": "name=eth0"}, status="running")

    def seen(node: str) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = cluster.call("GET", f"/nodes/{node}/netstat")
        return rows

    assert [(row["vmid"], row["dev"]) for row in seen("pve1")] == [("100", "net0"), ("100", "net1")]
    assert [(row["vmid"], row["dev"]) for row in seen("pve2")] == [("102", "net0")]
    before = int(seen("pve1")[0]["in"])
    cluster.clock.advance(60)
    assert int(seen("pve1")[0]["in"]) > before
