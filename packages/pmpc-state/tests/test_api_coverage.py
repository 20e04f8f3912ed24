"""Discovery is complete: every path of PVE's API that shows settings is read, or has its reason.

Held against the schema of each version, and against what a sync of a furnished cluster asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import attrs
import pytest

from pmpc_state import COLLECTIONS, SETTINGS, State, SyncReport, sync
from proxmox_client import AsyncClient, schema
from proxmox_client.observing import Finished, RetryPlanned, Sending
from proxmox_client.testing import SimulatedCluster
from tests.lab.furnished import furnish, knows

VERSIONS: Final = ("8.4", "9.0", "9.1", "9.2")
_VM: Final = "/nodes/{node}/qemu/{vmid}"
_CT: Final = "/nodes/{node}/lxc/{vmid}"

LISTED: Final = "its list shows every field of it, which the test below compares"
PARTS: Final = "one entry of a list that is read as a whole"
INDEX: Final = "names what is below it, and no settings"
NO_CEPH: Final = "read where a node has Ceph, and no node of the simulator has"

LEFT_OUT: Final[Mapping[str, str]] = {
    "/access/tfa/{userid}": LISTED,
    "/access/tfa/{userid}/{id}": PARTS,
    "/access/ticket": "answers nothing; for logins",
    "/access/users/{userid}": "its list has the same, with groups and tokens in another form",
    "/access/users/{userid}/token": "users are listed with their tokens",
    "/access/users/{userid}/token/{tokenid}": "users are listed with their tokens",
    "/access/groups/{groupid}": "its list has the same members, as a comma list",
    "/access/roles/{roleid}": "its list has the same privileges, as a comma list",
    "/cluster/acme/account/{name}": "PVE shows it to root@pam with a password only, to no token",
    "/cluster/acme/plugins/{id}": LISTED,
    "/cluster/backup/{id}": LISTED,
    "/cluster/ceph/flags": NO_CEPH,
    "/cluster/ceph/flags/{flag}": NO_CEPH,
    "/cluster/ceph/health-mute": "what somebody does not want to hear of for a while",
    "/cluster/config": INDEX,
    "/cluster/config/join": "what corosync's node list and totem say, for who joins",
    "/cluster/firewall/aliases/{name}": LISTED,
    "/cluster/firewall/groups/{group}/{pos}": PARTS,
    "/cluster/firewall/ipset/{name}/{cidr}": PARTS,
    "/cluster/firewall/rules/{pos}": PARTS,
    "/cluster/ha/groups": "rules since 9.0",
    "/cluster/ha/groups/{group}": "listed by 8.4, rules since 9.0",
    "/cluster/ha/resources/{sid}": LISTED,
    "/cluster/ha/rules/{rule}": LISTED,
    "/cluster/jobs/realm-sync/{id}": "its list shows all but the type, which is its path's",
    "/cluster/mapping/dir/{id}": LISTED,
    "/cluster/mapping/pci/{id}": LISTED,
    "/cluster/mapping/usb/{id}": LISTED,
    "/cluster/notifications/endpoints/gotify/{name}": LISTED,
    "/cluster/notifications/endpoints/sendmail/{name}": LISTED,
    "/cluster/notifications/endpoints/smtp/{name}": LISTED,
    "/cluster/notifications/endpoints/webhook/{name}": LISTED,
    "/cluster/notifications/matchers/{name}": LISTED,
    "/cluster/qemu/custom-cpu-models/{cputype}": LISTED,
    "/cluster/replication/{id}": LISTED,
    "/cluster/sdn": INDEX,
    "/cluster/sdn/controllers/{controller}": LISTED,
    "/cluster/sdn/dns/{dns}": LISTED,
    "/cluster/sdn/fabrics/fabric/{id}": LISTED,
    "/cluster/sdn/fabrics/node/{fabric_id}": "the nodes of all fabrics are listed together",
    "/cluster/sdn/fabrics/node/{fabric_id}/{node_id}": PARTS,
    "/cluster/sdn/ipams/{ipam}": LISTED,
    "/cluster/sdn/prefix-lists/{id}": LISTED,
    "/cluster/sdn/prefix-lists/{id}/entries": "the lists are listed with their entries",
    "/cluster/sdn/prefix-lists/{id}/entries/{url_seq}": PARTS,
    "/cluster/sdn/route-maps/entries/{route-map-id}/entry/{order}": PARTS,
    "/cluster/sdn/vnets/{vnet}": LISTED,
    "/cluster/sdn/vnets/{vnet}/firewall/rules/{pos}": PARTS,
    "/cluster/sdn/vnets/{vnet}/subnets/{subnet}": PARTS,
    "/cluster/sdn/zones/{zone}": LISTED,
    "/nodes/{node}/aplinfo": "templates Proxmox offers: no settings of the cluster",
    "/nodes/{node}/apt/update": "packages that are newer elsewhere: no settings of the cluster",
    "/nodes/{node}/ceph/fs": NO_CEPH,
    "/nodes/{node}/ceph/mds": NO_CEPH,
    "/nodes/{node}/ceph/mgr": NO_CEPH,
    "/nodes/{node}/ceph/mon": NO_CEPH,
    "/nodes/{node}/ceph/osd": "a tree of states and use; which disk is which OSD is on the disks",
    "/nodes/{node}/ceph/osd/{osdid}": INDEX,
    "/nodes/{node}/ceph/pool": NO_CEPH,
    "/nodes/{node}/ceph/pool/{name}": INDEX,
    "/nodes/{node}/disks/zfs/{name}": "states and errors of the pool's devices: no settings",
    "/nodes/{node}/firewall/rules/{pos}": PARTS,
    "/nodes/{node}/network/{iface}": LISTED,
    "/nodes/{node}/qemu": "the cluster's list names every guest",
    "/nodes/{node}/lxc": "the cluster's list names every guest",
    _VM: INDEX,
    _CT: INDEX,
    f"{_VM}/agent": INDEX,
    f"{_VM}/cloudinit": "what of the configuration is not on the cloud-init drive yet",
    **{
        f"{guest}/{path}": reason
        for guest in (_VM, _CT)
        for path, reason in (
            ("firewall/aliases/{name}", PARTS),
            ("firewall/ipset/{name}/{cidr}", PARTS),
            ("firewall/rules/{pos}", PARTS),
            ("migrate", "where it could go at the moment: no settings"),
            ("snapshot/{snapname}", INDEX),
            ("snapshot/{snapname}/config", "its name, time and description are in the list"),
        )
    },
    "/nodes/{node}/storage/{storage}/content/{volume}": PARTS,
    "/nodes/{node}/storage/{storage}/prunebackups": "what pruning would remove: a rehearsal",
    "/nodes/{node}/tasks/{upid}": PARTS,
    "/pools/{poolid}": "the same as /pools?poolid=, which came instead",
    "/storage/{storage}": LISTED,
}


@attrs.define(eq=False)
class Templates:
    """Watches which paths are read."""

    read: set[str] = attrs.field(factory=set[str])

    def before(self, event: Sending) -> None:
        if event.method == "GET":
            self.read.add(event.template)

    def after(self, event: Finished) -> None:
        """Wait for the next."""

    def retry(self, event: RetryPlanned) -> None:
        """Wait for the next."""


@attrs.frozen
class Reading:
    """What a full sync of a furnished cluster asked for and found."""

    report: SyncReport
    templates: set[str]
    kinds: set[str]


def _client(cluster: SimulatedCluster) -> AsyncClient:
    return AsyncClient(
        "https://pve1",
        token=cluster.create_token("root@pam", "demo"),
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    )


@pytest.fixture(params=VERSIONS)
def cluster(request: pytest.FixtureRequest) -> SimulatedCluster:
    return SimulatedCluster(nodes=("pve1", "pve2"), seed=1, version=request.param)


@pytest.fixture
async def reading(cluster: SimulatedCluster, state: State) -> Reading:
    async with _client(cluster) as pve:
        await furnish(cluster, pve)
        with pve.observing(Templates()) as watch:
            report = await sync(state, pve, "lab")
    kinds = {one.kind for one in state.reader().resources("lab")}
    return Reading(report, watch.read, kinds)


@cache
def _paths(version: str) -> dict[str, frozenset[str]]:
    """Return path to the methods a version has there."""
    found: dict[str, set[str]] = {}
    for one in schema.operations():
        if knows(version, one.since, one.until):
            found.setdefault(one.path, set()).add(one.method)
    return {path: frozenset(methods) for path, methods in found.items()}


def shows_settings(version: str) -> set[str]:
    """Return the paths that can be read and changed, or that list what can be."""
    paths = _paths(version)
    changeable = {path for path, methods in paths.items() if methods & {"POST", "PUT", "DELETE"}}
    lists = {path.rpartition("/")[0] for path in changeable if path.endswith("}")}
    return {path for path in changeable | lists if "GET" in paths.get(path, ())}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_every_path_that_shows_settings_is_read_or_has_its_reason(
    cluster: SimulatedCluster, reading: Reading
) -> None:
    assert reading.report.complete, reading.report.failures
    unread = shows_settings(cluster.version) - reading.templates
    assert sorted(unread - LEFT_OUT.keys()) == []


def test_no_reason_is_given_for_what_is_not_there() -> None:
    there = {path for version in VERSIONS for path in shows_settings(version)}
    assert sorted(LEFT_OUT.keys() - there) == []


_LATER: Final = {
    "8.4": {
        "ha-rule", "sdn-fabric", "sdn-fabric-node", "sdn-prefix-list", "sdn-route-map-entry",
        "cpu-model",
    },
    "9.0": {"ha-group", "sdn-prefix-list", "sdn-route-map-entry", "cpu-model"},
    "9.1": {"ha-group", "sdn-prefix-list", "sdn-route-map-entry", "cpu-model"},
    "9.2": {"ha-group"},
}  # fmt: skip
"""What a version does not have."""
_UNFURNISHED: Final = {
    "tfa", "acme-account", "sdn-dns", "replication-job", "node-zfs", "node-directory",
}  # fmt: skip
"""What needs more than a request: a password, a certificate authority, a DNS server, ZFS, disks."""


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_every_section_a_version_has_is_found(
    cluster: SimulatedCluster, reading: Reading
) -> None:
    later = _LATER[cluster.version]
    ceph = {kind for kind in SETTINGS if kind.startswith("ceph-")}
    unsupported = {one.name for one in reading.report.sections if one.status == "unsupported"}
    assert unsupported == (later - {"ha-group"}) | ceph
    assert {one.status for one in reading.report.sections} == {"ok", "unsupported"}
    assert {one.name for one in reading.report.sections} >= set(SETTINGS)
    assert set(SETTINGS) - reading.kinds == later | ceph | _UNFURNISHED


_PARAMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "/access/users": {"full": 1},
    "/cluster/sdn/prefix-lists": {"verbose": 1},
}


async def test_a_list_shows_what_the_page_of_an_entry_shows(cluster: SimulatedCluster) -> None:
    shown = shows_settings(cluster.version)
    wanted = {path for path in shown if LEFT_OUT.get(path) == LISTED}
    compared: set[str] = set()
    lacking: dict[str, list[str]] = {}
    async with _client(cluster) as pve:
        await furnish(cluster, pve)
        for page in sorted(wanted):
            path = page.rpartition("/")[0].replace("{node}", "pve1")
            for entry in await pve.request("GET", path, _PARAMS.get(path, {})) or ():
                key = _name(entry, page)
                alone = await pve.request("GET", f"{path}/{key}")
                if more := _lacking(entry, alone):
                    lacking[f"{page} of {key}"] = more
                compared.add(page)
    assert lacking == {}
    assert wanted - compared <= {
        "/access/tfa/{userid}", "/cluster/replication/{id}", "/cluster/sdn/dns/{dns}",
    }  # fmt: skip


def _name(entry: Mapping[str, Any], page: str) -> str:
    path, _, name = page.rpartition("/")
    named_by = {one.path: one.key[0] for one in COLLECTIONS if one.key}
    return str(entry[named_by.get(path, name.strip("{}"))])


def _lacking(entry: Mapping[str, Any], alone: Mapping[str, Any]) -> list[str]:
    return [name for name, value in alone.items() if name != "digest" and entry.get(name) != value]
