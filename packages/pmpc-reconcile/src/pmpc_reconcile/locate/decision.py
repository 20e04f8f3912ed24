"""The decision whether an object is ours, from records and from configurations already read."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from pmpc_reconcile.identity import Evidence
from pmpc_reconcile.live.objects import GuestObject


@attrs.frozen
class Recorded:
    """What the state database remembers of an object.

    Attributes:
        address: The object.
        guest: `qemu` or `lxc`.
        vmid: Its vmid when last applied.
        marker_id: The id in its marker.
        evidence: Traits it had.
    """

    address: str
    guest: str
    vmid: int
    marker_id: str
    evidence: Evidence


@attrs.frozen
class Found:
    """The object, proven ours.

    Attributes:
        guest: The guest.
        marker_id: The id that its marker has, or must have.
        how: Words for people: by which proof.
        marked: False when the description has lost its marker.
    """

    guest: GuestObject
    marker_id: str
    how: str
    marked: bool = True


@attrs.frozen
class Missing:
    """No object on the cluster is ours.

    Attributes:
        notes: What was seen instead, such as a stranger at the recorded vmid.
    """

    notes: tuple[str, ...] = ()


@attrs.frozen
class Refused:
    """More than one object may be ours: nothing is touched.

    Attributes:
        reason: Which ones, and what to do.
    """

    reason: str


@attrs.frozen
class Unknown:
    """It cannot be told, because a node does not answer.

    Attributes:
        reason: Which node.
    """

    reason: str


Location = Found | Missing | Refused | Unknown


def decide(
    release: str, address: str, recorded: Recorded | None, guests: Sequence[GuestObject]
) -> Location:
    """Return which of the guests is the object.

    A guest with our marker is ours unless another one has a better proof; a clone or a restored
    backup carries the marker of its original, so a marker alone is not enough when two have it.
    Without a marker, the recorded vmid counts only together with the recorded traits.

    Args:
        release: The release.
        address: The object's address.
        recorded: What is remembered; None at first sight or when the database was lost.
        guests: Candidates, each read from its own configuration.
    """
    marked = [guest for guest in guests if _is_marked(guest, release, address)]
    notes = _strangers(recorded, guests, marked)
    if recorded is not None:
        proven = _by_record(recorded, guests, marked)
        if proven is not None:
            return proven
    if not marked:
        return Missing(notes)
    if len(marked) > 1:
        where = ", ".join(f"{guest.vmid} on {guest.node}" for guest in marked)
        return Refused(
            f"guests {where} all carry the marker of {address}; one is a clone or a restored "
            "backup: remove the line `managed-by: pmpc …` from the description of the others"
        )
    return _by_marker(address, recorded, marked[0], notes)


def _by_marker(
    address: str, recorded: Recorded | None, guest: GuestObject, notes: tuple[str, ...]
) -> Location:
    marker = guest.marker
    marker_id = marker.id if marker else ""
    if recorded is None:
        return Found(guest, marker_id, "its marker")
    if recorded.vmid != guest.vmid and recorded.evidence.contradicts(guest.evidence):
        return Missing(
            (*notes, f"guest {guest.vmid} carries its marker but is a copy: its uuid differs")
        )
    if recorded.marker_id == marker_id and not recorded.evidence.contradicts(guest.evidence):
        return Found(guest, marker_id, "its marker")
    trait = "id" if recorded.marker_id != marker_id else "smbios uuid"
    return Refused(
        f"guest {guest.vmid} on {guest.node} carries the marker of {address}, but its {trait} is "
        "not the recorded one; it may be a restored backup or a copy. It is left alone: remove "
        "the line `managed-by: pmpc …` from its description if it is not ours"
    )


def _is_marked(guest: GuestObject, release: str, address: str) -> bool:
    marker = guest.marker
    return marker is not None and (marker.release, marker.address) == (release, address)


def _by_record(
    recorded: Recorded, guests: Sequence[GuestObject], marked: Sequence[GuestObject]
) -> Found | None:
    for guest in marked:
        marker = guest.marker
        same_id = marker is not None and marker.id == recorded.marker_id
        exact = same_id and guest.vmid == recorded.vmid
        if exact and not recorded.evidence.contradicts(guest.evidence):
            return Found(guest, recorded.marker_id, "its marker at the recorded vmid")
    for guest in guests:
        if not recorded.evidence.proves(guest.evidence) or guest.guest != recorded.guest:
            continue
        marker = guest.marker
        if guest in marked and marker is not None:
            return Found(guest, marker.id, "its marker and recorded traits")
        if guest.vmid == recorded.vmid and guest.marker is None:
            how = "its recorded vmid and traits; the marker is missing"
            return Found(guest, recorded.marker_id, how, marked=False)
    return None


def _strangers(
    recorded: Recorded | None, guests: Sequence[GuestObject], marked: Sequence[GuestObject]
) -> tuple[str, ...]:
    if recorded is None:
        return ()
    return tuple(
        f"vmid {guest.vmid}, where it was, is now another guest "
        f"({guest.config.get('name') or guest.config.get('hostname') or 'without name'} on "
        f"{guest.node}); it is left alone"
        for guest in guests
        if guest.vmid == recorded.vmid and guest not in marked
    )
