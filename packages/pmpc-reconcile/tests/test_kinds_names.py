"""Names of settings: a manifest takes those that PVE takes, and refuses the others before planning.

Pain: a name that only PVE refuses stops an apply in the middle.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmpc_reconcile.manifests import ManifestInvalid, load_text
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.request import PveFault

NAMES = [
    "a", "ab", "Ab", "a1", "1a", "a-b", "a_b", "a-", "a.b", "a b", "b1c2d3e4", "b" * 8, "b" * 9,
    "c" * 18, "c" * 19, "d" * 64, "d" * 65, "äb",
]  # fmt: skip
# The kind, its section, what the section holds, the call that makes one, its parameters.
SECTIONS: list[tuple[str, str, Any, str, str, dict[str, Any]]] = [
    ("Firewall", "aliases", "192.0.2.1", "/cluster/firewall/aliases", "name",
     {"cidr": "192.0.2.1"}),
    ("Firewall", "ipsets", {}, "/cluster/firewall/ipset", "name", {}),
    ("Firewall", "groups", {}, "/cluster/firewall/groups", "group", {}),
    ("Sdn", "zones", {"type": "simple"}, "/cluster/sdn/zones", "zone", {"type": "simple"}),
    ("Sdn", "vnets", {"zone": "lab"}, "/cluster/sdn/vnets", "vnet", {"zone": "lab"}),
    ("Sdn", "controllers", {"type": "evpn", "asn": 65000, "peers": "10.0.0.1"},
     "/cluster/sdn/controllers", "controller", {"type": "evpn", "asn": 65000, "peers": "10.0.0.1"}),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("section", SECTIONS, ids=lambda row: row[1])
def test_a_manifest_takes_the_names_that_pve_takes(
    section: tuple[str, str, Any, str, str, dict[str, Any]], name: str
) -> None:
    kind, part, value, path, parameter, others = section
    cluster = SimulatedCluster(version="9.2")
    cluster.call("POST", "/cluster/sdn/zones", {"zone": "lab", "type": "simple"})
    try:
        cluster.call("POST", path, {parameter: name, **others})
        taken = True
    except PveFault:
        taken = False
    document = {
        "apiVersion": "pmpc/v1",
        "kind": kind,
        "metadata": {"name": "it"},
        "spec": {part: {name: value}},
    }
    try:
        load_text(json.dumps(document))
        declared = True
    except ManifestInvalid:
        declared = False
    assert declared == taken
