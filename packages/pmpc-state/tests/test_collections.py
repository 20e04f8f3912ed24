"""Discovery of what PVE has settings for: access, firewall, nodes and the rest, as data."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_state import (
    COLLECTIONS,
    SETTINGS,
    Cause,
    Collection,
    State,
    Sweep,
    SyncMode,
    SyncReport,
    sync,
)
from pmpc_state.diff import store_form
from pmpc_state.discovery.collections.reading import item, sees_all
from proxmox_client import AsyncClient
from proxmox_client.schema import operations
from proxmox_client.testing import SimulatedCluster


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster(nodes=("pve1", "pve2"), seed=1)


@pytest.fixture
def state(url: str, cluster: SimulatedCluster) -> Any:
    with State.open(url, now=cluster.clock.now) as opened:
        yield opened


def _client(cluster: SimulatedCluster, token: str) -> AsyncClient:
    return AsyncClient(
        "https://pve1",
        token=token,
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    )


async def _sync(state: State, pve: AsyncClient) -> SyncReport:
    return await sync(state, pve, "lab", collections=COLLECTIONS)


def test_every_collection_is_in_the_api_and_kinds_are_unique() -> None:
    paths = {one.path for one in operations() if one.method == "GET"}
    assert [one.path for one in COLLECTIONS if one.path not in paths] == []
    assert len({one.kind for one in COLLECTIONS}) == len(COLLECTIONS)


async def test_users_tokens_roles_and_acl_are_recorded(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await pve.access.users.post(userid="eve@pve", comment="reads")
    await pve.access.acl.put(path="/vms", roles="PVEAuditor", users="eve@pve")
    cluster.create_token("eve@pve", "ci")
    report = await _sync(state, pve)
    assert report.complete, report.failures
    found = {one.address: one for one in state.reader().resources("lab")}
    assert found["user/eve@pve"].config["comment"] == "reads"
    assert "tokens" not in found["user/eve@pve"].config
    assert found["acl//vms user eve@pve PVEAuditor"].config["propagate"] == 1
    assert {"token/eve@pve!ci", "role/PVEAuditor", "realm/pam"} <= found.keys()
    assert {"node-network/pve1/vmbr0", "node-dns/pve2", "datacenter-options/cluster"} <= set(found)
    assert "time" not in found["node-time/pve1"].config
    cluster.clock.advance(3600)
    again = await _sync(state, pve)
    assert (again.created, again.changed, again.vanished) == (0, 0, 0)


async def test_a_change_and_a_removal_are_history(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await pve.access.users.post(userid="eve@pve")
    await _sync(state, pve)
    before = state.writer().snapshot("lab", "before").taken_at
    cluster.clock.advance(60)
    await pve.access.users("eve@pve").delete()
    await pve.cluster.options.put(keyboard="de")
    await _sync(state, pve)
    changes = {one.address: one for one in state.reader().diff("lab", before)}
    assert changes.keys() == {"user/eve@pve", "datacenter-options/cluster"}
    [field] = changes["datacenter-options/cluster"].fields
    assert (field.path, field.new) == ("keyboard", "de")


async def test_what_a_server_does_not_have_is_no_failure_and_removes_nothing(
    state: State, pve: AsyncClient
) -> None:
    missing = Collection("sdn-nothing", "/cluster/sdn/nothing", ("x",))
    report = await sync(state, pve, "lab", collections=(missing,))
    assert report.complete
    section = next(one for one in report.sections if one.name == "sdn-nothing")
    assert section.status == "unsupported"
    assert [one.cause for one in section.failures] == [Cause.UNSUPPORTED]


async def test_a_token_that_may_see_less_removes_nothing_and_is_told_what_is_missing(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await pve.access.users.post(userid="eve@pve")
    await _sync(state, pve)
    before = state.writer().snapshot("lab", "before").taken_at
    cluster.clock.advance(60)
    async with _client(cluster, cluster.create_token("carol@pve", "blind")) as blind:
        report = await _sync(state, blind)
    assert state.reader().diff("lab", before) == ()
    user = state.reader().resource("lab", "user", "eve@pve")
    assert not user.known
    assert "Sys.Audit on /access/groups would show" in (user.reason or "")
    assert not state.reader().resource("lab", "datacenter-options", "cluster").known
    refused = [one.message for one in report.failures if one.section == "firewall-options"]
    assert all("Sys.Audit on / would show it" in message for message in refused)


async def test_settings_of_a_node_that_is_down_stay(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await _sync(state, pve)
    before = state.writer().snapshot("lab", "before").taken_at
    cluster.nodes["pve2"].online = False
    cluster.clock.advance(60)
    report = await _sync(state, pve)
    assert report.vanished == 0
    assert state.reader().diff("lab", before) == ()
    bridge = state.reader().resource("lab", "node-network", "pve2/vmbr0")
    assert (bridge.known, bridge.reason) == (False, "node pve2 is offline")


@pytest.mark.parametrize(
    ("privileges", "expected"),
    [
        ({"/": ("SDN.Audit",)}, True),
        ({"/": ("Sys.Audit",)}, False),
        ({"/sdn": ("SDN.Audit",)}, True),
        ({"/": ("SDN.Audit",), "/sdn": ()}, False),
        ({"/": ("SDN.Audit",), "/sdn/zones/a": ()}, False),
        ({"/": ("SDN.Audit",), "/sdnx": ()}, True),
        ({"/": ("SDN.Audit",), "/vms": ()}, True),
        ({}, False),
    ],
)
def test_a_list_is_whole_only_for_who_may_see_all_of_it(
    privileges: dict[str, tuple[str, ...]], expected: bool
) -> None:
    zones = next(one for one in COLLECTIONS if one.kind == "sdn-zone")
    assert sees_all(zones, privileges) is expected


def test_every_collection_is_a_kind_people_can_ask_for() -> None:
    assert set(SETTINGS) == {one.kind for one in COLLECTIONS}


async def test_the_firewall_of_a_guest_is_recorded_and_goes_with_it(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    cluster.add_vm("pve1", 100, {"name": "web"})
    cluster.add_container("pve2", 200, {"hostname": "proxy"})
    firewall = pve.nodes("pve1").qemu(100).firewall
    await firewall.options.put(enable=True, policy_in="DROP")
    await firewall.rules.post(type="in", action="ACCEPT", proto="tcp", dport="443", enable=1)
    await firewall.aliases.post(name="office", cidr="10.1.0.0/16")
    await firewall.ipset.post(name="admins")
    await firewall.ipset("admins").post(cidr="10.2.0.0/24")
    report = await _sync(state, pve)
    assert report.complete, report.failures
    config = state.reader().resource("lab", "guest-firewall", "qemu/100").config
    assert config["options"]["policy_in"] == "DROP"
    assert [one["dport"] for one in config["rules"]] == ["443"]
    assert config["aliases"]["office"]["cidr"] == "10.1.0.0/16"
    assert [one["cidr"] for one in config["ipsets"]["admins"]["members"]] == ["10.2.0.0/24"]
    assert state.reader().resource("lab", "guest-firewall", "lxc/200").config["rules"] == []
    before = state.writer().snapshot("lab", "before").taken_at
    cluster.nodes["pve2"].online = False
    cluster.clock.advance(60)
    await _sync(state, pve)
    assert state.reader().resource("lab", "guest-firewall", "lxc/200").known, "any node answers"
    cluster.nodes["pve2"].online = True
    await firewall.options.put(policy_in="ACCEPT")
    await (await pve.nodes("pve2").lxc(200).delete()).wait()
    cluster.clock.advance(60)
    await _sync(state, pve)
    changes = {one.key: one for one in state.reader().diff("lab", before, kind="guest-firewall")}
    assert {key: one.kind.value for key, one in changes.items()} == {
        "qemu/100": "changed", "lxc/200": "removed",
    }  # fmt: skip
    assert [one.path for one in changes["qemu/100"].fields] == ["options.policy_in"]


async def test_firewalls_of_guests_are_swept_guest_by_guest(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    for vmid in range(100, 110):
        cluster.add_vm("pve1", vmid, {"name": f"vm{vmid}"})
    wanted = tuple(one for one in COLLECTIONS if one.kind == "guest-firewall")
    await sync(state, pve, "lab", collections=wanted)
    await pve.nodes("pve1").qemu(104).firewall.options.put(enable=True)
    changed = 0
    for _ in range(6):
        cluster.clock.advance(600)
        report = await sync(
            state, pve, "lab", mode=SyncMode.INCREMENTAL, collections=wanted, sweep=Sweep()
        )
        section = next(one for one in report.sections if one.name == "guest-firewall")
        assert section.kept > 0
        changed += section.changed
    assert changed == 1


async def test_sdn_fabrics_and_models_are_recorded_and_secrets_stay_out(
    state: State, pve: AsyncClient
) -> None:
    await pve.request(
        "POST", "/cluster/sdn/fabrics/fabric",
        {"id": "spine", "protocol": "openfabric", "ip_prefix": "10.9.0.0/24"},
    )  # fmt: skip
    report = await _sync(state, pve)
    assert report.complete, report.failures
    fabric = state.reader().resource("lab", "sdn-fabric", "spine")
    assert fabric.config["ip_prefix"] == "10.9.0.0/24"
    assert state.reader().resources("lab", "acme-plugin")
    assert "pem" not in state.reader().resources("lab", "node-certificate")[0].config
    cleaned = item(
        next(one for one in COLLECTIONS if one.kind == "acme-plugin"), "dns",
        {"plugin": "dns", "data": "VE9LRU49c2VjcmV0"}, None,
    )  # fmt: skip
    assert cleaned.document is not None
    [seen] = store_form([cleaned], state.key)
    assert "VE9LRU49c2VjcmV0" not in str(seen.text)
    assert "hmac-sha256" in str(seen.text)
