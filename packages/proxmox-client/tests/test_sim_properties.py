"""What holds for a whole simulated cluster after any interleaving of valid operations.

`test_sim_guests_invariants.py` goes deep into guests; here all kinds meet: accounts, rights, pools,
storages, networks, firewall, jobs, and guests that come, move and go under them.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.guests import drives
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.saving import from_document, to_document

VMIDS = st.sampled_from([100, 101, 200])
NODES = st.sampled_from(["pve1", "pve2"])
STORAGES = st.sampled_from(["local", "local-lvm", "shared", "extra"])
POOLS = st.sampled_from(["prod", "test"])
USERS = st.sampled_from(["bob@pve", "eve@pve"])
ZONES = st.sampled_from(["z1", "z2"])


@pytest.mark.requirement("cluster.invariants")
class ClusterOperations(RuleBasedStateMachine):
    """Operations of all kinds in any order, overlapping as their tasks please."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = SimulatedCluster(nodes=("pve1", "pve2"))
        self.ends: dict[str, tuple[str, float]] = {}
        self.texts: dict[tuple[str, str], str] = {}

    def _do(self, method: str, where: str, /, **params: Any) -> None:
        """Ask; being refused is fine, being broken is not."""
        with contextlib.suppress(PveFault):
            self.cluster.call(method, where, params)

    # --- guests -----------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.1, 1.0, 15.0, 120.0]))
    def wait(self, seconds: float) -> None:
        self.cluster.clock.advance(seconds)

    @rule(vmid=VMIDS, node=NODES, storage=STORAGES, pool=st.none() | POOLS)
    def create(self, vmid: int, node: str, storage: str, pool: str | None) -> None:
        params: dict[str, Any] = {"vmid": vmid, "scsi0": f"{storage}:1", "memory": 64}
        self._do("POST", f"/nodes/{node}/qemu", **params, **({"pool": pool} if pool else {}))

    @rule(vmid=VMIDS, node=NODES, newid=VMIDS)
    def clone(self, vmid: int, node: str, newid: int) -> None:
        self._do("POST", f"/nodes/{node}/qemu/{vmid}/clone", newid=newid, full=1)

    @rule(vmid=VMIDS, node=NODES, purge=st.booleans())
    def destroy(self, vmid: int, node: str, purge: bool) -> None:
        self._do("DELETE", f"/nodes/{node}/qemu/{vmid}", purge=int(purge))

    @rule(vmid=VMIDS, node=NODES, action=st.sampled_from(["start", "stop", "shutdown"]))
    def power(self, vmid: int, node: str, action: str) -> None:
        self._do("POST", f"/nodes/{node}/qemu/{vmid}/status/{action}")

    @rule(vmid=VMIDS, node=NODES, goal=NODES)
    def migrate(self, vmid: int, node: str, goal: str) -> None:
        params = {"target": goal, "online": 1, "with-local-disks": 1}
        self._do("POST", f"/nodes/{node}/qemu/{vmid}/migrate", **params)

    @rule(vmid=VMIDS, node=NODES, storage=STORAGES)
    def move_disk(self, vmid: int, node: str, storage: str) -> None:
        params = {"disk": "scsi0", "storage": storage, "delete": 1}
        self._do("POST", f"/nodes/{node}/qemu/{vmid}/move_disk", **params)

    @rule(vmid=VMIDS, node=NODES)
    def back_up(self, vmid: int, node: str) -> None:
        self._do("POST", f"/nodes/{node}/vzdump", vmid=str(vmid), storage="shared")

    @rule(vmid=VMIDS, node=NODES, force=st.booleans())
    def restore(self, vmid: int, node: str, force: bool) -> None:
        backups = [v.volid for v in self.cluster.volumes if v.content == "backup"]
        if backups:
            params = {"vmid": vmid, "archive": backups[0], "force": int(force)}
            self._do("POST", f"/nodes/{node}/qemu", **params)

    # --- what stands around them --------------------------------------------------------------

    @rule(pool=POOLS)
    def create_pool(self, pool: str) -> None:
        self._do("POST", "/pools", poolid=pool)

    @rule(pool=POOLS, vmid=VMIDS, delete=st.booleans(), move=st.booleans())
    def change_pool(self, pool: str, vmid: int, delete: bool, move: bool) -> None:
        params = {"poolid": pool, "vms": str(vmid), "allow-move": int(move)}
        self._do("PUT", "/pools", **params, **({"delete": 1} if delete else {}))

    @rule(pool=POOLS)
    def delete_pool(self, pool: str) -> None:
        self._do("DELETE", "/pools", poolid=pool)

    @rule(user=USERS)
    def create_user(self, user: str) -> None:
        self._do("POST", "/access/users", userid=user)
        self._do("POST", f"/access/users/{user}/token/mon")

    @rule(user=USERS)
    def delete_user(self, user: str) -> None:
        self._do("DELETE", f"/access/users/{user}")

    @rule(user=USERS, delete=st.booleans(), pool=POOLS)
    def grant(self, user: str, delete: bool, pool: str) -> None:
        params = {"path": f"/pool/{pool}", "roles": "PVEAuditor", "users": user}
        self._do("PUT", "/access/acl", **params, **({"delete": 1} if delete else {}))

    @rule()
    def add_storage(self) -> None:
        self._do("POST", "/storage", storage="extra", type="dir", path="/x", content="images")

    @rule(disable=st.booleans(), storage=STORAGES)
    def change_storage(self, disable: bool, storage: str) -> None:
        self._do("PUT", f"/storage/{storage}", disable=int(disable))

    @rule()
    def remove_storage(self) -> None:
        self._do("DELETE", "/storage/extra")

    @rule(zone=ZONES, delete=st.booleans())
    def change_networks(self, zone: str, delete: bool) -> None:
        if delete:
            self._do("DELETE", f"/cluster/sdn/zones/{zone}")
        else:
            self._do("POST", "/cluster/sdn/zones", zone=zone, type="simple")

    @rule()
    def apply_networks(self) -> None:
        self._do("PUT", "/cluster/sdn")

    @rule(enable=st.booleans())
    def change_firewall(self, enable: bool) -> None:
        self._do("PUT", "/cluster/firewall/options", enable=int(enable))

    @rule(action=st.sampled_from(["ACCEPT", "DROP"]))
    def add_rule(self, action: str) -> None:
        self._do("POST", "/cluster/firewall/rules", type="in", action=action)

    @rule(position=st.integers(0, 3))
    def remove_rule(self, position: int) -> None:
        self._do("DELETE", f"/cluster/firewall/rules/{position}")

    @precondition(lambda self: not self._running())
    @rule()
    def save_and_load(self) -> None:
        self.cluster = from_document(to_document(self.cluster))

    def _running(self) -> bool:
        return any(task.running for node in self.cluster.nodes.values() for task in node.tasks)

    # --- what always holds --------------------------------------------------------------------

    @invariant()
    def a_guest_is_listed_once_at_its_node(self) -> None:
        listed = [
            (row["vmid"], node)
            for node in self.cluster.nodes
            for row in self.cluster.call("GET", f"/nodes/{node}/qemu")
        ]
        numbers = [vmid for vmid, _ in listed]
        assert len(numbers) == len(set(numbers))
        assert dict(listed) == {guest.vmid: guest.node for guest in self.cluster.guests.values()}
        resources = self.cluster.call("GET", "/cluster/resources", {"type": "vm"})
        assert sorted(row["vmid"] for row in resources) == sorted(numbers)

    @invariant()
    def a_volume_belongs_to_one_guest(self) -> None:
        owners: dict[tuple[str, str], int] = {}
        for guest in self.cluster.guests.values():
            for drive in drives.drives(guest.kind, guest.config, unused=True):
                if drive.storage in self.cluster.storages and drive.new_size is None:
                    shared = self.cluster.storages[drive.storage].shared
                    key = ("" if shared else guest.node, drive.volid)
                    assert owners.setdefault(key, guest.vmid) == guest.vmid

    @invariant()
    def storages_take_what_lies_on_them(self) -> None:
        volumes = self.cluster.volumes
        for name, storage in self.cluster.storages.items():
            for node in self.cluster.nodes:
                here = volumes.on(name, node)
                taken = sum(v.size if v.used is None else v.used for v in here)
                used = volumes.used(storage, node)
                assert 0 <= used - storage.base_used <= taken
                assert volumes.available(storage, node) == max(0, storage.total - used)
                assert len({volume.volid for volume in here}) == len(here)

    @invariant()
    def a_guest_is_in_one_pool_at_most(self) -> None:
        members = [vmid for pool in self.cluster.pools.values() for vmid in pool.guests]
        assert len(members) == len(set(members))

    @invariant()
    def rights_are_those_of_accounts_that_exist(self) -> None:
        access = self.cluster.access
        for entry in access.acl:
            if entry.kind == "user":
                assert entry.ugid in access.users
            elif entry.kind == "token":
                user, _, token = entry.ugid.partition("!")
                assert token in access.users[user].tokens

    @invariant()
    def rules_stand_at_their_positions(self) -> None:
        rows = self.cluster.call("GET", "/cluster/firewall/rules")
        assert [row["pos"] for row in rows] == list(range(len(rows)))

    @invariant()
    def a_digest_changes_if_and_only_if_the_configuration_does(self) -> None:
        for path, value in self._digested():
            digest = value.pop("digest", None)
            if digest is not None:
                text = json.dumps(value, sort_keys=True)
                assert self.texts.setdefault((path, digest), text) == text
                assert self.texts.setdefault((path, text), digest) == digest

    def _digested(self) -> list[tuple[str, dict[str, Any]]]:
        read = self.cluster.call
        found: list[tuple[str, dict[str, Any]]] = [
            (f"guest {guest.vmid}", {"text": guest.text(), "digest": guest.digest})
            for guest in self.cluster.guests.values()
        ]
        rows = [dict(row) for row in read("GET", "/storage")]
        digests = {row.pop("digest") for row in rows}
        assert len(digests) <= 1
        found += [("/storage", {"rows": rows, "digest": digest}) for digest in digests]
        found.append(("firewall", dict(read("GET", "/cluster/firewall/options"))))
        return found

    @invariant()
    def a_task_ends_once(self) -> None:
        for node in self.cluster.nodes.values():
            names = [str(task.upid) for task in node.tasks]
            assert len(names) == len(set(names))
            for task in node.tasks:
                if task.ended is not None:
                    end = (str(task.exitstatus), task.ended)
                    assert self.ends.setdefault(str(task.upid), end) == end
                    assert task.ended <= self.cluster.clock.now()

    def teardown(self) -> None:
        """When everything has come to rest no task runs and no guest is locked."""
        self.cluster.clock.advance(900)
        assert not self._running()
        assert [guest.lock for guest in self.cluster.guests.values() if guest.lock] == []


TestClusterOperations = ClusterOperations.TestCase
TestClusterOperations.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
