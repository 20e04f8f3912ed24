"""What operations answer has the types and the fields the schema of each version declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from proxmox_client import schema
from proxmox_client.testing import SimRequest, SimulatedCluster
from tests.conformance.json_values import as_list, as_object

pytestmark = pytest.mark.conformance
VERSIONS = ("8.4", "9.0", "9.1", "9.2")
# Where PVE itself answers otherwise than it declares, with the line of the recording.
RECORDED_OTHERWISE = {
    "/nodes/{node}/lxc/{vmid}/pending": "lxc.jsonl: sizes are numbers",
    "/nodes/{node}/vzdump/defaults": "node.jsonl:38: prune-backups is a text",
}
_NAMES = {
    "node": "pve1", "vmid": "100", "storage": "local", "userid": "root@pam", "tokenid": "demo",
    "realm": "pam", "service": "cron", "sid": "vm:100", "iface": "vmbr0", "poolid": "p1",
    "pci-id-or-mapping": "0000:00:01.0", "roleid": "PVEAdmin", "groupid": "g1", "zone": "z1",
    "vnet": "vn1", "snapname": "s1", "volume": "iso/a.iso",
}  # fmt: skip
_VALUES = {"timeframe": "hour", "ds": "cpu", "command": "ping"}
_AS = {"integer": "number", "boolean": "number"}
_KINDS: dict[type, str] = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def populated(version: str) -> SimulatedCluster:
    cluster = SimulatedCluster(version=version)
    cluster.add_vm(
        "pve1", 100, {"name": "web", "scsi0": "local-lvm:4", "net0": "virtio,bridge=vmbr0"},
        status="running",
    )  # fmt: skip
    cluster.add_container("pve1", 200, {"rootfs": "local-lvm:4"}, status="running")
    cluster.add_volume("local", "local:iso/a.iso", 1000)
    cluster.create_token("root@pam", "demo")
    for path, params in (
        ("/pools", {"poolid": "p1"}),
        ("/access/groups", {"groupid": "g1"}),
        ("/cluster/backup", {"id": "x1", "schedule": "03:00", "storage": "shared", "all": 1}),
        ("/cluster/sdn/zones", {"zone": "z1", "type": "simple"}),
        ("/cluster/sdn/vnets", {"vnet": "vn1", "zone": "z1"}),
        ("/nodes/pve1/qemu/100/snapshot", {"snapname": "s1"}),
    ):
        cluster.call("POST", path, params)
    cluster.call("PUT", "/cluster/sdn")
    cluster.clock.advance(60)
    return cluster


def ask(cluster: SimulatedCluster, facts: schema.OperationFacts) -> object:
    """Ask for something that is there, as root; None where there is nothing to ask for."""
    names = {**_NAMES, "vmid": "200"} if "/lxc/" in facts.path else _NAMES
    path = re.sub(r"\{([^}]+)\}", lambda found: names.get(found[1], "x1"), facts.path)
    params = {
        name: _VALUES.get(name) or (parameter.enum[0] if parameter.enum else "x1")
        for name, parameter in facts.parameters.items()
        if not parameter.optional and not parameter.in_path
    }
    ticket = cluster.auth.ticket("root@pam", cluster.clock.now())
    headers = {"cookie": f"PVEAuthCookie={ticket}"}
    answer = cluster.handle(SimRequest("GET", path, params, headers))
    kind = dict(answer.headers).get("Content-Type", "")
    return answer.data if answer.status == 200 and "json" in kind else None


def deviations(declared: Mapping[str, Any], value: object, where: str) -> Iterator[str]:
    """Tell where a value is not what a result's declaration says."""
    kind = declared.get("type")
    if kind in (None, "any", "null"):
        return
    found = next((name for python, name in _KINDS.items() if isinstance(value, python)), "null")
    wanted = _AS.get(kind, kind)
    if found not in (wanted, kind):
        # PVE writes some numbers as texts.
        if not (wanted == "number" and found == "string"):
            yield f"{where}: {found} instead of {kind}"
        return
    for entry in (as_list(value) or ())[:5]:
        yield from deviations(declared.get("items") or {}, entry, f"{where}[]")
    fields = as_object(value)
    properties: Mapping[str, Mapping[str, Any]] = declared.get("properties") or {}
    for name, part in properties.items() if fields is not None else ():
        if fields is not None and fields.get(name) is not None:
            yield from deviations(part, fields[name], f"{where}.{name}")
        elif not part.get("optional") and "type-property" not in part and "oneOf" not in part:
            yield f"{where} lacks {name}"


@pytest.mark.requirement("operations.results")
@pytest.mark.parametrize("version", VERSIONS)
def test_answers_have_the_types_and_fields_that_are_declared(version: str) -> None:
    cluster = populated(version)
    wrong: list[str] = []
    asked = 0
    for facts in schema.operations(version):
        data = ask(cluster, facts) if facts.method == "GET" else None
        if data is None:
            continue
        asked += 1
        found = list(deviations(facts.returns or {}, data, facts.path))
        if facts.path in RECORDED_OTHERWISE:
            assert found, f"{facts.path}: the exception is no longer needed"
        else:
            wrong += found
    assert wrong == []
    assert asked > 200
