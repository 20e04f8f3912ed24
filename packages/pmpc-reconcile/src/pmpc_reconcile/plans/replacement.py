"""Plan that a guest is deleted and made anew, where a change cannot be had otherwise.

Twice somebody has to say so: that it may be replaced (`replace: allow`), and that the data on its
disks may go (`acceptDataLoss`), naming the very guest, so that the word is spent with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.identity.disks import (
    Disk,
    disks_of,
    foreign_disks,
    own_disks,
    read_disks,
    write_disks,
)
from pmpc_reconcile.plans.creation import plan_new
from pmpc_reconcile.plans.hooks import hook_steps
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.situation import Built, Situation
from pmpc_reconcile.plans.steps import DeleteGuest

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.live import GuestObject
    from pmpc_reconcile.locate import Found
    from pmpc_reconcile.manifests import Manifest


def plan_replacement(
    situation: Situation, manifest: Manifest, found: Found, item: ObjectPlan
) -> Built:
    """Return what deletes a guest and makes another one as declared.

    Args:
        situation: What was read.
        manifest: The guest.
        found: Where it is now.
        item: What an update of it would be.
    """
    guest = found.guest
    problems = list(_obstacles(manifest, guest, item))
    if problems:
        return _refused(item, problems)
    guests = {vmid: at for vmid, at in situation.inventory.guests.items() if vmid != guest.vmid}
    without = attrs.evolve(situation.inventory, guests=guests)
    made = plan_new(attrs.evolve(situation, inventory=without), manifest, (), None)
    if any(problem.is_error for problem in made.diagnostics):
        return _refused(item, [*made.diagnostics])
    locks = (f"guest:{guest.vmid}",)
    before = tuple(
        attrs.evolve(hook, former=found.marker_id)
        for hook in hook_steps(manifest, "preDelete", locks, was=guest.state)
    )
    gone = DeleteGuest(
        id=f"{item.address}#delete",
        address=item.address,
        summary=f"delete {manifest.name} ({guest.vmid} on {guest.node}) with its disks",
        reason=f"{', '.join(_causes(item))} cannot be changed on an existing guest",
        after=tuple(hook.id for hook in before),
        locks=locks,
        downtime="stop" if guest.running else "none",
        former=found.marker_id,
    )
    first, *rest = made.steps
    steps = (*before, gone, attrs.evolve(first, after=(*first.after, gone.id)), *rest)
    replaced = attrs.evolve(
        item,
        action=ObjectAction.REPLACE,
        marker_id=made.item.marker_id,
        owned_after=made.item.owned_after,
        evidence={**guest.evidence.to_record(), **write_disks(_ours(guest, item))},
        restart=(),
        waits="",
        record=True,
    )
    return Built(replaced, steps, made.diagnostics)


def _obstacles(manifest: Manifest, guest: GuestObject, item: ObjectPlan) -> Iterator[Diagnostic]:
    if manifest.protect or guest.protected:
        yield manifest.diagnose(f"{item.address} is protected and cannot be replaced")
    disks = disks_of(guest.config)
    foreign = disks - _ours(guest, item)
    if foreign:
        yield manifest.diagnose(foreign_disks(guest.vmid, foreign))
    held = sorted(f"{disk.slot} ({disk.volume})" for disk in disks if not _is_made_up(disk))
    if held and manifest.accept_data_loss != guest.vmid:
        yield manifest.diagnose(
            f"{', '.join(_causes(item))} cannot be changed on an existing guest, and replacing "
            f"guest {guest.vmid} would destroy the data on {', '.join(held)}",
            "spec.replace",
            hint=f"acceptDataLoss: {guest.vmid} accepts that; back it up first",
        )


def _ours(guest: GuestObject, item: ObjectPlan) -> frozenset[Disk]:
    return own_disks(guest.config, read_disks(item.evidence), item.owned_after)


def _is_made_up(disk: Disk) -> bool:
    return "cloudinit" in disk.volume


def _causes(item: ObjectPlan) -> list[str]:
    return sorted(path for path, effect in item.effects.items() if effect == "replace")


def _refused(item: ObjectPlan, problems: list[Diagnostic]) -> Built:
    notes = tuple(problem.message for problem in problems if problem.is_error)
    refused = attrs.evolve(item, action=ObjectAction.REFUSED, notes=(*item.notes, *notes))
    return Built(refused, (), problems)
