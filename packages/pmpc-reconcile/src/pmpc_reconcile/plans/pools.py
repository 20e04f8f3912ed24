"""Plan pools: known by the marker in their comment, without digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.diff import Action, FieldChange, three_way
from pmpc_reconcile.identity import strip_marker
from pmpc_reconcile.live import PoolObject
from pmpc_reconcile.plans.membership import GUESTS, by_vmid, owned_by_pool
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.situation import Built, Situation, is_recorded
from pmpc_reconcile.plans.steps import Configure, CreatePool, Step
from pmpc_reconcile.values import live_fields

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.records import ManagedRecord


def plan_pool(
    situation: Situation,
    manifest: Manifest,
    pool: PoolObject | None,
    record: ManagedRecord | None,
    *,
    adopted: bool = False,
) -> Built:
    """Return what makes a pool or brings it to its manifest.

    Args:
        situation: What was read.
        manifest: The pool.
        pool: The pool as it is, None if there is none of that name.
        record: What is remembered of it.
        adopted: It is ours from now on, unless a marker says whose it is.
    """
    if pool is None:
        return _new(situation, manifest)
    marker = pool.marker
    ours = marker is not None and (marker.release, marker.address) == (
        situation.release,
        str(manifest.address),
    )
    if not ours and ((record is None and not adopted) or marker is not None):
        problem = manifest.diagnose(
            f"pool {pool.name} exists and is not managed by this release; it is left alone",
            hint="give the pool of the manifest another name, or delete the other one",
        )
        item = ObjectPlan(str(manifest.address), ObjectAction.REFUSED, notes=(problem.message,))
        return Built(item, (), (problem,))
    marker_id = record.marker_id if record else situation.new_id()
    marker_id = marker_id if marker is None else marker.id
    return _existing(situation, manifest, pool, record, marker_id, marked=marker is not None)


def pool_config(pool: PoolObject) -> Mapping[str, Any]:
    """Return a pool as GET shows it, the marker taken out of its comment."""
    members: list[dict[str, Any]] = [{"vmid": vmid} for vmid in sorted(pool.guests)]
    members += [{"storage": storage} for storage in sorted(pool.storages)]
    return {"comment": strip_marker(pool.comment), "members": members}


def _new(situation: Situation, manifest: Manifest) -> Built:
    address, name = str(manifest.address), manifest.name
    fields = by_vmid(situation, manifest.fields)
    made = CreatePool(
        id=f"{address}#create",
        address=address,
        summary=f"create pool {name}",
        reason="it does not exist",
        locks=("file:user.cfg",),
        inverse="delete it",
    )
    changes = tuple(
        FieldChange(path=path, action=Action.ADD, desired=value)
        for path, value in sorted(fields.items())
    )
    steps: list[Step] = [made]
    members = tuple(change for change in changes if change.path != "comment")
    if members:
        steps.append(_configure(situation, manifest, members, after=(made.id,)))
    item = ObjectPlan(
        address=address,
        action=ObjectAction.CREATE,
        marker_id=situation.new_id(),
        changes=changes,
        desired=fields,
        owned_after=fields,
        record=True,
    )
    return Built(item, tuple(steps))


def _existing(
    situation: Situation,
    manifest: Manifest,
    pool: PoolObject,
    record: ManagedRecord | None,
    marker_id: str,
    *,
    marked: bool,
) -> Built:
    fields = by_vmid(situation, manifest.fields)
    diff = three_way(
        manifest.kind_data,
        fields,
        live_fields(manifest.kind_data, pool_config(pool)),
        owned_by_pool(situation, record),
        resolutions=by_vmid(situation, situation.resolutions_for(manifest)),
        others=situation.claims.get(("pool", pool.name), {}),
    )
    steps: tuple[Step, ...] = ()
    action = ObjectAction.CONFLICT if diff.conflicts else ObjectAction.NONE
    if not diff.conflicts and (diff.changes or not marked):
        action = ObjectAction.UPDATE
        steps = _update(situation, manifest, diff.changes, mark=not marked)
    owned = diff.owned_after()
    item = ObjectPlan(
        address=str(manifest.address),
        action=action,
        marker_id=marker_id,
        changes=diff.changes,
        conflicts=diff.conflicts,
        desired=fields,
        owned_after=owned,
        evidence={} if marked else {"pool": pool.name},
        record=not is_recorded(record, pool.name, marker_id, owned, situation.fingerprint),
    )
    return Built(item, steps)


def _update(
    situation: Situation, manifest: Manifest, changes: Sequence[FieldChange], *, mark: bool
) -> tuple[Step, ...]:
    """Return the steps of an update; guests that leave do so first, another pool may wait."""
    left = tuple(
        change
        for change in changes
        if change.action is Action.REMOVE and change.path.startswith(GUESTS)
    )
    rest = tuple(change for change in changes if change not in left)
    if not left:
        return (_configure(situation, manifest, rest, mark=mark),)
    leave = leave_pool(str(manifest.address), manifest.name, left, "the manifest differs")
    if not rest and not mark:
        return (leave,)
    return (leave, _configure(situation, manifest, rest, after=(leave.id,), mark=mark))


def leave_pool(
    address: str,
    name: str,
    members: tuple[FieldChange, ...],
    reason: str,
    after: tuple[str, ...] = (),
) -> Configure:
    """Return the step that takes members out of a pool."""
    return Configure(
        id=f"{address}#leave",
        address=address,
        summary=f"take {', '.join(change.path for change in members)} out of pool {name}",
        reason=reason,
        after=after,
        locks=("file:user.cfg",),
        inverse="put them back",
        changes=members,
    )


def _configure(
    situation: Situation,
    manifest: Manifest,
    changes: tuple[FieldChange, ...],
    *,
    after: tuple[str, ...] = (),
    mark: bool = False,
) -> Configure:
    made = tuple(
        step
        for change in changes
        if (step := situation.creations.get(change.path.removeprefix(GUESTS))) is not None
    )
    what = ", ".join(change.path for change in changes) or "the marker"
    return Configure(
        id=f"{manifest.address}#configure",
        address=str(manifest.address),
        summary=f"set {what} of pool {manifest.name}",
        reason="the manifest differs" if changes else "it has no marker",
        after=(*after, *made),
        locks=("file:user.cfg",),
        inverse="write the previous values",
        changes=changes,
        mark=mark,
    )
