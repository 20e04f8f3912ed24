"""A cluster that people set up by hand, with a recorded past."""

from __future__ import annotations

from typing import Any

from pmpc_reconcile.actions import ActionContext, invoke
from pmpc_reconcile.actions.restore_manifest import RestoreManifestInput, RestoreManifestOutput
from pmpc_reconcile.manifests import load_text
from pmpc_state import COLLECTIONS, sync

PREFIXES = ("firewall-", "node-firewall-", "guest-firewall", "sdn-", "node-network", "user")
SETTINGS = tuple(one for one in COLLECTIONS if one.kind.startswith(PREFIXES))
Call = tuple[str, str, dict[str, Any]]
VM, CT = "/nodes/pve1/qemu/700", "/nodes/pve1/lxc/701"
WALL, SDN, NET = "/cluster/firewall", "/cluster/sdn", "/nodes/pve1/network"
IMAGE_URL = "https://images.example.org/debian.iso"

BEFORE: list[Call] = [
    ("POST", "/storage", {"storage": "tank", "type": "nfs", "server": "10.77.0.200",
                          "export": "/tank", "content": "iso,backup",
                          "prune-backups": "keep-last=3"}),
    ("POST", "/pools", {"poolid": "prod", "comment": "for people"}),
    ("PUT", "/pools/prod", {"vms": "700", "storage": "shared"}),
    ("POST", f"{SDN}/zones", {"zone": "lab", "type": "vlan", "bridge": "vmbr0",
                              "nodes": "pve1,pve2"}),
    ("POST", f"{SDN}/vnets", {"vnet": "web", "zone": "lab", "tag": 20}),
    ("POST", f"{SDN}/vnets/web/subnets", {"subnet": "10.5.0.0/24", "type": "subnet",
                                          "gateway": "10.5.0.1"}),
    ("PUT", SDN, {}),
    ("POST", NET, {"iface": "vmbr1", "type": "bridge", "autostart": 1, "comments": "guests"}),
    ("PUT", NET, {}),
    ("POST", f"{WALL}/aliases", {"name": "desk", "cidr": "192.0.2.66", "comment": "Ada"}),
    ("POST", f"{WALL}/ipset", {"name": "office"}),
    ("POST", f"{WALL}/ipset/office", {"cidr": "192.0.2.0/24"}),
    ("POST", f"{WALL}/ipset/office", {"cidr": "192.0.2.9", "nomatch": 1}),
    ("POST", f"{WALL}/groups", {"group": "web", "comment": "front"}),
    ("POST", f"{WALL}/groups/web", {"type": "in", "action": "ACCEPT", "enable": 1,
                                    "proto": "tcp", "dport": "80"}),
    ("POST", f"{WALL}/rules", {"type": "in", "action": "DROP", "dport": "25", "proto": "tcp"}),
    ("POST", f"{WALL}/rules", {"type": "in", "action": "ACCEPT", "macro": "SSH", "enable": 1,
                               "source": "+office", "comment": "ssh"}),
    ("PUT", f"{WALL}/options", {"policy_out": "ACCEPT", "ebtables": 0}),
    ("PUT", "/nodes/pve2/firewall/options", {"log_level_in": "info"}),
    ("POST", "/nodes/pve2/firewall/rules", {"type": "in", "action": "ACCEPT", "enable": 1,
                                            "proto": "tcp", "dport": "9100"}),
    ("PUT", f"{VM}/firewall/options", {"enable": 1, "policy_in": "DROP"}),
    ("POST", f"{VM}/firewall/aliases", {"name": "db", "cidr": "10.5.0.9"}),
    ("POST", f"{VM}/firewall/rules", {"type": "in", "action": "ACCEPT", "enable": 1,
                                      "source": "db"}),
]  # fmt: skip
"""What people set up before."""


class Past:
    """A cluster with a recorded past."""

    def __init__(self, lab: Any) -> None:
        self.lab = lab

    def somebody(self, calls: list[Call]) -> None:
        for method, path, params in calls:
            self.lab.cluster.call(method, path, params)
        self.lab.cluster.clock.advance(60)

    async def sync(self, snapshot: str | None = None, settings: Any = SETTINGS) -> None:
        self.lab.cluster.clock.advance(30)
        await sync(self.lab.state, self.lab.client, "lab", collections=settings)
        if snapshot:
            self.lab.state.writer().snapshot("lab", snapshot)
        self.lab.cluster.clock.advance(30)

    async def adopt(self, kind: str, name: str) -> None:
        """Take over what is there as it is."""
        adopted, plan = await self.lab.engine.adopt((name,), (kind,), "back")
        assert not plan.errors, plan.explain()
        assert not plan.conflicts, plan.explain()
        assert (await self.lab.engine.apply(plan)).ok, adopted.text

    async def manifest(self, name: str, at: str | None = "good") -> RestoreManifestOutput:
        clock = self.lab.cluster.clock
        context = ActionContext("lab", self.lab.state, None, now=clock.now, sleep=clock.asleep)
        wanted = RestoreManifestInput(name=name, at=at)
        found = await invoke("restore-manifest", context, wanted)
        assert isinstance(found, RestoreManifestOutput)
        assert "hmac-sha256" not in found.text
        return found

    async def plan(self, text: str) -> Any:
        return await self.lab.engine.plan(load_text(text), "back")

    async def apply(self, text: str) -> None:
        plan = await self.plan(text)
        assert not plan.errors, plan.explain()
        assert not plan.conflicts, plan.explain()
        report = await self.lab.engine.apply(plan)
        assert report.ok, [item.reason for item in report.failed]

    def differs(self, prefix: str) -> list[str]:
        """Return what is not as it was when all was good."""
        reader = self.lab.state.reader()
        since = reader.find_snapshot("lab", "good").taken_at
        return [
            f"{one.resource_kind}/{one.key} {one.kind.value} {[f.path for f in one.fields]}"
            for one in reader.diff("lab", since)
            if one.resource_kind.startswith(prefix)
        ]
