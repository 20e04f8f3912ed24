"""Take over what nobody manages: write its manifests and prove that these change nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.kinds import Kind, kinds
from pmpc_reconcile.live import GuestEntry, GuestObject, Inventory, LiveCluster
from pmpc_reconcile.planning.adoption import ADOPTABLE, settings_to_adopt
from pmpc_reconcile.plans.adoption import document_of, manifest_text


@attrs.frozen
class Adoptable:
    """Guests to adopt.

    Attributes:
        text: Their manifests as YAML.
        vmids: Address to vmid.
        left: What was meant and is left out, each with the reason.
        taken: Addresses of objects that are no guests.
    """

    text: str
    vmids: Mapping[str, int]
    left: tuple[str, ...]
    taken: frozenset[str] = frozenset()


async def write_manifests(
    live: LiveCluster,
    names: Sequence[str],
    wanted: Sequence[str],
    taken: Collection[tuple[str, str]] = (),
) -> Adoptable:
    """Read guests or settings and write their manifests.

    Args:
        live: The cluster.
        names: Names, or vmids of guests; none for all.
        wanted: Names of kinds; none for every kind of guest. Guests and settings are adopted
            one after the other.
        taken: What other releases manage, as kind and key of the records.

    Raises:
        InputInvalid: A kind or a guest is not known.
        PveError: The cluster cannot be read.
    """
    settings = [name for name in wanted if name in ADOPTABLE]
    if not settings:
        return await _guest_manifests(live, names, wanted)
    if len(settings) < len(wanted):
        _families([name for name in wanted if name not in settings])
        raise InputInvalid("adopt guests and other kinds one after the other")
    found, left = await settings_to_adopt(live, names, settings, taken)
    text = manifest_text([dict(each.document) for each in found]) if found else ""
    return Adoptable(text, {}, tuple(left), frozenset(each.address for each in found))


async def _guest_manifests(
    live: LiveCluster, names: Sequence[str], wanted: Sequence[str]
) -> Adoptable:
    """Read guests and write their manifests.

    Args:
        live: The cluster.
        names: Names or vmids of guests; none for every guest.
        wanted: Names of kinds; none for every kind of guest.

    Raises:
        InputInvalid: A kind or a guest is not known.
        PveError: The cluster cannot be read.
    """
    families = _families(wanted)
    inventory = await live.inventory()
    entries = _chosen(inventory, names, families)
    entries = [item for item in entries if names or not item.template]
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
    counted = Counter((guest.guest, _name(guest)) for guest in guests)
    documents: list[dict[str, Any]] = []
    vmids: dict[str, int] = {}
    for guest in guests:
        reason = _reason_against(guest)
        if reason is not None:
            left.append(f"{guest.vmid} on {guest.node}: {reason}")
            continue
        kind, name = families[guest.guest], _name(guest)
        if counted[guest.guest, name] > 1:
            name = f"{name}-{guest.vmid}"
        documents.append(document_of(kind, name, guest))
        vmids[f"{kind.name}/{name}"] = guest.vmid
    return Adoptable(manifest_text(documents) if documents else "", vmids, tuple(left))


def _families(wanted: Sequence[str]) -> dict[str, Kind]:
    guests = {kind.name: kind for kind in kinds() if kind.guest is not None}
    unknown = [name for name in wanted if name not in guests]
    if unknown:
        known = ", ".join((*guests, *ADOPTABLE))
        raise InputInvalid(f"cannot adopt {unknown[0]}: kinds are {known}")
    return {
        kind.guest: kind
        for name, kind in guests.items()
        if kind.guest is not None and (not wanted or name in wanted)
    }


def _chosen(
    inventory: Inventory, names: Sequence[str], families: Mapping[str, Kind]
) -> list[GuestEntry]:
    guests = [
        inventory.guests[vmid]
        for vmid in sorted(inventory.guests)
        if inventory.guests[vmid].guest in families
    ]
    if not names:
        return guests
    known = {item.name for item in guests} | {str(item.vmid) for item in guests}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputInvalid(f"there is no guest {unknown[0]!r} of kind {_words(families)}")
    return [item for item in guests if item.name in names or str(item.vmid) in names]


def _words(families: Mapping[str, Kind]) -> str:
    return " or ".join(kind.name for kind in families.values())


def _name(guest: GuestObject) -> str:
    return str(guest.config.get("name") or guest.config.get("hostname") or "")


def _reason_against(guest: GuestObject) -> str | None:
    marker = guest.marker
    if marker is not None:
        return f"it belongs to release {marker.release} as {marker.address}"
    if str(guest.config.get("template", 0)) in ("1", "True", "true"):
        return "it is a template"
    if guest.evidence.uuid is None and not guest.evidence.macs:
        return "it has neither an smbios uuid nor a network interface to know it by"
    return None if _name(guest) else "it has no name"
