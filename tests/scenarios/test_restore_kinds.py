"""Pain: the old settings are known, and putting them back is typing (nobody writes manifests back).

For every kind the engine manages: the manifest of how it was loads, changes nothing while all is as
it was, and leads exactly back after somebody changed, added and removed things.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pmpc_reconcile.errors import InputInvalid, ObjectNotFound
from pmpc_reconcile.manifests import load_text
from pmpc_state import State
from tests.lab.pasts import BEFORE, CT, IMAGE_URL, NET, SDN, VM, WALL, Call, Past

SPOILED: Mapping[str, tuple[str, str, list[Call]]] = {
    "VirtualMachine": ("qemu/700", "qemu", [
        ("PUT", f"{VM}/config", {"cores": 8, "net1": "virtio,bridge=vmbr1", "delete": "tags",
                                 "description": "mine now"}),
    ]),
    "Container": ("old-cache", "lxc", [
        ("PUT", f"{CT}/config", {"memory": 2048, "nameserver": "192.0.2.53", "delete": "tags"}),
    ]),
    "Storage": ("storage/tank", "storage", [
        ("PUT", "/storage/tank", {"content": "iso", "nodes": "pve1", "delete": "prune-backups"}),
    ]),
    "Pool": ("pool/prod", "pool", [
        ("PUT", "/pools/prod", {"vms": "701", "storage": "local"}),
        ("PUT", "/pools/prod", {"vms": "700", "delete": 1}),
    ]),
    "Sdn": ("sdn-zone/lab", "sdn", [
        ("DELETE", f"{SDN}/vnets/web/subnets/lab-10.5.0.0-24", {}),
        ("PUT", f"{SDN}/vnets/web", {"tag": 21}),
        ("PUT", f"{SDN}/zones/lab", {"mtu": 1450, "delete": "nodes"}),
        ("POST", f"{SDN}/zones", {"zone": "new", "type": "simple"}),
        ("POST", f"{SDN}/vnets", {"vnet": "new1", "zone": "new"}),
        ("PUT", SDN, {}),
    ]),
    "NodeNetwork": ("NodeNetwork/pve1", "node-network", [
        ("PUT", f"{NET}/vmbr1", {"type": "bridge", "autostart": 1, "mtu": 9000,
                                 "comments": "mine"}),
        ("POST", NET, {"iface": "vmbr2", "type": "bridge", "autostart": 1}),
        ("PUT", NET, {}),
    ]),
    "Firewall": ("Firewall/cluster", "firewall", [
        ("DELETE", f"{WALL}/rules/0", {}),
        ("POST", f"{WALL}/rules", {"type": "in", "action": "ACCEPT", "enable": 1}),
        ("PUT", f"{WALL}/aliases/desk", {"name": "desk", "cidr": "192.0.2.67"}),
        ("POST", f"{WALL}/aliases", {"name": "more", "cidr": "192.0.2.68"}),
        ("DELETE", f"{WALL}/ipset/office/192.0.2.9", {}),
        ("POST", f"{WALL}/ipset", {"name": "lobby"}),
        ("DELETE", f"{WALL}/groups/web/0", {}),
        ("DELETE", f"{WALL}/groups/web", {}),
        ("PUT", f"{WALL}/options", {"policy_out": "DROP", "delete": "ebtables"}),
    ]),
    "Firewall of a node": ("node-firewall-rules/pve2", "node-firewall", [
        ("DELETE", "/nodes/pve2/firewall/rules/0", {}),
        ("PUT", "/nodes/pve2/firewall/options", {"log_level_in": "debug", "ndp": 0}),
    ]),
    "Firewall of a guest": ("Firewall/guest-700", "guest-firewall", [
        ("DELETE", f"{VM}/firewall/rules/0", {}),
        ("DELETE", f"{VM}/firewall/aliases/db", {}),
        ("PUT", f"{VM}/firewall/options", {"policy_in": "ACCEPT", "dhcp": 1}),
    ]),
}  # fmt: skip
"""By what it is about: how to call it, the kinds of the record it is in, what somebody does."""


both_versions = pytest.mark.parametrize("past", ["8.4", "9.2"], indirect=True)


@pytest.fixture
async def past(request: Any, tmp_path: Path, furnished: Any, lab_type: Any) -> AsyncIterator[Past]:
    cluster = furnished(version=getattr(request, "param", "9.2"))
    cluster.add_vm("pve1", 700, {"name": "old-db", "cores": "2", "memory": "4096",
                   "scsihw": "virtio-scsi-single", "scsi0": "shared:8,format=qcow2,discard=on",
                   "net0": "virtio,bridge=vmbr0,tag=20", "boot": "order=scsi0", "tags": "prod;db",
                   "efidisk0": "local-lvm:1,efitype=4m", "ide2": "local-lvm:cloudinit",
                   "description": "made by hand", "ciuser": "ada", "cipassword": "geheim",
                   "smbios1": "uuid=0b1c2d3e-0000-4000-8000-0000000000aa"})  # fmt: skip
    cluster.add_container("pve1", 701, {"hostname": "old-cache", "cores": "1", "memory": "512",
                          "ostype": "debian", "rootfs": "local-lvm:4", "unprivileged": "1",
                          "net0": "name=eth0,bridge=vmbr0,ip=dhcp", "tags": "prod"})  # fmt: skip
    cluster.downloads[IMAGE_URL] = b"an image"
    with State.open(f"sqlite:///{tmp_path / 'state.db'}", now=cluster.clock.now) as state:
        lab = lab_type(cluster, state)
        async with lab.client:
            found = Past(lab)
            found.somebody(BEFORE)
            yield found


@both_versions
async def test_manifests_of_the_past_lead_exactly_back(past: Past) -> None:
    await past.sync()
    for name, _, _ in SPOILED.values():
        now = await past.manifest(name, at=None)
        assert now.release is None
        assert "first `pmpc adopt" in now.text
        await past.adopt(*now.manifest.split("/", 1))
    await past.sync("good")
    good = {name: await past.manifest(name) for name, _, _ in SPOILED.values()}
    for name, found in good.items():
        plan = await past.plan(found.text)
        assert plan.empty, (name, plan.explain())
        assert not plan.diagnostics
        assert found.release == "back"
    for _, _, calls in SPOILED.values():
        past.somebody(calls)
    await past.sync()
    for about, (name, prefix, _) in SPOILED.items():
        assert past.differs(prefix), about
        found = await past.manifest(name)
        assert document_of(found.text) == document_of(good[name].text), about
        await past.adopt(*found.manifest.split("/", 1))  # what somebody added is ours, and can go
        await past.apply(found.text)
    await past.sync()
    for about, (name, prefix, _) in SPOILED.items():
        assert past.differs(prefix) == [], about
        assert (await past.plan(good[name].text)).empty, about


def document_of(text: str) -> Any:
    return yaml.safe_load(text)


GONE: Mapping[str, tuple[str, list[Call]]] = {
    "qemu/700": ("qemu", [("POST", f"{VM}/status/stop", {}), ("DELETE", VM, {})]),
    "storage/tank": ("storage", [("DELETE", "/storage/tank", {})]),
    "pool/prod": ("pool", [("PUT", "/pools/prod", {"vms": "700", "storage": "shared",
                                                   "delete": 1}),
                           ("DELETE", "/pools/prod", {})]),
    "sdn-vnet/web": ("sdn", [("DELETE", f"{SDN}/vnets/web/subnets/lab-10.5.0.0-24", {}),
                             ("DELETE", f"{SDN}/vnets/web", {}),
                             ("DELETE", f"{SDN}/zones/lab", {}), ("PUT", SDN, {})]),
}  # fmt: skip
"""What is deleted altogether."""


@both_versions
async def test_what_was_deleted_since_is_made_again(past: Past) -> None:
    await past.sync("good")
    good = past.lab.config(700)
    past.somebody([call for _, calls in reversed([*GONE.values()]) for call in calls])
    await past.sync()
    for name, (prefix, _) in GONE.items():
        assert past.differs(prefix), name
    for name in ("storage/tank", "pool/prod", "old-db"):
        last = await past.manifest(name, at=None)  # as it was when it was there last
        assert last.gone
        assert document_of(last.text) == document_of((await past.manifest(name)).text)
    for name in ("storage/tank", "pool/prod", "qemu/700", "sdn-vnet/web"):
        found = await past.manifest(name)
        assert found.gone, name
        assert "planning this makes it again" in found.text
        await past.apply(found.text)
        await past.sync()
    for prefix in ("storage", "sdn", "pool"):
        assert past.differs(prefix) in ([], ["pool/prod changed ['comment']"])
    made = past.lab.config(700)
    for option in ("name", "cores", "memory", "net0", "tags", "ciuser", "boot"):
        assert made[option] == good[option], option
    assert made["scsi0"] == good["scsi0"]
    assert "cloudinit" in made["ide2"]
    assert past.lab.cluster.call("GET", "/pools/prod")["comment"].startswith("for people")


SHOP = """
apiVersion: pmpc/v1
kind: Container
metadata: {name: cache}
spec:
  source: {template: "local:vztmpl/debian-13-standard.tar.zst"}
  placement: {nodes: [pve2]}
  restart: {policy: automatic}
  config: {hostname: cache, memory: 512, cores: 1, rootfs: {storage: local-lvm, size: 4G},
           net0: {name: eth0, bridge: vmbr0, ip: dhcp}}
