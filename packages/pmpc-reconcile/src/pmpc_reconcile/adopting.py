"""Take over what nobody manages: write its manifests and prove that these change nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import attrs

from pmpc_reconcile.documents.guests import guest_document
from pmpc_reconcile.documents.written import Written, manifest_text
from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.kinds import Kind, kinds
from pmpc_reconcile.live import GuestEntry, GuestObject, Inventory, LiveCluster
from pmpc_reconcile.planning.adoption import ADOPTABLE, settings_manifests
from pmpc_reconcile.plans.settings import RECORD_KINDS

_POOL: Final = "pool"
Recorded = tuple[str, str]
"""Kind and key under which an object is recorded."""


@attrs.frozen
class Adoptable:
    """What is to be adopted.

    Attributes:
        text: The manifests as YAML.
        vmids: Address to vmid, of guests.
        left: What was meant and is left out, each with the reason.
        taken: Addresses of objects that are no guests.
    """

    text: str
    vmids: Mapping[str, int]
    left: tuple[str, ...]
    taken: frozenset[str] = frozenset()


@attrs.frozen
class Wanted:
    """What somebody wants to adopt.

    Attributes:
        names: Names, or vmids of guests; none for all.
        kinds: Names of kinds; none for every kind of guest.
        release: Whose it is to be.
        own: What this release manages, and under which address: it is taken as it is now.
        taken: What other releases manage.
    """

    names: Sequence[str] = ()
    kinds: Sequence[str] = ()
    release: str = "default"
    own: Mapping[Recorded, str] = attrs.field(factory=dict[Recorded, str])
    taken: Collection[Recorded] = ()


async def write_manifests(live: LiveCluster, wanted: Wanted) -> Adoptable:
    """Read guests, pools and settings and write their manifests.

    Raises:
        InputInvalid: A kind or a name is not known.
        PveError: The cluster cannot be read.
    """
    _check_kinds(wanted.kinds)
    settings = [name for name in wanted.kinds if name in ADOPTABLE]
    families = _families(wanted.kinds) if len(settings) < len(wanted.kinds) or not settings else {}
    found: list[Written] = []
    left: list[str] = []
    for name in settings:
        manifests, out = await settings_manifests(live, name)
        found += manifests
        left += out
    found = [_owned_name(each, wanted) for each in found]
    inventory = await live.inventory()
    guests = _guests(inventory, families)
    _check_names(wanted, found, guests, [*families.values()], settings)
    chosen = [each for each in found if not wanted.names or each.name in wanted.names]
    free = [each for each in chosen if _record_of(each) not in wanted.taken]
    left += [f"{each.address}: another release manages it" for each in chosen if each not in free]
    documents, vmids, out = await _guest_manifests(live, inventory, wanted, guests, families)
    text = manifest_text([*documents, *free]) if documents or free else ""
    taken = frozenset(each.address for each in free)
    return Adoptable(text, vmids, (*left, *out), taken)


def _owned_name(found: Written, wanted: Wanted) -> Written:
    address = wanted.own.get(_record_of(found))
    return found if address is None else found.named(address.partition("/")[2])


def _record_of(found: Written) -> Recorded:
    return RECORD_KINDS.get(str(found.document["kind"]), _POOL), found.key


async def _guest_manifests(
    live: LiveCluster,
    inventory: Inventory,
    wanted: Wanted,
    listed: Sequence[GuestEntry],
    families: Mapping[str, Kind],
) -> tuple[list[Written], dict[str, int], list[str]]:
    entries = [
        entry
        for entry in listed
        if ({entry.name, str(entry.vmid)} & {*wanted.names} if wanted.names else not entry.template)
    ]
    left = [
        f"{entry.vmid} on {entry.node}: its node does not answer"
        for entry in entries
        if not inventory.reachable(entry.node)
    ]
    guests = await asyncio.gather(
        *(
            live.guest(entry.node, entry.guest, entry.vmid, pool=entry.pool)
            for entry in entries
            if inventory.reachable(entry.node)
        )
    )
    counted = Counter((guest.guest, _name(guest, wanted)) for guest in guests)
    documents: list[Written] = []
    vmids: dict[str, int] = {}
    for guest in guests:
        reason = _reason_against(guest, wanted)
        if reason is not None:
            left.append(f"{guest.vmid} on {guest.node}: {reason}")
            continue
        name = _name(guest, wanted)
        if counted[guest.guest, name] > 1:
            name = f"{name}-{guest.vmid}"
        documents.append(guest_document(families[guest.guest], name, guest))
        vmids[documents[-1].address] = guest.vmid
    return documents, vmids, left


def _check_kinds(wanted: Sequence[str]) -> None:
    guests = [kind.name for kind in kinds() if kind.guest is not None]
    if "Image" in wanted:
        raise InputInvalid(
            "cannot adopt Image: PVE does not keep where an image came from; a manifest with its "
            "url that is planned over it changes nothing"
        )
    unknown = [name for name in wanted if name not in (*guests, *ADOPTABLE)]
    if unknown:
        known = ", ".join((*guests, *ADOPTABLE))
        raise InputInvalid(f"cannot adopt {unknown[0]}: kinds are {known}")


def _families(wanted: Sequence[str]) -> dict[str, Kind]:
    return {
        kind.guest: kind
        for kind in kinds()
        if kind.guest is not None and (not wanted or kind.name in wanted)
    }


def _guests(inventory: Inventory, families: Mapping[str, Kind]) -> list[GuestEntry]:
    return [
        inventory.guests[vmid]
        for vmid in sorted(inventory.guests)
        if inventory.guests[vmid].guest in families
    ]


def _check_names(
    wanted: Wanted,
    found: Sequence[Written],
    guests: Sequence[GuestEntry],
    families: Sequence[Kind],
    settings: Sequence[str],
) -> None:
    known = {each.name for each in found} | {item.name for item in guests}
    known |= {str(item.vmid) for item in guests}
    unknown = [name for name in wanted.names if name not in known]
    if not unknown:
        return
    of_kind = " or ".join((*(kind.name for kind in families), *settings))
    if not settings:
        raise InputInvalid(f"there is no guest {unknown[0]!r} of kind {of_kind}")
    there = ", ".join(sorted(each.name for each in found)) or "none"
    raise InputInvalid(f"there is no {unknown[0]!r} of kind {of_kind}; there is {there}")


def _name(guest: GuestObject, wanted: Wanted) -> str:
    marker = guest.marker
    if marker is not None and marker.release == wanted.release:
        return marker.address.partition("/")[2]
    return str(guest.config.get("name") or guest.config.get("hostname") or "")


def _reason_against(guest: GuestObject, wanted: Wanted) -> str | None:
    marker = guest.marker
    # Who names a guest of the release itself wants it taken as it is now, others' edits included.
    again = marker is not None and marker.release == wanted.release and bool(wanted.names)
    if marker is not None and not again:
        return f"it belongs to release {marker.release} as {marker.address}"
    if str(guest.config.get("template", 0)) in ("1", "True", "true"):
        return "it is a template"
    if guest.evidence.uuid is None and not guest.evidence.macs:
        return "it has neither an smbios uuid nor a network interface to know it by"
    return None if _name(guest, wanted) else "it has no name"
