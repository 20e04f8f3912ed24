"""Which changes the cloud-init drive of a guest would not get by itself, held against a guest."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.classify import classify, hotplug_features
from pmpc_reconcile.diff import FieldChange, three_way, to_wire
from pmpc_reconcile.kinds import kind
from pmpc_reconcile.live import GuestObject
from pmpc_reconcile.plans.cloud_init import family, ours_behind, written_to
from pmpc_reconcile.plans.update import EFFECT_WORDS
from pmpc_reconcile.values import FieldValue, live_fields
from proxmox_client import schema
from proxmox_client.testing import SimulatedCluster

VM = kind("VirtualMachine")
PATH = "/nodes/pve1/qemu/100"
OPTIONS = {
    "name": "web", "ciuser": "deb", "cipassword": "geheim", "ipconfig0": "ip=dhcp",
    "ipconfig2": "ip=dhcp", "nameserver": "1.1.1.1", "ciupgrade": "1",
    "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0", "ostype": "l26",
}  # fmt: skip
CHANGES: dict[str, FieldValue | None] = {
    "name": "other", "ciuser": "admin", "cipassword": "other", "ipconfig0.ip": "10.0.0.9/24",
    "ipconfig1.ip": "10.0.0.8/24", "ipconfig2.ip": None, "nameserver": None,
    "sshkeys": "ssh-ed25519 AAAA a@b", "citype": "configdrive2", "ciupgrade": False,
    "searchdomain": "example.com",
    "cicustom.user": "local:snippets/u.yml", "net0.bridge": "vmbr1", "net0.model": "e1000",
    "net0.macaddr": "BC:24:11:00:00:02", "cores": 2, "description": "new", "tags.web": True,
}  # fmt: skip
HOTPLUG = {"usual": "1", "none": "0", "follows": "network,disk,usb,cloudinit"}


def machine(hotplug: str, *, running: bool, drive: bool) -> SimulatedCluster:
    cluster = SimulatedCluster(nodes=("pve1",))
    more = {"ide2": "local:cloudinit"} if drive else {}
    status = "running" if running else "stopped"
    cluster.add_vm("pve1", 100, {**OPTIONS, **more, "hotplug": HOTPLUG[hotplug]}, status=status)
    return cluster


def seen(cluster: SimulatedCluster, *, running: bool) -> GuestObject:
    def config(**params: object) -> dict[str, Any]:
        found: dict[str, Any] = cluster.call("GET", f"{PATH}/config", params)
        return found

    whole, current = config(), config(current=1)
    digest = str(whole.pop("digest"))
    return GuestObject(100, "qemu", "pve1", whole, current, digest, running)


def change_of(guest: GuestObject, name: str) -> FieldChange:
    path, value = f"config.{name}", CHANGES[name]
    live = live_fields(VM, guest.config)
    if value is None:
        (found,) = three_way(VM, {}, live, {path: live[path]}).changes
    else:
        (found,) = three_way(VM, {path: value}, live, {}).changes
    return found


def check(name: str, hotplug: str, *, running: bool = True, drive: bool = True) -> None:
    cluster = machine(hotplug, running=running, drive=drive)
    guest = seen(cluster, running=running)
    change = change_of(guest, name)
    effect = classify(
        VM, change.path, change.action, running=running,
        hotplug=hotplug_features(guest.running_config),
        before=change.live, after=change.desired,
    )  # fmt: skip
    predicted = written_to(guest, [change], {change.path: EFFECT_WORDS[effect]})
    cluster.call("PUT", f"{PATH}/config", to_wire(VM, [change], guest.config).parameters())
    noted = set(cluster.guests[100].cloudinit)
    if name == "cipassword" and running and drive:
        noted = {"cipassword"}  # which PVE does not note, hot-plug or not
    assert set(predicted) == noted


@pytest.mark.parametrize("hotplug", HOTPLUG)
@pytest.mark.parametrize("name", CHANGES)
def test_a_running_guest(name: str, hotplug: str) -> None:
    check(name, hotplug)


@pytest.mark.parametrize("name", CHANGES)
def test_a_stopped_guest_and_one_without_a_drive(name: str) -> None:
    check(name, "usual", running=False)
    check(name, "usual", drive=False)


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_written_before_is_known_by_the_list_or_by_the_record(name: str) -> None:
    cluster = machine("usual", running=True, drive=True)
    option = name.partition(".")[0]
    change = change_of(seen(cluster, running=True), name)
    wire = to_wire(VM, [change], seen(cluster, running=True).config)
    cluster.call("PUT", f"{PATH}/config", wire.parameters())
    guest = seen(cluster, running=True)
    rows = cluster.call("GET", f"{PATH}/cloudinit")
    listed = frozenset(row["key"] for row in rows if "pending" in row or row.get("delete"))
    lacks = cluster.guests[100].cloudinit.keys() | ({"cipassword"} & {option})
    begun = {"cloud-init": ",".join(sorted(lacks))}
    assert set(ours_behind(guest, {option}, begun, listed)) == lacks
    cluster.call("PUT", f"{PATH}/cloudinit")
    unlisted = {"cipassword", "ipconfig", "net", "name", "ciupgrade"}
    certain = {key for key in lacks if family(key) in unlisted}
    assert set(ours_behind(guest, {option}, begun, frozenset())) == certain


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("version", schema.versions())
def test_every_version_lists_what_waits_and_writes_the_drive(version: str, method: str) -> None:
    path = "/nodes/{node}/qemu/{vmid}/cloudinit"
    assert schema.operation(method, path, version).method == method
