"""A guest is in one pool at most, and both its manifest and the pool's may say in which.

So what one of them gives up and the other one takes must come in the right order, and what they
say differently cannot be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.plans.situation import Situation
    from pmpc_reconcile.records import ManagedRecord
    from pmpc_reconcile.values import FieldValue

    Said = tuple[str, Manifest, str]

GUESTS: Final = "guests."
_T = TypeVar("_T")


def by_vmid(
    situation: Situation, by_path: Mapping[str, _T], *, recorded: bool = False
) -> dict[str, _T]:
    """Return what stands under paths of a pool with guests named by vmid where they exist.

    Args:
        situation: What was read.
        by_path: Fields of a pool; a member is `guests.VirtualMachine/web-1` or `guests.100`.
        recorded: Take the vmid that is remembered of guests that the plan does not look at.
    """
    found: dict[str, _T] = {}
    for path, value in by_path.items():
        reference = path.removeprefix(GUESTS)
        vmid: object = situation.vmids.get(reference) if path.startswith(GUESTS) else None
        if vmid is None and recorded and path.startswith(GUESTS):
            record = situation.managed.get(reference)
            vmid = None if record is None else record.key
        found[path if vmid is None else f"{GUESTS}{vmid}"] = value
    return found


def owned_by_pool(situation: Situation, record: ManagedRecord | None) -> dict[str, FieldValue]:
    """Return the fields of a pool that are ours, without members whose manifest has the say now.

    A guest that declares its pool is not taken out of this one: it stays, or is moved by its own
    step.
    """
    if record is None:
        return {}
    saying = {
        f"{GUESTS}{situation.vmids.get(address, address)}"
        for address, manifest in situation.declared.items()
        if manifest.pool is not None
    }
    owned = by_vmid(situation, record.owned, recorded=True)
    return {path: value for path, value in owned.items() if path not in saying}


def owned_by_guest(
    situation: Situation, manifest: Manifest, record: ManagedRecord | None
) -> Mapping[str, FieldValue]:
    """Return the fields of a guest that are ours; its pool is not if that pool lists it now."""
    if record is None:
        return {}
    said = situation.pools_said.get(str(manifest.address), ())
    listing = {pool for pool, _, _ in said}
    if manifest.pool is None and record.owned.get("pool") in listing:
        return {path: value for path, value in record.owned.items() if path != "pool"}
    return record.owned


def in_two_pools(situation: Situation) -> Iterator[Diagnostic]:
    """Say which guests are declared to be in several pools."""
    for guest, (first, *others) in sorted(situation.pools_said.items()):
        for pool, manifest, path in others:
            if pool != first[0]:
                yield manifest.diagnose(
                    f"{guest} is declared to be in pool {first[0]} and in pool {pool}, and a "
                    "guest is in one pool only",
                    path,
                    hint=f"{first[1].address} says the other one; keep one of them",
                )


def pools_said(situation: Situation) -> dict[str, list[Said]]:
    """Return for each guest, by address or vmid, who says in which pool it is."""
    addresses = {
        str(manifest.vmid): address
        for address, manifest in situation.declared.items()
        if manifest.vmid is not None
    } | {str(vmid): address for address, vmid in situation.vmids.items()}
    found: dict[str, list[Said]] = {}
    for address, manifest in situation.declared.items():
        if manifest.pool is not None:
            found.setdefault(address, []).append((manifest.pool, manifest, "spec.pool"))
        for path in manifest.fields if manifest.kind == "Pool" else ():
            reference = path.removeprefix(GUESTS)
            if path.startswith(GUESTS):
                guest = addresses.get(reference, reference)
                found.setdefault(guest, []).append((manifest.name, manifest, f"spec.{path}"))
    return found