---
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2, cipassword: s3cret, ciuser: ada}
---
apiVersion: pmpc/v1
kind: Image
metadata: {name: debian}
spec: {storage: local, content: iso, url: "https://images.example.org/debian.iso"}
"""


async def test_what_only_guides_us_comes_from_what_the_release_declared(past: Past) -> None:
    await past.apply(SHOP)
    await past.sync("good")
    cache = past.lab.vmid("cache")
    past.somebody([("DELETE", f"/nodes/pve2/lxc/{cache}", {})])
    await past.sync()
    found = await past.manifest("cache")
    spec = document_of(found.text)["spec"]
    assert spec["source"] == {"template": "local:vztmpl/debian-13-standard.tar.zst"}
    assert (spec["placement"], spec["restart"]) == ({"nodes": ["pve2"]}, {"policy": "automatic"})
    assert spec["vmid"] == cache
    await past.apply(found.text)
    assert past.lab.config(cache)["memory"] in (512, "512")
    assert (await past.plan(found.text)).empty


async def test_a_secret_of_the_release_is_left_alone(past: Past) -> None:
    await past.apply(SHOP)
    await past.sync("good")
    web = past.lab.vmid("web")
    found = await past.manifest("VirtualMachine/web")
    assert found.left == ("cipassword",)
    assert "s3cret" not in found.text
    assert document_of(found.text)["spec"]["conflicts"] == {"config.cipassword": "ignore"}
    assert (await past.plan(found.text)).empty
    await past.apply(found.text)
    assert past.lab.config(web)["cipassword"]


async def test_an_image_is_fetched_again_from_where_the_release_had_it(past: Past) -> None:
    await past.apply(SHOP)
    await past.sync("good")
    volume = "local:iso/debian.iso"
    here = await past.manifest(volume)
    assert (await past.plan(here.text)).empty
    for node in ("pve1", "pve3"):
        past.somebody([("DELETE", f"/nodes/{node}/storage/local/content/{volume}", {})])
    await past.sync()
    assert past.differs("content")
    for name in (volume, "Image/debian", f"content/pve1/{volume}"):
        found = await past.manifest(name)
        assert document_of(found.text)["spec"]["nodes"] == ["pve1", "pve2", "pve3"]
    await past.apply(found.text)
    await past.sync()
    assert [one for one in past.differs("content") if "ctime" not in one] == []
    template = "local:vztmpl/debian-13-standard.tar.zst"
    with pytest.raises(InputInvalid, match="does not keep where an image came from"):
        await past.manifest(template)
    with pytest.raises(InputInvalid, match="matter of backups"):
        await past.manifest("content/shared:700/vm-700-disk-0.qcow2")


async def test_what_somebody_else_changed_is_a_conflict_until_it_is_settled(past: Past) -> None:
    await past.adopt("Storage", "tank")
    await past.sync("good")
    past.somebody([("PUT", "/storage/tank", {"content": "iso", "disable": 1})])
    await past.sync()
    found = await past.manifest("storage/tank")
    assert "came since, and stays unless the release owns it: config.disable" in found.notes
    plan = await past.plan(found.text)
    assert [c.path for item in plan.objects for c in item.conflicts] == ["config.content"]
    settled = await past.lab.engine.plan(
        load_text(found.text), "back", resolve={"config.content": "ours"}
    )
    assert (await past.lab.engine.apply(settled)).ok
    await past.sync()
    assert past.differs("storage") == ["storage/tank changed ['disable']"]


async def test_secrets_are_named_and_never_written(past: Past) -> None:
    share = {"storage": "share", "type": "cifs", "server": "10.77.0.200", "share": "s",
             "username": "ada", "password": "geheim", "content": "iso"}  # fmt: skip
    note = "password=supergeheim"
    past.somebody([("PUT", f"{VM}/config", {"description": f"see {note}"}),
                   ("PUT", f"{CT}/config", {"description": note})])  # fmt: skip
    past.somebody([("POST", "/storage", share),
                   ("PUT", f"{WALL}/aliases/desk", {"name": "desk", "cidr": "192.0.2.66",
                                                    "comment": note})])  # fmt: skip
    await past.sync("good")
    found = await past.manifest("storage/share")
    assert found.left == ("password",)
    assert "geheim" not in found.text
    wall = await past.manifest("Firewall/cluster")
    assert wall.left == ("desk.comment",)
    assert "geheim" not in wall.text
    for guest in ("qemu/700", "lxc/701"):
        hidden = await past.manifest(guest)
        assert "description" in hidden.left
        assert "description" not in document_of(hidden.text)["spec"]["config"]
        assert "geheim" not in hidden.text
    past.somebody([("DELETE", "/storage/share", {})])
    await past.sync()
    assert "give what is secret by hand" in (await past.manifest("storage/share")).text


async def test_what_has_no_manifest_is_told_with_what_can_be_done(past: Past) -> None:
    await past.sync(settings=())
    with pytest.raises(ObjectNotFound, match="`pmpc sync` reads it unless"):
        await past.manifest("Firewall/cluster", at=None)
    await past.sync("good")
    for name, why in {
        "user/alice@pve": "pmpc get user/alice@pve --at TIME -o yaml",
        "node/pve1": "does not manage objects of kind node yet",
        "debian-13": "it is a template",
    }.items():
        with pytest.raises(InputInvalid, match=why):
            await past.manifest(name)
    with pytest.raises(ObjectNotFound, match="nothing of Firewall/nope"):
        await past.manifest("Firewall/nope")
    with pytest.raises(ObjectNotFound, match="is a kind; name Firewall/cluster"):
        await past.manifest("firewall")
    with pytest.raises(InputInvalid, match="before the first sync"):
        await past.manifest("storage/tank", at="-30d")
