"""What an existing guest would need and the cluster does not have, said before a try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pmpc_reconcile.diagnostics import Severity, did_you_mean
from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.identity.disks import disks_of

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.live import GuestObject
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.plans.situation import Situation


def lacking(
    situation: Situation, manifest: Manifest, guest: GuestObject, changes: Sequence[FieldChange]
) -> Iterator[Diagnostic]:
    """Say which nodes, storages and pools a guest's changes need that are not there.

    Args:
        situation: What was read.
        manifest: What is wanted.
        guest: The guest as it is.
        changes: What would be changed.
    """
    yield from _places(situation, manifest, guest)
    yield from _storages(situation, manifest, guest, changes)
    pool, pools = manifest.pool, situation.inventory.pools
    joins = any(change.path == "pool" and change.action is not Action.REMOVE for change in changes)
    if joins and pool not in pools and f"Pool/{pool}" not in situation.creations:
        yield manifest.diagnose(
            f"there is no pool {pool}",
            "spec.pool",
            hint="declare it as a manifest of kind Pool, or create it",
        )
    if manifest.vmid is not None and manifest.vmid != guest.vmid:
        yield manifest.diagnose(
            f"it is guest {guest.vmid}, and a guest keeps its vmid: {manifest.vmid} has no effect",
            "spec.vmid",
            severity=Severity.WARNING,
        )


def _places(situation: Situation, manifest: Manifest, guest: GuestObject) -> Iterator[Diagnostic]:
    """Say which declared nodes there are not; one that is missing matters if it has to move."""
    inventory, moves = situation.inventory, _moves(manifest, guest)
    known = [node for node in manifest.nodes if node in inventory.nodes]
    for node in manifest.nodes:
        if node not in inventory.nodes:
            yield manifest.diagnose(
                f"the cluster has no node {node}",
                "spec.placement.nodes",
                hint=did_you_mean(node, inventory.nodes),
                severity=Severity.WARNING if known or not moves else Severity.ERROR,
            )
    if not moves or not known:
        return
    stores = {disk.volume.partition(":")[0] for disk in disks_of(guest.config)}
    fits = any(
        all(node in inventory.storages.get(storage, (node,)) for storage in stores)
        for node in known
    )
    if not fits:
        lies = "; ".join(
            f"{storage} is on {', '.join(sorted(inventory.storages[storage]))}"
            for storage in sorted(stores)
            if not set(known) & set(inventory.storages.get(storage, known))
        )
        yield manifest.diagnose(
            f"guest {guest.vmid} cannot be migrated to {' or '.join(known)}: its disks lie on "
            "storages that are not there",
            "spec.placement.nodes",
            hint=f"{lies}; move its disks first" if lies else "move its disks first",
        )


def _storages(
    situation: Situation, manifest: Manifest, guest: GuestObject, changes: Sequence[FieldChange]
) -> Iterator[Diagnostic]:
    storages = situation.inventory.storages
    places = manifest.nodes if _moves(manifest, guest) else (guest.node,)
    for change in changes:
        wanted = str(change.desired)
        if not change.path.endswith(".storage") or change.action is Action.REMOVE:
            continue
        having = storages.get(wanted)
        if having is None:
            yield manifest.diagnose(
                f"the cluster has no storage {wanted}",
                f"spec.{change.path}",
                hint=did_you_mean(wanted, storages),
            )
        elif not any(node in having for node in places):
            yield manifest.diagnose(
                f"storage {wanted} is not on {' or '.join(places)}, where the guest is",
                f"spec.{change.path}",
                hint=f"it is on {', '.join(sorted(having))}",
            )


def _moves(manifest: Manifest, guest: GuestObject) -> bool:
    return bool(manifest.nodes) and guest.node not in manifest.nodes
