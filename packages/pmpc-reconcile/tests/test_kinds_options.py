"""Options come from the API's facts, for every version."""

from __future__ import annotations

import pytest

from pmpc_reconcile.kinds import Shape, ValueType, kind, kinds, options_of
from proxmox_client import schema

VM, CT = kind("VirtualMachine"), kind("Container")


def test_kinds_come_in_the_order_of_creation() -> None:
    assert [entry.name for entry in kinds()] == [
        "Release",
        "Storage",
        "NodeNetwork",
        "Sdn",
        "Image",
        "Pool",
        "VirtualMachine",
        "Container",
        "Firewall",
    ]
    with pytest.raises(KeyError):
        kind("Pod")


@pytest.mark.parametrize("version", [*schema.versions(), None])
@pytest.mark.parametrize("name", ["VirtualMachine", "Container"])
def test_every_option_of_the_api_is_manageable_or_has_its_reason(
    name: str, version: str | None
) -> None:
    of = kind(name)
    assert of.config_path is not None
    facts = schema.operation(of.config_method, of.config_path, version)
    options = options_of(of, version)
    for wire_name, parameter in facts.parameters.items():
        if wire_name in of.control or parameter.stem in of.reserved:
            continue
        assert options.find(wire_name.replace("[n]", "0")) is not None, wire_name


def test_a_flag_and_a_family_of_one_name_are_told_apart() -> None:
    options = options_of(VM)
    flag, family = options.find("numa"), options.find("numa0")
    assert flag is not None
    assert family is not None
    assert flag.scalar.type is ValueType.BOOLEAN
    assert family.shape is Shape.PROPERTIES


@pytest.mark.parametrize("name", ["net32", "scsi31", "net", "net01", "cores0", "smbios2", ""])
def test_slots_that_do_not_exist_are_not_found(name: str) -> None:
    assert options_of(VM).find(name) is None


def test_versions_differ() -> None:
    assert options_of(VM, "8.4").find("intel-tdx") is None
    assert options_of(VM, "9.2").find("intel-tdx") is not None
    for version in ("7.4", "8.0", "8.1", "9.2"):
        memory = options_of(VM, version).find("memory")
        assert memory is not None
        assert (memory.shape, memory.scalar.type) == (Shape.SCALAR, ValueType.INTEGER)
    with pytest.raises(ValueError, match="no API facts"):
        options_of(VM, "6.4")


def test_prose_in_the_facts_is_no_default() -> None:
    options = options_of(VM).options
    assert options["cpuunits"].scalar.default is None
    assert options["vmgenid"].scalar.default is None
    assert options["cores"].scalar.default == 1
    assert options["kvm"].scalar.default is True
    assert options["scsihw"].scalar.default == "lsi"


def test_a_disk_names_its_volume_one_way() -> None:
    for option in (options_of(VM).find("scsi0"), options_of(CT).find("mp0")):
        assert option is not None
        assert option.shape is Shape.DISK
        assert option.default_key == "volume"
        assert "file" not in option.keys


def test_every_pattern_of_the_facts_is_understood() -> None:
    for of in (VM, CT):
        assert of.config_path is not None
        facts = schema.operation(of.config_method, of.config_path)
        for parameter in facts.parameters.values():
            option = options_of(of).options.get(parameter.name)
            if parameter.pattern is not None and option is not None:
                assert option.scalar.pattern is not None, parameter.name
