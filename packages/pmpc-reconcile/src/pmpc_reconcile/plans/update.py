"""Plan an object that exists: compare, classify, and put the steps into the order that works.

Shut down first (then nothing has to wait for a restart), migrate, resize, one write of options,
move disks, pool, at most one start or restart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from pmpc_reconcile.classify import Effect, classify, hotplug_features, why_waits
from pmpc_reconcile.diff import Diff, FieldChange, pending_options, three_way, to_wire
from pmpc_reconcile.identity.disks import disks_of, read_disks, write_disks
from pmpc_reconcile.locate import Found
from pmpc_reconcile.plans.chain import GuestChain, wanted_value
from pmpc_reconcile.plans.cloud_init import (
    lack,
    options_declared,
    ours_behind,
    remark,
    written_to,
)
from pmpc_reconcile.plans.cold import cold_changes, told, without_cold
from pmpc_reconcile.plans.health import ailment_of
from pmpc_reconcile.plans.lacking import lacking
from pmpc_reconcile.plans.membership import owned_by_guest
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.replacement import plan_replacement
from pmpc_reconcile.plans.restarts import decide_restart
from pmpc_reconcile.plans.situation import Built, Situation, is_recorded
from pmpc_reconcile.plans.steps import RegenerateCloudInit
from pmpc_reconcile.values import FieldValue, default_of, live_fields, same, split_path

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.live import GuestObject
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.records import ManagedRecord

EFFECT_WORDS: Final[Mapping[Effect, str]] = {
    Effect.LIVE: "live",
    Effect.RESTART: "restart",
    Effect.STOP: "stop",
    Effect.CREATE_ONLY: "create-only",
    Effect.REPLACE: "replace",
}


def plan_existing(
    situation: Situation, manifest: Manifest, found: Found, record: ManagedRecord | None
) -> Built:
    """Return what brings an existing guest to its manifest."""
    guest = found.guest
    diff = compare(situation, manifest, guest, record)
    changes, effects = _classified(manifest, guest, diff.changes)
    because = _reasons(manifest, guest, changes, effects)
    item = _item(situation, manifest, found, record, diff, changes, effects)
    rows = situation.behind.get(item.address)
    behind = ours_behind(
        guest, options_declared(manifest.fields), record.identity if record else {}, rows
    )
    item = attrs.evolve(item, because=because, behind=behind)
    if diff.conflicts:
        waiting = _waiting(manifest, guest, (), {}, stopping=False)
        return Built(attrs.evolve(item, action=ObjectAction.CONFLICT, restart=waiting))
    if manifest.replace == "allow" and "replace" in effects.values():
        return plan_replacement(situation, manifest, found, item)
    problems = _refusals(manifest, guest, changes, effects)
    problems += lacking(situation, manifest, guest, changes)
    if any(problem.is_error for problem in problems):
        notes = tuple(problem.message for problem in problems if problem.is_error)
        return Built(attrs.evolve(item, action=ObjectAction.REFUSED, notes=notes), (), problems)
    stopping = wanted_value(changes, "state") == "stopped"
    cold = cold_changes(guest, changes, effects, stopping=stopping)
    item = _withheld(situation, found, record, item, cold)
    changes = tuple(change for change in changes if change not in cold)
    waiting = _waiting(manifest, guest, changes, effects, stopping=stopping)
    decision = decide_restart(manifest, situation.moment, asked=situation.restart_asked(manifest))
    restart = decision if waiting and decision.allowed else None
    drive = lack(written_to(guest, changes, effects), item.behind)
    steps = GuestChain(manifest, guest, changes, situation).steps(
        stopping=stopping,
        mark=not found.marked,
        drive=drive,
        waiting=waiting,
        restart=restart,
        because=because,
    )
    more = remark(
        rows or (), drive.keys, written=any(isinstance(s, RegenerateCloudInit) for s in steps)
    )
    item = attrs.evolve(item, notes=(*item.notes, *more))
    action = ObjectAction.UPDATE if steps else ObjectAction.NONE
    if waiting and restart is None:
        item = attrs.evolve(item, restart=waiting, waits=str(decision))
    if cold:
        slots = {split_path(change.path)[1] or "" for change in cold}
        both = tuple(sorted({*slots, *item.restart}))
        item = attrs.evolve(item, restart=both, waits=told(cold, item.waits))
    return Built(attrs.evolve(item, action=action), steps, problems)


def compare(
    situation: Situation, manifest: Manifest, guest: GuestObject, record: ManagedRecord | None
) -> Diff:
    """Return the three-way comparison of a guest with its manifest."""
    live = live_fields(
        manifest.kind_data, guest.own_config, state=guest.state, pool=guest.pool or None
    )
    return three_way(
        manifest.kind_data,
        manifest.fields,
        live,
        owned_by_guest(situation, manifest, record),
        resolutions=situation.resolutions_for(manifest),
        others=situation.claims.get((guest.guest, str(guest.vmid)), {}),
        fingerprint=situation.fingerprint,
    )


def _item(
    situation: Situation,
    manifest: Manifest,
    found: Found,
    record: ManagedRecord | None,
    diff: Diff,
    changes: tuple[FieldChange, ...],
    effects: Mapping[str, str],
) -> ObjectPlan:
    guest = found.guest
    owned = diff.owned_after()
    recorded = is_recorded(record, str(guest.vmid), found.marker_id, owned, situation.fingerprint)
    kept = tuple(
        f"{field.path} stays {field.live}: {field.reason}"
        for field in diff.settled
        if field.action.value == "keep"
    )
    return ObjectPlan(
        address=str(manifest.address),
        action=ObjectAction.NONE,
        marker_id=found.marker_id,
        vmid=guest.vmid,
        node=guest.node,
        digest=guest.digest,
        changes=changes,
        conflicts=diff.conflicts,
        desired=dict(manifest.fields),
        owned_after=owned,
        effects=effects,
        ailment=ailment_of(manifest, guest, situation.inventory.guests.get(guest.vmid)),
        notes=(*kept, *_detached(manifest, guest, changes)),
        evidence={
            **guest.evidence.to_record(),
            **write_disks(read_disks(record.identity) if record else disks_of(guest.config)),
        },
        record=not recorded,
    )


def _withheld(
    situation: Situation,
    found: Found,
    record: ManagedRecord | None,
    item: ObjectPlan,
    cold: Sequence[FieldChange],
) -> ObjectPlan:
    """Return the entry without owning what waits until the guest is stopped."""
    if not cold:
        return item
    owned = without_cold(item.owned_after, cold)
    key = str(found.guest.vmid)
    recorded = is_recorded(record, key, found.marker_id, owned, situation.fingerprint)
    return attrs.evolve(item, owned_after=owned, record=not recorded)


def _detached(
    manifest: Manifest, guest: GuestObject, changes: Sequence[FieldChange]
) -> tuple[str, ...]:
    """Say what becomes of the volumes of disks that are taken out; cloud-init ones are made up."""
    removed = set(to_wire(manifest.kind_data, changes, guest.own_config).delete)
    return tuple(
        f"{disk.slot}: its volume {disk.volume} is detached, not deleted; it stays as unusedN"
        for disk in sorted(disks_of(guest.config), key=lambda disk: disk.slot)
        if disk.slot in removed and "cloudinit" not in disk.volume
    )


def _classified(
    manifest: Manifest, guest: GuestObject, changes: Sequence[FieldChange]
) -> tuple[tuple[FieldChange, ...], dict[str, str]]:
    """Return the changes that can be made to an existing guest, and when each takes effect."""
    if not changes:
        return (), {}
    running = live_fields(manifest.kind_data, guest.running_config)
    kept: list[FieldChange] = []
    effects: dict[str, str] = {}
    slots = {
        ".".join(path.split(".")[:2]) for path in live_fields(manifest.kind_data, guest.config)
    }
    for change in changes:
        effect = classify(
            manifest.kind_data,
            change.path,
            change.action,
            running=guest.running,
            hotplug=hotplug_features(guest.running_config),
            before=change.live,
            after=change.desired,
            new_slot=None if ".".join(change.path.split(".")[:2]) in slots else True,
        )
        if effect is not Effect.CREATE_ONLY:
            kept.append(change)
            back = effect in (Effect.RESTART, Effect.STOP) and _as_it_runs(
                manifest, running, change
            )
            effects[change.path] = EFFECT_WORDS[Effect.LIVE if back else effect]
    return tuple(kept), effects


def _reasons(
    manifest: Manifest,
    guest: GuestObject,
    changes: Sequence[FieldChange],
    effects: Mapping[str, str],
) -> dict[str, str]:
    """Return why changes wait for a restart."""
    hotplug = hotplug_features(guest.running_config)
    return {
        change.path: why_waits(manifest.kind_data, change.path, change.action, hotplug=hotplug)
        for change in changes
        if effects.get(change.path) in ("restart", "stop")
    }


def _as_it_runs(manifest: Manifest, running: Mapping[str, FieldValue], change: FieldChange) -> bool:
    """Return whether a change only takes a pending value back: the guest runs with it already."""
    kind = manifest.kind_data
    now = running.get(change.path, default_of(kind, change.path))
    return same(kind, change.path, change.desired, now)


def _refusals(
    manifest: Manifest,
    guest: GuestObject,
    changes: Sequence[FieldChange],
    effects: Mapping[str, str],
) -> list[Diagnostic]:
    problems = [
        manifest.diagnose(
            f"{change.path} cannot be changed on an existing object ({change.live} to "
            f"{change.desired}); it would have to be made anew",
            f"spec.{change.path}",
            hint="keep the present value, or write replace: allow to have it made anew",
        )
        for change in changes
        if effects.get(change.path) == "replace"
    ]
    options = {split_path(change.path)[1] for change in changes}
    for refused in to_wire(manifest.kind_data, changes, guest.own_config).refused:
        words = (word.strip(":,") for word in refused.message.split())
        option = next((word for word in words if word in options), None)
        path = "spec.config" if option is None else f"spec.config.{option}"
        problems.append(manifest.diagnose(refused.message, path, hint=refused.hint))
    return problems


def _waiting(
    manifest: Manifest,
    guest: GuestObject,
    changes: Sequence[FieldChange],
    effects: Mapping[str, str],
    *,
    stopping: bool,
) -> tuple[str, ...]:
    """Return the options that wait for a restart once the changes are written."""
    if stopping or not guest.running:
        return ()
    coming = {
        option
        for change in changes
        if effects.get(change.path) in ("restart", "stop")
        and (option := split_path(change.path)[1]) is not None
    }
    touched = {split_path(change.path)[1] for change in changes}
    already = pending_options(
        manifest.kind_data, guest.running_config, guest.config, manifest.fields
    )
    return tuple(sorted(coming | {option for option in already if option not in touched}))
