from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pmpc_reconcile.identity import (
    Evidence,
    Marker,
    evidence_of,
    new_marker_id,
    read_marker,
    strip_marker,
    with_marker,
)

MARKER = Marker("shop", "VirtualMachine/web-1", "0123456789abcdef")
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.just("\n"))


@given(TEXT)
def test_the_users_words_survive_marking_and_stripping(text: str) -> None:
    own = strip_marker(text)
    marked = with_marker(text, MARKER)
    assert read_marker(marked) == MARKER
    assert strip_marker(marked) == own
    assert with_marker(marked, MARKER) == marked
    assert marked.count("managed-by: pmpc") == 1 + own.count("managed-by: pmpc")


def test_line_ends_that_pve_and_browsers_add_do_not_matter() -> None:
    marked = with_marker("mine", MARKER)
    assert read_marker(marked + "\n") == MARKER
    assert read_marker(marked.replace("\n", "\r\n") + "\r\n") == MARKER
    assert strip_marker(marked + "\n") == "mine"


def test_words_written_below_the_marker_are_the_users_too() -> None:
    edited = with_marker("above", MARKER) + "\nbelow\n"
    assert read_marker(edited) == MARKER
    assert strip_marker(edited) == "above\n\nbelow"


def test_two_different_markers_prove_nothing() -> None:
    other = Marker("shop", "VirtualMachine/web-2", "ffffffffffffffff")
    assert read_marker(f"{MARKER.line()}\n{other.line()}") is None
    assert read_marker(f"{MARKER.line()}\n{MARKER.line()}") == MARKER


def test_no_description_has_no_marker() -> None:
    assert read_marker(None) is None
    assert strip_marker(None) == ""
    assert with_marker(None, MARKER) == MARKER.line()


def test_a_new_marker_replaces_the_old_one() -> None:
    newer = Marker("shop", "VirtualMachine/web-1", "f" * 16)
    assert read_marker(with_marker(with_marker("x", MARKER), newer)) == newer


def test_ids_differ() -> None:
    assert len({new_marker_id() for _ in range(100)}) == 100


def test_the_smbios_uuid_decides_who_is_who() -> None:
    ours = evidence_of({"smbios1": "uuid=6A8C0B1E-0000-4000-8000-000000000001,base64=1"})
    again = evidence_of({"smbios1": "uuid=6a8c0b1e-0000-4000-8000-000000000001"})
    clone = evidence_of({"smbios1": "uuid=6a8c0b1e-0000-4000-8000-000000000002"})
    assert ours.proves(again)
    assert not ours.proves(clone)
    assert ours.contradicts(clone)


def test_a_container_is_known_by_its_hardware_address() -> None:
    ours = evidence_of({"net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,type=veth"})
    moved = evidence_of({"net3": "name=eth0,hwaddr=bc:24:11:00:00:01"})
    stranger = evidence_of({"net0": "name=eth0,hwaddr=BC:24:11:00:00:02"})
    assert ours.proves(moved)
    assert not ours.proves(stranger)


def test_no_traits_prove_nothing() -> None:
    assert not Evidence().proves(Evidence())
    assert not Evidence().contradicts(Evidence())


def test_traits_survive_being_stored() -> None:
    evidence = Evidence("6a8c0b1e-0000-4000-8000-000000000001", frozenset({"BC:24:11:00:00:01"}))
    assert Evidence.from_record(evidence.to_record()) == evidence
    assert Evidence.from_record({}) == Evidence()
