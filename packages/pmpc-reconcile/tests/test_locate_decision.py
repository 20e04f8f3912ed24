"""Pains: a reused vmid destroys a stranger; a clone or backup is taken for the original."""

from __future__ import annotations

from typing import Any

from pmpc_reconcile.identity import Evidence, Marker, with_marker
from pmpc_reconcile.live.objects import GuestObject
from pmpc_reconcile.locate import Found, Missing, Recorded, Refused, decide

ADDRESS = "VirtualMachine/web-1"
MARKER = Marker("shop", ADDRESS, "0" * 16)
UUID = "6a8c0b1e-0000-4000-8000-00000000000{}"
RECORDED = Recorded(ADDRESS, "qemu", 100, "0" * 16, Evidence(UUID.format(1)))


def guest(
    vmid: int, uuid: int = 1, marker: Marker | None = MARKER, guest: str = "qemu", **more: Any
) -> GuestObject:
    config: dict[str, Any] = {"smbios1": f"uuid={UUID.format(uuid)}", **more}
    if marker is not None:
        config["description"] = with_marker("mine", marker) + "\n"
    return GuestObject(vmid, guest, "pve1", config, config, "d" * 40, False)


def test_marker_at_the_recorded_vmid_is_ours() -> None:
    place = decide("shop", ADDRESS, RECORDED, [guest(100)])
    assert isinstance(place, Found)
    assert place.marked


def test_marker_alone_is_ours_when_the_database_was_lost() -> None:
    place = decide("shop", ADDRESS, None, [guest(123)])
    assert isinstance(place, Found)
    assert place.guest.vmid == 123
    assert place.marker_id == MARKER.id


def test_a_stranger_at_our_vmid_is_left_alone_and_mentioned() -> None:
    place = decide("shop", ADDRESS, RECORDED, [guest(100, uuid=7, marker=None, name="theirs")])
    assert isinstance(place, Missing)
    assert "theirs on pve1" in place.notes[0]


def test_the_same_name_without_marker_is_not_adopted() -> None:
    place = decide("shop", ADDRESS, None, [guest(100, marker=None, name="web-1")])
    assert isinstance(place, Missing)


def test_a_marker_of_another_release_or_object_is_not_ours() -> None:
    other = [
        guest(100, uuid=2, marker=Marker("blog", ADDRESS, "0" * 16)),
        guest(101, uuid=3, marker=Marker("shop", "VirtualMachine/web-2", "0" * 16)),
    ]
    assert isinstance(decide("shop", ADDRESS, RECORDED, other), Missing)


def test_a_lost_marker_is_put_back_when_the_uuid_proves_it() -> None:
    place = decide("shop", ADDRESS, RECORDED, [guest(100, marker=None)])
    assert isinstance(place, Found)
    assert not place.marked


def test_a_clone_with_a_copied_marker_is_not_the_original() -> None:
    place = decide("shop", ADDRESS, RECORDED, [guest(100), guest(105, uuid=5)])
    assert isinstance(place, Found)
    assert place.guest.vmid == 100


def test_a_clone_is_not_taken_for_an_original_that_is_gone() -> None:
    place = decide("shop", ADDRESS, RECORDED, [guest(105, uuid=5)])
    assert isinstance(place, Missing)
    assert "is a copy" in place.notes[0]


def test_two_with_one_marker_and_no_record_are_refused() -> None:
    place = decide("shop", ADDRESS, None, [guest(100), guest(105, uuid=5)])
    assert isinstance(place, Refused)
    assert "100 on pve1, 105 on pve1" in place.reason


def test_restored_under_another_vmid_is_found_by_marker_and_uuid() -> None:
    place = decide("shop", ADDRESS, RECORDED, [guest(222)])
    assert isinstance(place, Found)
    assert place.guest.vmid == 222


def test_our_marker_on_another_machine_at_our_vmid_is_refused() -> None:
    place = decide("shop", ADDRESS, RECORDED, [guest(100, uuid=9)])
    assert isinstance(place, Refused)
    assert "smbios uuid" in place.reason


def test_another_id_in_the_marker_is_refused() -> None:
    odd = guest(100, uuid=9, marker=Marker("shop", ADDRESS, "f" * 16))
    assert isinstance(decide("shop", ADDRESS, RECORDED, [odd]), Refused)


def test_a_container_reusing_the_vmid_is_not_our_machine() -> None:
    place = decide("shop", ADDRESS, RECORDED, [guest(100, marker=None, guest="lxc")])
    assert isinstance(place, Missing)
