"""Plan what goes away: everything of a release, or what its manifests no longer have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.diagnostics import error, warning
from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.identity.disks import (
    disks_of,
    foreign_disks,
    own_disks,
    read_disks,
    write_disks,
)
from pmpc_reconcile.locate import Found, Location, Missing, Refused, Unknown
from pmpc_reconcile.plans.hooks import hook_steps
from pmpc_reconcile.plans.membership import GUESTS, by_vmid
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.pools import leave_pool
from pmpc_reconcile.plans.situation import Built
from pmpc_reconcile.plans.steps import DeleteGuest, DeletePool, ForgetObject

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.live import PoolObject
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.plans.situation import Situation
    from pmpc_reconcile.records import ManagedRecord

__all__ = ["forget_object", "keep_object", "remove_guest", "remove_pool"]


def remove_guest(record: ManagedRecord, place: Location, former: Manifest | None) -> Built:
    """Return what deletes a guest that is provably ours; a missing one is only forgotten.

    Args:
        record: What is remembered of it.
        place: Where it is.
        former: Its last manifest, which may protect it or have hooks.
    """
    address = record.address
    protect = former is not None and former.protect
    match place:
        case Missing(notes):
            return Built(_forgotten(record, notes or ("it is gone already",)))
        case Refused(reason):
            return Built(
                _untouched(record, ObjectAction.REFUSED, reason), (), (_bad(record, reason),)
            )
        case Unknown(reason):
            note = warning(f"{address} cannot be deleted now: {reason}", address=address)
            return Built(_untouched(record, ObjectAction.UNKNOWN, reason), (), (note,))
        case Found(guest, marker_id):
            if protect or guest.protected:
                reason = f"{address} is protected" + ("" if protect else " (option protection)")
                problem = _bad(record, reason)
                return Built(_untouched(record, ObjectAction.REFUSED, reason), (), (problem,))
            ours = own_disks(guest.config, read_disks(record.identity), record.owned)
            foreign = disks_of(guest.config) - ours
            if foreign:
                reason = foreign_disks(guest.vmid, foreign)
                problem = _bad(record, reason)
                return Built(_untouched(record, ObjectAction.REFUSED, reason), (), (problem,))
            item = ObjectPlan(
                address=address,
                action=ObjectAction.DELETE,
                marker_id=marker_id,
                vmid=guest.vmid,
                node=guest.node,
                digest=guest.digest,
                evidence={**guest.evidence.to_record(), **write_disks(ours)},
                record=True,
            )
            name = address.partition("/")[2]
            locks = (f"guest:{guest.vmid}",)
            before = (
                () if former is None else hook_steps(former, "preDelete", locks, was=guest.state)
            )
            step = DeleteGuest(
                id=f"{address}#delete",
                address=address,
                summary=f"delete {name} ({guest.vmid} on {guest.node}) with its disks",
                reason="the manifests no longer have it",
                after=tuple(hook.id for hook in before),
                locks=locks,
                downtime="stop" if guest.running else "none",
            )
            behind = () if former is None else hook_steps(former, "postDelete", locks, (step.id,))
            return Built(item, (*before, step, *behind))


def remove_pool(
    situation: Situation,
    record: ManagedRecord,
    pool: PoolObject | None,
    after: tuple[str, ...],
    *,
    protect: bool,
) -> Built:
    """Return what deletes a pool that is provably ours, after its guests.

    Members that we put into it leave it first; with others in it, it stays.

    Args:
        situation: What was read.
        record: What is remembered of it.
        pool: The pool; None if there is none.
        after: Ids of the steps that delete its guests.
        protect: Whether its last manifest protects it.
    """
    if pool is None:
        return Built(_forgotten(record, ("it is gone already",)))
    marker = pool.marker
    if marker is None or marker.id != record.marker_id:
        reason = f"pool {pool.name} lacks our marker; it is left alone"
        note = warning(reason, address=record.address)
        return Built(_forgotten(record, (reason,)), (), (note,))
    if protect:
        reason = f"{record.address} is protected"
        problem = _bad(record, reason)
        return Built(_untouched(record, ObjectAction.REFUSED, reason), (), (problem,))
    item = ObjectPlan(
        address=record.address,
        action=ObjectAction.DELETE,
        marker_id=record.marker_id,
        record=True,
    )
    here = {f"{GUESTS}{vmid}" for vmid in pool.guests}
    own = tuple(
        FieldChange(path=path, action=Action.REMOVE, base=value, live=True)
        for path, value in sorted(by_vmid(situation, record.owned, recorded=True).items())
        if path in here
    )
    reason = "the manifests no longer have it"
    leave = leave_pool(record.address, pool.name, own, reason, after) if own else None
    step = DeletePool(
        id=f"{record.address}#delete",
        address=record.address,
        summary=f"delete pool {pool.name}",
        reason=reason,
        after=(leave.id,) if leave else after,
        locks=("file:user.cfg",),
    )
    return Built(item, (leave, step) if leave else (step,))


def forget_object(record: ManagedRecord, place: Location | None, pool: PoolObject | None) -> Built:
    """Return what makes an object nobody's: it stays as it is, without our marker.

    Args:
        record: What is remembered of it.
        place: Where it is, for a guest.
        pool: The pool, for one.
    """
    note = "it stays as it is and is nobody's from now on"
    item = _forgotten(record, (note,))
    locks = ("file:user.cfg",)
    if isinstance(place, Found):
        guest = place.guest
        item = attrs.evolve(item, vmid=guest.vmid, node=guest.node, digest=guest.digest)
        item = attrs.evolve(item, evidence=guest.evidence.to_record(), marker_id=place.marker_id)
        locks = (f"guest:{guest.vmid}",)
    elif pool is None:
        return Built(item)
    step = ForgetObject(
        id=f"{record.address}#forget",
        address=record.address,
        summary=f"take our marker out of {record.address.partition('/')[2]}",
        reason="it was asked to be kept",
        locks=locks,
        inverse="adopt it",
    )
    return Built(item, (step,))


def keep_object(record: ManagedRecord) -> Built:
    """Return that an object stays although the manifests no longer have it."""
    vmid = int(record.key) if record.kind in ("qemu", "lxc") else None
    note = "the manifests no longer have it; it stays and stays ours: prune deletes it"
    return Built(
        ObjectPlan(
            record.address,
            ObjectAction.KEEP,
            marker_id=record.marker_id,
            vmid=vmid,
            notes=(note,),
        )
    )


def _forgotten(record: ManagedRecord, notes: tuple[str, ...]) -> ObjectPlan:
    return ObjectPlan(
        record.address,
        ObjectAction.FORGET,
        marker_id=record.marker_id,
        notes=notes,
        record=True,
    )


def _untouched(record: ManagedRecord, action: ObjectAction, reason: str) -> ObjectPlan:
    return ObjectPlan(record.address, action, marker_id=record.marker_id, notes=(reason,))


def _bad(record: ManagedRecord, reason: str) -> Diagnostic:
    return error(reason, address=record.address)
