"""What holds for simulated guests after any sequence of operations."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.guests import drives
from proxmox_client.testing.guestwork.placing import place
from proxmox_client.testing.request import PveFault

VMIDS = st.sampled_from([100, 101, 102, 103])
NODES = st.sampled_from(["pve1", "pve2"])
STORAGES = st.sampled_from(["local", "local-lvm", "shared"])
SLOTS = st.sampled_from(["scsi0", "scsi1", "virtio0", "unused0", "unused1"])
CTIDS = st.sampled_from([103, 200, 201])
MOUNTS = st.sampled_from(["rootfs", "mp0", "mp1"])
TEMPLATE = "local:vztmpl/alpine.tar.gz"
SNAPSHOTS = st.sampled_from(["one", "two"])


@pytest.mark.requirement("guests.invariants")
class GuestOperations(RuleBasedStateMachine):
    """Operations in any order, overlapping as their tasks please."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = SimulatedCluster(nodes=("pve1", "pve2"))
        options = {"scsi0": "local-lvm:1", "net0": "virtio,bridge=vmbr0"}
        place(self.cluster, "qemu", "pve1", 100, options, template=True)
        self.cluster.add_volume("local", TEMPLATE, 1_000_000, node="pve1")
        self.cluster.add_volume("local", TEMPLATE, 1_000_000, node="pve2")
        self.ends: dict[str, str] = {}
        self.contents: dict[str, str] = {}
        self.digests: dict[str, str] = {}

    def _do(self, method: str, path: str, **params: Any) -> None:
        """Ask; being refused is fine, being broken is not."""
        with contextlib.suppress(PveFault):
            self.cluster.call(method, path, params)

    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.cluster.clock.advance(seconds)

    @rule(vmid=VMIDS, node=NODES, storage=STORAGES)
    def create(self, vmid: int, node: str, storage: str) -> None:
        params = {"vmid": vmid, "scsi0": f"{storage}:1,format=raw", "memory": 64}
        self._do("POST", f"/nodes/{node}/qemu", **params)

    @rule(source=VMIDS, vmid=VMIDS, node=NODES, full=st.booleans())
    def clone(self, source: int, vmid: int, node: str, full: bool) -> None:
        self._do("POST", f"/nodes/{node}/qemu/{source}/clone", newid=vmid, full=int(full))

    @rule(vmid=VMIDS, node=NODES, purge=st.booleans())
    def destroy(self, vmid: int, node: str, purge: bool) -> None:
        self._do("DELETE", f"/nodes/{node}/qemu/{vmid}", purge=int(purge))

    @rule(vmid=VMIDS, node=NODES, action=st.sampled_from(["start", "stop", "shutdown", "reboot"]))
    def power(self, vmid: int, node: str, action: str) -> None:
        self._do("POST", f"/nodes/{node}/qemu/{vmid}/status/{action}")

    @rule(vmid=VMIDS, node=NODES, slot=SLOTS, storage=STORAGES)
    def add_disk(self, vmid: int, node: str, slot: str, storage: str) -> None:
        if not slot.startswith("unused"):
            self._do("PUT", f"/nodes/{node}/qemu/{vmid}/config", **{slot: f"{storage}:1"})

    @rule(vmid=VMIDS, node=NODES, slot=SLOTS, force=st.booleans())
    def remove_disk(self, vmid: int, node: str, slot: str, force: bool) -> None:
        self._do("PUT", f"/nodes/{node}/qemu/{vmid}/config", delete=slot, force=int(force))

    @rule(vmid=VMIDS, node=NODES, slot=SLOTS)
    def attach_unused(self, vmid: int, node: str, slot: str) -> None:
        guest = self.cluster.guests.get(vmid)
        if guest is not None and "unused0" in guest.config and not slot.startswith("unused"):
            value = guest.config["unused0"]
            self._do("PUT", f"/nodes/{node}/qemu/{vmid}/config", **{slot: value})

    @rule(vmid=VMIDS, node=NODES, slot=SLOTS)
    def grow(self, vmid: int, node: str, slot: str) -> None:
        if not slot.startswith("unused"):
            self._do("PUT", f"/nodes/{node}/qemu/{vmid}/resize", disk=slot, size="+1G")

    @rule(vmid=VMIDS, node=NODES, slot=SLOTS, storage=STORAGES, delete=st.booleans())
    def move(self, vmid: int, node: str, slot: str, storage: str, delete: bool) -> None:
        if not slot.startswith("unused"):
            params = {"disk": slot, "storage": storage, "delete": int(delete)}
            self._do("POST", f"/nodes/{node}/qemu/{vmid}/move_disk", **params)

    @rule(vmid=VMIDS, node=NODES, goal=NODES)
    def migrate(self, vmid: int, node: str, goal: str) -> None:
        params = {"target": goal, "online": 1, "with-local-disks": 1}
        self._do("POST", f"/nodes/{node}/qemu/{vmid}/migrate", **params)

    @rule(vmid=VMIDS, node=NODES, name=SNAPSHOTS)
    def snapshot(self, vmid: int, node: str, name: str) -> None:
        self._do("POST", f"/nodes/{node}/qemu/{vmid}/snapshot", snapname=name)

    @rule(vmid=VMIDS, node=NODES, name=SNAPSHOTS)
    def roll_back(self, vmid: int, node: str, name: str) -> None:
        self._do("POST", f"/nodes/{node}/qemu/{vmid}/snapshot/{name}/rollback")

    @rule(vmid=VMIDS, node=NODES, name=SNAPSHOTS)
    def drop_snapshot(self, vmid: int, node: str, name: str) -> None:
        self._do("DELETE", f"/nodes/{node}/qemu/{vmid}/snapshot/{name}")

    @rule(vmid=CTIDS, node=NODES, storage=STORAGES)
    def create_container(self, vmid: int, node: str, storage: str) -> None:
        params = {"vmid": vmid, "ostemplate": TEMPLATE, "rootfs": f"{storage}:1"}
        self._do("POST", f"/nodes/{node}/lxc", **params)

    @rule(source=CTIDS, vmid=CTIDS, node=NODES)
    def clone_container(self, source: int, vmid: int, node: str) -> None:
        self._do("POST", f"/nodes/{node}/lxc/{source}/clone", newid=vmid)

    @rule(vmid=CTIDS, node=NODES, force=st.booleans())
    def destroy_container(self, vmid: int, node: str, force: bool) -> None:
        self._do("DELETE", f"/nodes/{node}/lxc/{vmid}", force=int(force))

    @rule(vmid=CTIDS, node=NODES, action=st.sampled_from(["start", "stop", "shutdown", "reboot"]))
    def power_container(self, vmid: int, node: str, action: str) -> None:
        self._do("POST", f"/nodes/{node}/lxc/{vmid}/status/{action}")

    @rule(vmid=CTIDS, node=NODES, slot=MOUNTS, storage=STORAGES)
    def add_mount(self, vmid: int, node: str, slot: str, storage: str) -> None:
        if slot != "rootfs":
            value = f"{storage}:1,mp=/{slot}"
            self._do("PUT", f"/nodes/{node}/lxc/{vmid}/config", **{slot: value})

    @rule(vmid=CTIDS, node=NODES, slot=st.sampled_from(["mp0", "mp1", "unused0"]))
    def remove_mount(self, vmid: int, node: str, slot: str) -> None:
        self._do("PUT", f"/nodes/{node}/lxc/{vmid}/config", delete=slot)

    @rule(vmid=CTIDS, node=NODES, slot=MOUNTS, storage=STORAGES, delete=st.booleans())
    def move_mount(self, vmid: int, node: str, slot: str, storage: str, delete: bool) -> None:
        params = {"volume": slot, "storage": storage, "delete": int(delete)}
        self._do("POST", f"/nodes/{node}/lxc/{vmid}/move_volume", **params)

    @rule(vmid=CTIDS, node=NODES, goal=NODES)
    def migrate_container(self, vmid: int, node: str, goal: str) -> None:
        params = {"target": goal, "restart": 1}
        self._do("POST", f"/nodes/{node}/lxc/{vmid}/migrate", **params)

    @rule(vmid=CTIDS, node=NODES, name=SNAPSHOTS, action=st.sampled_from(["take", "back", "drop"]))
    def snapshot_container(self, vmid: int, node: str, name: str, action: str) -> None:
        path = f"/nodes/{node}/lxc/{vmid}/snapshot"
        if action == "take":
            self._do("POST", path, snapname=name)
        elif action == "back":
            self._do("POST", f"{path}/{name}/rollback")
        else:
            self._do("DELETE", f"{path}/{name}")

    @rule(index=st.integers(min_value=0, max_value=5))
    def abort(self, index: int) -> None:
        running = [t for n in self.cluster.nodes.values() for t in n.tasks if t.running]
        if index < len(running):
            self.cluster.tasks.stop(running[index])

    @invariant()
    def a_volume_belongs_to_one_guest(self) -> None:
        users: Counter[tuple[str, str]] = Counter()
        for guest in self.cluster.guests.values():
            held = {
                drive.volid
                for options in (guest.config, guest.pending)
                for drive in drives.drives(guest.kind, options, unused=True)
                if drive.storage is not None and drive.new_size is None
            }
            for volid in held:
                volume = self.cluster.volumes.find(guest.node, volid)
                assert volume is not None, f"{guest.vmid} refers to {volid}, which is gone"
                assert volume.vmid == guest.vmid
                home = "" if self.cluster.storages[volume.storage].shared else guest.node
                users[home, volid] += 1
        assert all(count == 1 for count in users.values())

    @invariant()
    def a_slot_holds_a_volume_no_other_slot_holds(self) -> None:
        for guest in self.cluster.guests.values():
            held = [drive.volid for drive in drives.drives(guest.kind, guest.config, unused=True)]
            assert len(held) == len(set(held)), guest.config

    @invariant()
    def the_digest_changes_if_and_only_if_the_configuration_does(self) -> None:
        for guest in self.cluster.guests.values():
            held = (
                guest.config,
                guest.pending,
                guest.pending_delete,
                guest.parent,
                {name: snapshot.stored() for name, snapshot in guest.snapshots.items()},
            )
            content = json.dumps(held, sort_keys=True)
            digest = guest.digest
            assert self.contents.setdefault(digest, content) == content
            assert self.digests.setdefault(content, digest) == digest

    @invariant()
    def a_task_ends_once(self) -> None:
        for node in self.cluster.nodes.values():
            for task in node.tasks:
                if task.exitstatus is not None:
                    name = str(task.upid)
                    assert self.ends.setdefault(name, task.exitstatus) == task.exitstatus
                    assert sum(line.startswith("TASK ") for line in task.lines) == 1

    def teardown(self) -> None:
        """When everything has come to rest, nothing is locked and nothing is left over."""
        self.cluster.clock.advance(600)
        for guest in self.cluster.guests.values():
            assert guest.lock is None
        for volume in self.cluster.volumes:
            if volume.volid == TEMPLATE:
                continue
            owner = self.cluster.guests.get(volume.vmid or 0)
            assert owner is not None, f"{volume.volid} is left over"


TestGuestOperations = GuestOperations.TestCase
TestGuestOperations.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
