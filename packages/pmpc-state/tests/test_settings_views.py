"""The views of settings, with what a simulated cluster answers and with what PVE's docs name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, text

from pmpc_state import COLLECTIONS, State, sync
from pmpc_state.testing import Recorder
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster


def _rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]
    finally:
        engine.dispose()


async def test_settings_of_a_cluster_are_rows(url: str) -> None:
    cluster = SimulatedCluster(nodes=("pve1", "pve2"), seed=1)
    cluster.add_vm("pve1", 100, {"name": "web", "memory": 1024})
    async with AsyncClient(
        "https://pve1",
        token=cluster.create_token("root@pam", "demo"),
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    ) as pve:
        await pve.access.users.post(userid="eve@pve", comment="reads")
        await pve.access.acl.put(path="/vms", roles="PVEAuditor", users="eve@pve")
        await pve.cluster.firewall.rules.post(
            type="in",
            action="ACCEPT",
            proto="tcp",
            dport="22",
            enable=True,
            source="10.0.0.0/8",
        )
        guest = pve.nodes("pve1").qemu(100).firewall
        await guest.rules.post(type="out", action="DROP", enable=False)
        with State.open(url, now=cluster.clock.now) as state:
            report = await sync(state, pve, "lab", collections=COLLECTIONS)
    assert report.complete, report.failures
    assert _rows(url, "SELECT userid, comment FROM users WHERE userid LIKE 'eve%'") == [
        ("eve@pve", "reads")
    ]
    assert _rows(url, "SELECT path, type, subject, role, propagate FROM acl") == [
        ("/vms", "user", "eve@pve", "PVEAuditor", 1)
    ]
    assert ("root@pam!demo",) in _rows(url, "SELECT token FROM tokens")
    assert ("pam",) in _rows(url, "SELECT realm FROM realms")
    assert _rows(url, "SELECT count(*) FROM roles WHERE privileges IS NOT NULL")[0][0] > 3
    assert _rows(
        url, "SELECT node, type FROM networks WHERE interface = 'vmbr0' ORDER BY node"
    ) == [("pve1", "bridge"), ("pve2", "bridge")]
    assert len(_rows(url, "SELECT cluster FROM cluster_options")) == 1
    columns = "kind, key, position, enabled, direction, action, source, destination_port"
    assert _rows(url, f"SELECT {columns} FROM firewall_rules ORDER BY kind") == [
        ("firewall-rules", "cluster", 0, 1, "in", "ACCEPT", "10.0.0.0/8", "22"),
        ("guest-firewall", "qemu/100", 0, 0, "out", "DROP", None, None),
    ]
    assert ("guest-firewall", "qemu/100") in _rows(url, "SELECT kind, key FROM firewall")


def test_settings_of_other_kinds_are_rows(url: str, recorder: Recorder) -> None:
    recorder.look("ha-resource", {"vm:100": {"state": "started", "max_restart": 2}})
    recorder.look("ha-rule", {"apart": {"resources": "vm:100,vm:101", "affinity": "negative"}})
    recorder.look(
        "sdn-vnet", {"v1": {"zone": "z1", "tag": 7, "subnets": [{"cidr": "10.1.0.0/16"}]}}
    )
    recorder.look("backup-job", {"b": {"schedule": "02:00", "vmid": "100,101", "enabled": 0}})
    recorder.look("replication-job", {"100-0": {"guest": 100, "target": "pve2", "disable": True}})
    recorder.look("mapping-pci", {"gpu": {"map": ["id=10de:1eb8,node=pve1"]}})
    recorder.look(
        "notification-matcher", {"all": {"target": ["mail"], "match-severity": ["error"]}}
    )
    recorder.look("firewall-group", {"web": {"rules": [{"type": "in"}, {"action": "DROP"}]}})
    recorder.look("firewall-rules", {"cluster": {"entries": []}})
    assert _rows(
        url, "SELECT kind, key, wanted_state, max_restart, affinity FROM ha ORDER BY 1"
    ) == [
        ("ha-resource", "vm:100", "started", "2", None),
        ("ha-rule", "apart", None, None, "negative"),
    ]
    assert _rows(url, "SELECT key, zone, tag FROM sdn") == [("v1", "z1", "7")]
    assert "10.1.0.0/16" in _rows(url, "SELECT subnets FROM sdn")[0][0]
    assert _rows(
        url, "SELECT key, guests, enabled, disabled, target FROM jobs ORDER BY key DESC"
    ) == [
        ("b", "100,101", 0, None, None),
        ("100-0", "100", None, 1, "pve2"),
    ]
    assert "10de:1eb8" in _rows(url, "SELECT on_nodes FROM mappings")[0][0]
    assert _rows(url, "SELECT name, targets, severities FROM notifications") == [
        ("all", '["mail"]', '["error"]')
    ]
    assert _rows(url, "SELECT key, position, action FROM firewall_rules ORDER BY position") == [
        ("web", 0, None),
        ("web", 1, "DROP"),
    ]


def test_snapshots_of_guests_are_rows_and_odd_numbers_are_none(
    url: str, recorder: Recorder
) -> None:
    taken = {
        "before": {"snaptime": 5, "vmstate": 1},
        "after": {"snaptime": "6", "parent": "before"},
    }
    recorder.look("guest-snapshots", {"qemu/100": {"snapshots": taken}, "lxc/200": {}})
    recorder.look("node-disk", {"pve1//dev/sda": {"devpath": "/dev/sda", "size": "odd"}})
    assert _rows(
        url,
        "SELECT guest, snapshot, taken, parent, with_memory FROM guest_snapshots ORDER BY taken",
    ) == [("qemu/100", "before", 5, None, 1), ("qemu/100", "after", 6, "before", None)]
    assert _rows(url, "SELECT devpath, size_bytes FROM disks") == [("/dev/sda", None)]
