"""The pure rules of simulated guests."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxmox_client.testing.guests import (
    changes,
    cloneplan,
    cloudinit,
    drives,
    filesystem,
    hotplug,
    identity,
    keyed,
    nics,
    options,
    sizes,
    snapshots,
)
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.hotplug import Outcome
from proxmox_client.testing.guests.options import Kind

MACHINE = {
    "boot": "order=scsi0;ide2;net0",
    "cores": "2",
    "ide2": "local:iso/x.iso,media=cdrom,size=1M",
    "memory": "512",
    "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
    "scsi0": "local-lvm:vm-100-disk-0,discard=on,size=8G",
}


@pytest.mark.requirement("types.sizes")
@given(st.integers(min_value=1, max_value=2**52))
def test_a_size_survives_writing_and_reading(size: int) -> None:
    assert sizes.parse_size(sizes.format_size(size)) == size


@pytest.mark.requirement("types.sizes")
@pytest.mark.parametrize(
    ("size", "text"),
    [(1024**3, "1G"), (1280 * 1024**2, "1280M"), (540672, "528K"), (53687296, "52429K"), (7, "7")],
)
def test_sizes_use_the_largest_unit_that_divides(size: int, text: str) -> None:
    assert sizes.format_size(size) == text


@pytest.mark.requirement("types.property-order")
def test_property_strings_put_the_default_and_required_keys_first() -> None:
    text = keyed.write({"size": "1G", "mp": "/data", "volume": "v", "acl": "1"}, "volume", ("mp",))
    assert text == "v,mp=/data,acl=1,size=1G"
    assert keyed.parse("v,mp=/data", "volume") == {"volume": "v", "mp": "/data"}


@pytest.mark.requirement("guests.disk-sizes")
@pytest.mark.parametrize(
    ("size", "made_with", "usable"),
    [(512 * 2**20, 512 * 2**20, 510873600), (1280 * 2**20, 2**30, 1284399104)],
)
def test_a_file_system_offers_less_than_its_volume(size: int, made_with: int, usable: int) -> None:
    assert filesystem.usable_size(size, made_with) == usable


@pytest.mark.requirement("guests.disk-sizes")
def test_a_new_volume_is_rounded_down_to_whole_mebibytes() -> None:
    assert drives.parse_drive("rootfs", "local2:0.1").new_size == 102 * 2**20


@pytest.mark.requirement("guests.disk-sizes")
def test_a_new_disk_is_rounded_up_to_whole_kibibytes() -> None:
    assert drives.parse_drive("scsi0", "local2:0.01").new_size == 10737664


@pytest.mark.requirement("types.cards")
@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            "virtio=bc:24:11:aa:bb:cc,tag=2,bridge=vmbr0",
            "virtio=BC:24:11:AA:BB:CC,bridge=vmbr0,tag=2",
        ),
        ("model=e1000,macaddr=BC:24:11:AA:BB:CC", "e1000=BC:24:11:AA:BB:CC"),
    ],
)
def test_cards_are_written_model_first_and_keys_sorted(text: str, written: str) -> None:
    assert nics.normalise_net(text, random.Random(1)) == written


@pytest.mark.requirement("types.cards")
def test_cards_without_an_address_get_one_with_proxmox_prefix() -> None:
    chance = random.Random(1)
    assert nics.parse_net(nics.normalise_net("virtio,bridge=vmbr0", chance))["macaddr"].startswith(
        "BC:24:11:"
    )
    veth = nics.normalise_veth("bridge=vmbr0,name=eth0,ip=dhcp", chance)
    assert veth.startswith("name=eth0,bridge=vmbr0,hwaddr=BC:24:11:")
    assert veth.endswith(",ip=dhcp,type=veth")


@pytest.mark.requirement("types.tags")
def test_tags_are_unique_lower_case_and_sorted() -> None:
    assert options.normalise_tags("web,DB;web prod") == "db;prod;web"


@pytest.mark.requirement("types.description")
@pytest.mark.parametrize(
    ("kind", "text", "stored"),
    [("qemu", "a\n\n", "a"), ("lxc", "a", "a\n"), ("lxc", "a\n", "a\n"), ("lxc", "", "")],
)
def test_only_a_containers_description_ends_in_a_line_feed(
    kind: Kind, text: str, stored: str
) -> None:
    assert options.normalise_description(kind, text) == stored


@pytest.mark.requirement("types.option-families")
@pytest.mark.parametrize(
    ("kind", "name", "known"),
    [
        ("qemu", "scsi30", True),
        ("qemu", "scsi31", False),
        ("qemu", "bogus", False),
        ("qemu", "net", False),
        ("qemu", "unused7", True),
        ("lxc", "mp255", True),
        ("lxc", "scsi0", False),
        ("lxc", "ostemplate", False),
    ],
)
def test_options_exist_within_the_limits_of_their_family(
    kind: Kind, name: str, known: bool
) -> None:
    assert options.option_exists(kind, name) is known


@pytest.mark.requirement("types.numbers-as-text")
def test_memory_is_text_for_machines_and_a_number_for_containers() -> None:
    assert options.api_value("qemu", "memory", "256") == "256"
    assert options.api_value("lxc", "memory", "256") == 256
    assert options.api_value("qemu", "cpulimit", "0.5") == "0.5"
    assert options.api_value("qemu", "onboot", "0") == 0


LIVE, PENDING, UNPLUG = Outcome.LIVE, Outcome.PENDING, Outcome.UNPLUG


@pytest.mark.requirement("config.hotplug")
@pytest.mark.parametrize(
    ("name", "new", "outcome"),
    [
        ("description", "x", LIVE),
        ("tags", "a;b", LIVE),
        ("name", "other", LIVE),
        ("protection", "1", LIVE),
        ("cpuunits", "200", LIVE),
        ("cores", "4", PENDING),
        ("memory", "1024", PENDING),
        ("vga", "serial0", PENDING),
        ("boot", "order=scsi0", PENDING),
        ("agent", "1", PENDING),
        ("balloon", "0", PENDING),
        ("balloon", "256", LIVE),
        ("net0", "virtio=BC:24:11:00:00:01,bridge=vmbr1,tag=5", LIVE),
        ("net0", "e1000=BC:24:11:00:00:01,bridge=vmbr0", UNPLUG),
        ("net1", "virtio=BC:24:11:00:00:02,bridge=vmbr0", LIVE),
        ("scsi0", "local-lvm:vm-100-disk-0,discard=on,iops=100,size=8G", LIVE),
        ("scsi0", "local-lvm:vm-100-disk-0,size=8G", PENDING),
        ("scsi0", "local-lvm:vm-100-disk-1,size=8G", UNPLUG),
        ("scsi1", "local-lvm:vm-100-disk-1,size=8G", LIVE),
        ("sata0", "local-lvm:vm-100-disk-1,size=8G", PENDING),
        ("efidisk0", "local-lvm:vm-100-disk-1,size=4M", PENDING),
        ("ide2", "none,media=cdrom", LIVE),
    ],
)
def test_what_a_running_machine_takes_at_once(name: str, new: str, outcome: Outcome) -> None:
    assert hotplug.change("qemu", MACHINE, name, new) is outcome


@pytest.mark.requirement("config.hotplug")
@pytest.mark.parametrize(
    ("features", "name", "new", "outcome"),
    [
        ("0", "net1", "virtio=BC:24:11:00:00:02,bridge=vmbr0", PENDING),
        ("memory,cpu", "memory", "1024", LIVE),
        ("memory,cpu", "vcpus", "2", LIVE),
        ("network", "scsi1", "local-lvm:vm-100-disk-1,size=8G", PENDING),
    ],
)
def test_hotplug_features_decide(features: str, name: str, new: str, outcome: Outcome) -> None:
    assert hotplug.change("qemu", {**MACHINE, "hotplug": features}, name, new) is outcome


@pytest.mark.requirement("config.hotplug")
@pytest.mark.parametrize(
    ("ostype", "outcome"),
    [
        ("l26", Outcome.LIVE),
        ("win11", Outcome.LIVE),
        ("win7", Outcome.PENDING),
        ("other", Outcome.PENDING),
        (None, Outcome.PENDING),
    ],
)
def test_usb_devices_are_plugged_only_where_the_system_notices(
    ostype: str | None, outcome: Outcome
) -> None:
    config = MACHINE if ostype is None else {**MACHINE, "ostype": ostype}
    assert hotplug.change("qemu", config, "usb0", "host=1234:5678") is outcome
    assert hotplug.removal("qemu", {**config, "usb0": "host=1234:5678"}, "usb0") is outcome


@pytest.mark.requirement("config.hotplug-container")
@pytest.mark.parametrize(
    ("name", "new", "outcome"),
    [
        ("memory", "1024", LIVE),
        ("hostname", "x", LIVE),
        ("net0", "name=eth0,hwaddr=BC:24:11:00:00:01", LIVE),
        ("mp1", "local:1,mp=/x", LIVE),
        ("mp0", "local:1,mp=/x", PENDING),
        ("features", "nesting=1", PENDING),
        ("nameserver", "1.1.1.1", PENDING),
    ],
)
def test_what_a_running_container_takes_at_once(name: str, new: str, outcome: Outcome) -> None:
    assert hotplug.change("lxc", {"mp0": "local:v,mp=/data"}, name, new) is outcome


@pytest.mark.requirement("config.pending")
def test_pending_values_show_beside_the_values_in_force() -> None:
    guest = Guest(100, "qemu", "pve1", dict(MACHINE), "running")
    guest.want("memory", "1024")
    guest.want("vga", "std")
    guest.want_deleted("cores", force=False)
    rows = {row["key"]: row for row in guest.pending_list()}
    assert rows["memory"] == {"key": "memory", "value": "512", "pending": "1024"}
    assert rows["vga"] == {"key": "vga", "pending": "std"}
    assert rows["cores"] == {"key": "cores", "value": 2, "delete": 1}
    assert guest.shown()["memory"] == "1024"
    assert "cores" not in guest.shown()
    assert guest.shown(current=True)["memory"] == "512"


@pytest.mark.requirement("config.detached")
def test_a_detached_disk_becomes_unused_and_comes_back() -> None:
    guest = Guest(100, "qemu", "pve1", dict(MACHINE))
    guest.want_deleted("scsi0", force=False)
    effects = changes.apply(guest, frozenset({"scsi0"}))
    assert guest.config["unused0"] == "local-lvm:vm-100-disk-0"
    assert effects.freed == []
    guest.want("scsi3", "local-lvm:vm-100-disk-0,size=8G")
    changes.apply(guest, frozenset({"scsi3"}))
    assert "unused0" not in guest.config


@pytest.mark.requirement("config.detached")
def test_a_disk_a_snapshot_needs_is_not_removed() -> None:
    guest = Guest(100, "qemu", "pve1", dict(MACHINE))
    snapshots.take(guest, "before", now=1.0)
    guest.want_deleted("scsi0", force=True)
    effects = changes.apply(guest, frozenset({"scsi0"}))
    assert effects.freed == []
    assert "volume is still in use (snapshot?)" in effects.errors["scsi0"]
    assert "scsi0" in guest.config


@pytest.mark.requirement("guests.snapshots")
def test_removing_a_snapshot_hands_its_children_to_its_parent() -> None:
    guest = Guest(100, "qemu", "pve1", dict(MACHINE))
    for number, name in enumerate(("a", "b", "c")):
        snapshots.take(guest, name, now=float(number))
    snapshots.remove(guest, "b")
    assert guest.snapshots["c"].parent == "a"
    snapshots.remove(guest, "c")
    assert guest.parent == "a"
    assert [row["name"] for row in snapshots.listing(guest)] == ["a", "current"]


@pytest.mark.requirement("guests.snapshots")
def test_rolling_back_keeps_the_description_and_drops_pending_changes() -> None:
    guest = Guest(100, "qemu", "pve1", {**MACHINE, "description": "old"})
    snapshots.take(guest, "a", now=1.0, description="of the snapshot")
    guest.config["memory"] = "2048"
    guest.config["description"] = "new"
    guest.want("cores", "8")
    snapshots.roll_back(guest, "a")
    assert guest.config["memory"] == "512"
    assert guest.config["description"] == "new"
    assert guest.pending == {}


@pytest.mark.requirement("guests.clones")
def test_a_clone_gets_a_new_address_and_uuid_and_keeps_its_medium() -> None:
    source = {**MACHINE, "smbios1": "uuid=1,sku=x", "template": "1", "unused0": "v", "tags": "a"}
    plan = cloneplan.plan("qemu", source, random.Random(3))
    assert [drive.slot for drive in plan.drives] == ["scsi0"]
    assert plan.config["ide2"] == MACHINE["ide2"]
    assert plan.config["tags"] == "a"
    assert plan.config["net0"] != MACHINE["net0"]
    assert plan.config["smbios1"].startswith("sku=x,uuid=")
    assert not {"template", "unused0", "scsi0"} & plan.config.keys()


@pytest.mark.requirement("guests.created")
def test_the_boot_order_of_a_new_machine_is_disk_medium_card() -> None:
    assert drives.default_boot(MACHINE) == "order=scsi0;ide2;net0"
    assert drives.default_boot({}) == " "


@pytest.mark.requirement("guests.cloudinit")
def test_cloud_init_documents_name_host_user_and_network() -> None:
    config = {
        "name": "app01",
        "searchdomain": "example.com",
        "ciuser": "deb",
        "sshkeys": "ssh-ed25519%20AAAA%20a%40b",
        "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
        "ipconfig0": "ip=10.0.0.5/24,gw=10.0.0.1",
    }
    user = cloudinit.dump(config, 101, "user")
    assert "hostname: app01\n" in user
    assert "fqdn: app01.example.com\n" in user
    assert "  - ssh-ed25519 AAAA a@b\n" in user
    network = cloudinit.dump(config, 101, "network")
    assert "mac_address: 'bc:24:11:00:00:01'" in network
    assert "netmask: '255.255.255.0'" in network
    assert cloudinit.dump(config, 101, "meta").startswith("instance-id: ")


@pytest.mark.requirement("types.secrets")
def test_a_password_is_hashed_once() -> None:
    chance = random.Random(1)
    hashed = identity.hash_password("geheim", chance)
    assert hashed.startswith("$5$")
    assert "geheim" not in hashed
    assert identity.hash_password(hashed, chance) == hashed


@pytest.mark.requirement("config.digest-is-content")
@given(
    st.dictionaries(st.sampled_from(sorted(MACHINE)), st.sampled_from(["1", "2", "x=1"])),
    st.dictionaries(st.sampled_from(sorted(MACHINE)), st.sampled_from(["1", "2", "x=1"])),
)
def test_the_digest_tells_configurations_apart(
    first: dict[str, str], second: dict[str, str]
) -> None:
    digests = [Guest(100, "qemu", "pve1", config).digest for config in (first, second)]
    assert (digests[0] == digests[1]) is (first == second)
