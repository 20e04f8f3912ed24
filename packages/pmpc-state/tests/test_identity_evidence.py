"""Who a guest is: a vmid alone proves nothing."""

from __future__ import annotations

import pytest

from pmpc_state.identity import differs, evidence, returns

U1, U2 = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
ONE = {
    "smbios1": f"uuid={U1}",
    "vmgenid": "33333333-3333-4333-8333-333333333333",
    "meta": "creation-qemu=10.1,ctime=1795358400",
}
CT = {"hostname": "web", "net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,type=veth"}
MARK = "managed-by: pmpc release=shop object=Container/web id=5f2d9c1e7ab04c36"


def test_evidence_of_a_virtual_machine() -> None:
    assert evidence("qemu", ONE) == {
        "uuid": U1,
        "generation": ONE["vmgenid"],
        "created": "1795358400",
    }


def test_evidence_of_a_container() -> None:
    found = evidence("lxc", {**CT, "description": f"my words\n\n{MARK}\n"})
    assert found == {"host": "web", "macs": "BC:24:11:00:00:01", "marker": "5f2d9c1e7ab04c36"}


def test_other_kinds_are_their_key() -> None:
    assert evidence("storage", {"smbios1": f"uuid={U1}"}) == {}


@pytest.mark.parametrize(
    ("kind", "old", "new", "another"),
    [
        pytest.param("qemu", ONE, {**ONE, "name": "renamed"}, False, id="renamed"),
        pytest.param("qemu", ONE, {**ONE, "vmgenid": "x"}, False, id="rolled back"),
        pytest.param("qemu", ONE, {**ONE, "smbios1": f"uuid={U2}"}, False, id="uuid edited"),
        pytest.param(
            "qemu", ONE, {**ONE, "smbios1": f"uuid={U2}", "vmgenid": "y"}, True, id="clone"
        ),
        pytest.param("qemu", ONE, {"meta": "ctime=1795358400"}, False, id="uuid deleted"),
        pytest.param("qemu", {"meta": "ctime=1"}, {"meta": "ctime=2"}, True, id="made later"),
        pytest.param("qemu", {}, ONE, False, id="nothing known"),
        pytest.param("lxc", CT, {**CT, "hostname": "db"}, False, id="container renamed"),
        pytest.param(
            "lxc", CT, {**CT, "net0": "hwaddr=BC:24:11:00:00:02"}, False, id="new network card"
        ),
        pytest.param(
            "lxc", CT, {"hostname": "db", "net0": "hwaddr=BC:24:11:00:00:02"}, True, id="other one"
        ),
        pytest.param(
            "lxc",
            {**CT, "description": MARK},
            {"hostname": "db", "net0": "hwaddr=BC:24:11:00:00:02", "description": MARK},
            False,
            id="our marker",
        ),
        pytest.param(
            "lxc",
            {**CT, "description": MARK},
            {**CT, "description": MARK.replace("5f", "6f")},
            True,
            id="another marker",
        ),
    ],
)
def test_whether_a_key_has_another_guest_now(
    kind: str, old: dict[str, str], new: dict[str, str], another: bool
) -> None:
    assert differs(evidence(kind, old), evidence(kind, new)) is another


def test_only_proof_brings_a_vanished_guest_back() -> None:
    assert returns(evidence("qemu", ONE), evidence("qemu", {**ONE, "name": "x"}))
    assert not returns(evidence("qemu", ONE), {})
    assert not returns({"created": "1"}, {"created": "1"})
    assert returns(evidence("lxc", CT), evidence("lxc", CT))
    assert returns({}, {})
