"""The API facts at run time."""

from __future__ import annotations

import pytest

from proxmox_client import schema
from proxmox_client.schema import PropertyFormat


def test_all_supported_versions_are_there_with_all_their_operations() -> None:
    counts = {version: len(schema.operations(version)) for version in schema.versions()}
    assert counts == {
        "7.4": 540,
        "8.0": 549,
        "8.1": 583,
        "8.2": 584,
        "8.3": 600,
        "8.4": 605,
        "9.0": 628,
        "9.1": 646,
        "9.2": 680,
    }


def test_ids_are_unique() -> None:
    ids = [entry.id for entry in schema.operations()]
    assert len(ids) == len(set(ids))


def test_an_operation_knows_since_and_until() -> None:
    pools = schema.operation("GET", "/nodes/{node}/ceph/pools")
    assert (pools.since, pools.until) == ("7.4", "7.4")
    bulk = schema.operation("POST", "/cluster/bulk-action/guest/start")
    assert bulk.until is None
    assert bulk.since != "7.4"


def test_a_version_has_its_own_parameters() -> None:
    path = "/nodes/{node}/qemu/{vmid}/config"
    newest = schema.operation("PUT", path)
    added = newest.parameter("allow-ksm")
    assert added is not None
    assert added.since > "7.4"
    assert schema.operation("PUT", path, "7.4").parameter("allow-ksm") is None


def test_a_version_has_its_own_permissions() -> None:
    path = "/nodes/{node}/qemu/{vmid}/agent/exec"
    asked = {
        version: schema.operation("POST", path, version).permissions
        for version in ("7.4", "8.4", "9.0", "9.2")
    }
    monitor = {"check": ["perm", "/vms/{vmid}", ["VM.Monitor"]]}
    unrestricted = {"check": ["perm", "/vms/{vmid}", ["VM.GuestAgent.Unrestricted"]]}
    assert asked == {"7.4": monitor, "8.4": monitor, "9.0": unrestricted, "9.2": unrestricted}
    assert schema.operation("POST", path).permissions == unrestricted


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no API facts for PVE 6\.4; known: 7\.4"):
        schema.operations("6.4")


def test_parameters_carry_their_limits() -> None:
    create = schema.operation("POST", "/nodes/{node}/qemu")
    vmid = create.parameters["vmid"]
    assert (vmid.type, vmid.minimum, vmid.maximum) == ("integer", 100, 999999999)
    assert not vmid.optional
    force = create.parameters["force"]
    assert force.requires == "archive"
    assert create.parameters["node"].in_path


def test_limits_are_numbers_everywhere() -> None:
    for version in (None, *schema.versions()):
        for entry in schema.operations(version):
            for parameter in entry.parameters.values():
                limits: tuple[object, ...] = (
                    parameter.minimum,
                    parameter.maximum,
                    parameter.min_length,
                    parameter.max_length,
                )
                assert not [n for n in limits if isinstance(n, str)], f"{entry.id} {parameter.name}"
                assert all(isinstance(value, str) for value in parameter.enum)


def test_an_indexed_name_finds_its_family() -> None:
    config = schema.operation("PUT", "/nodes/{node}/qemu/{vmid}/config")
    net = config.parameter("net3")
    assert net is not None
    assert (net.name, net.stem, net.is_family) == ("net[n]", "net", True)
    assert config.parameter("gnet3") is None


def test_property_strings_are_described_even_where_the_schema_only_names_them() -> None:
    config = schema.operation("PUT", "/nodes/{node}/qemu/{vmid}/config")
    scsi = config.parameters["scsi[n]"].format
    assert isinstance(scsi, PropertyFormat)
    assert scsi.default_key == "file"
    assert scsi.keys["volume"].alias == "file"
    net = config.parameters["net[n]"].format
    assert isinstance(net, PropertyFormat)
    assert net.keys["virtio"].key_alias == "model"
    ipconfig = config.parameters["ipconfig[n]"].format
    assert isinstance(ipconfig, PropertyFormat)
    assert (ipconfig.name, ipconfig.keys["gw"].requires) == ("pve-qm-ipconfig", "ip")


def test_alternatives_by_type_are_parameters_with_their_types() -> None:
    rule = schema.operation("POST", "/cluster/ha/rules")
    strict = rule.parameters["strict"]
    assert (strict.type_property, strict.instance_types) == ("type", ("node-affinity",))
    assert [choice.instance_types for choice in rule.parameters["affinity"].one_of] == [
        ("node-affinity",),
        ("resource-affinity",),
    ]


@pytest.mark.parametrize(
    ("path", "found", "filled"),
    [
        ("/nodes", "/nodes", {}),
        (
            "/nodes/pve1/qemu/100/config",
            "/nodes/{node}/qemu/{vmid}/config",
            {"node": "pve1", "vmid": "100"},
        ),
        (
            "/nodes/pve1/storage/local/content/local:iso/a.iso",
            "/nodes/{node}/storage/{storage}/content/{volume}",
            {"node": "pve1", "storage": "local", "volume": "local:iso/a.iso"},
        ),
    ],
)
def test_a_real_path_finds_its_operation(path: str, found: str, filled: dict[str, str]) -> None:
    result = schema.find("GET", path)
    assert result is not None
    assert (result[0].path, result[1]) == (found, filled)


def test_a_path_that_is_none_finds_nothing() -> None:
    assert schema.find("GET", "/nodes/pve1/nothing") is None
    assert schema.find("DELETE", "/version") is None
    assert schema.find("GET", "/cluster/bulk-action/guest", "7.4") is None


@pytest.mark.parametrize(
    ("method", "path", "safety"),
    [
        ("GET", "/nodes", "read"),
        ("PUT", "/pools/{poolid}", "idempotent"),
        ("POST", "/nodes/{node}/qemu", "unsafe"),
        ("PUT", "/nodes/{node}/qemu/{vmid}/resize", "unsafe"),
        ("DELETE", "/cluster/firewall/rules/{pos}", "unsafe"),
        ("POST", "/nodes/{node}/qemu/{vmid}/agent/ping", "read"),
    ],
)
def test_operations_say_what_a_second_sending_would_do(method: str, path: str, safety: str) -> None:
    assert schema.operation(method, path).safety == safety


def test_tasks_are_known_beyond_the_schema() -> None:
    started = {entry.id for entry in schema.operations() if entry.starts_task}
    assert {
        "nodes.qemu.status.start.post",
        "nodes.qemu.config.post",
        "nodes.vzdump.post",
    } <= started
    assert "nodes.qemu.config.put" not in started
    assert not [
        entry for entry in schema.operations() if entry.starts_task and entry.method == "GET"
    ]


def test_an_operation_names_the_type_of_its_result() -> None:
    result = {entry.id: entry.result for entry in schema.operations()}
    assert result["nodes.qemu.config.get"] == "NodesQemuConfig"
    assert result["pools.get"] == "Results[PoolsItem]"
    assert result["nodes.qemu.status.start.post"] == "Task"
    assert result["nodes.qemu.config.put"] == "None"
    assert all(text and "m." not in text for text in result.values())
