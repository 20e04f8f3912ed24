"""The kinds that are no guests, held against PVE's own description of what they accept."""

from __future__ import annotations

import pytest

from pmpc_reconcile.kinds import kind, options_of
from pmpc_reconcile.kinds.firewall import OPTION_DEFAULTS, OPTIONS, RULE
from pmpc_reconcile.kinds.image import IMAGE
from pmpc_reconcile.kinds.interfaces import OPTIONS as INTERFACES
from pmpc_reconcile.kinds.sdn import OPTIONS as NETWORKS
from proxmox_client import schema

SDN = {
    "zones": "/cluster/sdn/zones",
    "vnets": "/cluster/sdn/vnets",
    "subnets": "/cluster/sdn/vnets/{vnet}/subnets",
    "controllers": "/cluster/sdn/controllers",
}
_OBJECT = {"zone", "vnet", "subnet", "controller", "lock-token"}
VERSIONS = ["8.4", "9.0", "9.2"]
FIREWALLS = {
    "cluster": "/cluster/firewall",
    "node": "/nodes/{node}/firewall",
    "guest": "/nodes/{node}/qemu/{vmid}/firewall",
}
_CONTROL = {"node", "vmid", "delete", "digest", "pos", "moveto"}


def parameters(method: str, path: str, version: str) -> set[str]:
    return set(schema.operation(method, path, version).parameters) - _CONTROL


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scope", FIREWALLS)
def test_every_option_of_a_firewall_can_be_declared(scope: str, version: str) -> None:
    known = parameters("PUT", f"{FIREWALLS[scope]}/options", version)
    assert known <= OPTIONS[scope].keys()
    assert OPTION_DEFAULTS[scope].keys() <= OPTIONS[scope].keys()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scope", FIREWALLS)
def test_every_part_of_a_rule_can_be_declared(scope: str, version: str) -> None:
    assert parameters("POST", f"{FIREWALLS[scope]}/rules", version) == RULE.keys()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("section", SDN)
def test_every_option_of_the_clusters_networks_can_be_declared(section: str, version: str) -> None:
    known = parameters("POST", SDN[section], version) - _OBJECT
    known -= {"type"} if section in ("vnets", "subnets") else set()
    assert known <= NETWORKS[section].keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_option_of_an_interface_can_be_declared(version: str) -> None:
    known = parameters("POST", "/nodes/{node}/network", version)
    # An address is written as cidr; comments of the IPv6 part stand in the same place.
    other = {"iface", "address", "netmask", "address6", "netmask6", "comments6"}
    assert known - other <= INTERFACES.keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_option_of_a_storage_can_be_declared(version: str) -> None:
    storage = kind("Storage")
    known = parameters("POST", "/storage", version) - storage.control - storage.reserved.keys()
    assert known == options_of(storage, version).options.keys()
    fixed = known - parameters("PUT", "/storage/{storage}", version)
    assert fixed <= storage.create_only


@pytest.mark.parametrize("version", VERSIONS)
def test_every_option_of_a_download_can_be_declared(version: str) -> None:
    path = "/nodes/{node}/storage/{storage}/download-url"
    assert parameters("POST", path, version) <= IMAGE.spec.keys()
