"""Plan storages: known by name, type and what PVE fixes when one is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from pmpc_reconcile.diagnostics import error, warning
from pmpc_reconcile.diff import (
    BEFORE,
    Action,
    Diff,
    FieldChange,
    before_text,
    before_us,
    create_options,
    three_way,
    to_wire,
)
from pmpc_reconcile.kinds import kind, options_of
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.settings import KEY
from pmpc_reconcile.plans.situation import Built, Situation, is_recorded
from pmpc_reconcile.plans.steps import Configure, CreateStorage, DeleteStorage, Step
from pmpc_reconcile.values import (
    ABSENT,
    Fields,
    FieldValue,
    Secret,
    SecretMark,
    live_fields,
    read_option,
)
from pmpc_reconcile.values.writing import write_option

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.records import ManagedRecord

FIXED: Final = "fixed"
"""In a storage's evidence: type and fixed options, by which it is told from another of its name."""
MADE: Final = "made"
"""In a storage's evidence: `yes` if this release made it."""
_LOCKS: Final = ("file:storage.cfg",)


def plan_storage(
    situation: Situation,
    manifest: Manifest,
    row: Mapping[str, Any] | None,
    record: ManagedRecord | None,
    *,
    adopted: bool = False,
) -> Built:
    """Return what makes a storage or brings it to its manifest.

    Args:
        situation: What was read.
        manifest: The storage.
        row: The storage as configured, None if there is none of that name.
        record: What is remembered.
        adopted: It is ours from now on.
    """
    if row is None:
        return _new(manifest)
    if record is not None and record.identity.get(FIXED) != fixed_text(row):
        return _refused(manifest, f"storage {manifest.name} is not the one this release made any "
                        "more: its type or place differ; it is left alone")  # fmt: skip
    fixed = list(_fixed_differences(manifest, row))
    if fixed:
        return Built(_item(manifest, ObjectAction.REFUSED, fixed[0].message), (), fixed)
    owned: Fields = record.owned if record else {}
    made = _made(situation, manifest.name, record, adopted=adopted)
    before = record.before if record is not None and made == "no" else {}
    claims = situation.claims.get(_thing(manifest.name), {})
    live = storage_fields(row, owned)
    diff = three_way(
        manifest.kind_data,
        manifest.fields,
        live,
        owned,
        resolutions=situation.resolutions_for(manifest),
        others=claims,
        before=before,
        fingerprint=situation.fingerprint,
    )
    if record is None and not adopted and diff.changes:
        return _refused(manifest, f"storage {manifest.name} exists and is not managed by this "
                        "release; it is left alone")  # fmt: skip
    if made == "no" and not diff.conflicts:
        before = before_us(manifest.kind_data, diff, live, before, claims)
    return _existing(situation, manifest, row, record, diff, made, before)


def _made(situation: Situation, name: str, record: ManagedRecord | None, *, adopted: bool) -> str:
    """Say whether a storage is ours to delete: also one another release made that we declare too.

    Who did not make it remembers what it was before.
    """
    if adopted or record is not None:
        return "yes" if adopted or record is None else record.identity.get(MADE, "no")
    claims = [claim for each in situation.claims.get(_thing(name), {}).values() for claim in each]
    return "yes" if claims and all(claim.before is ABSENT for claim in claims) else "no"


def _thing(name: str) -> tuple[str, str]:
    return "storage", name


def remove_storage(
    situation: Situation, record: ManagedRecord, row: Mapping[str, Any] | None
) -> Built:
    """Return what takes a storage that we made out of the configuration, unless others need it."""
    others = situation.claims.get(_thing(record.key), {})
    owners = sorted({claim.owner for claims in others.values() for claim in claims})
    reason = "it is gone already" if row is None else ""
    if row is not None and owners:
        reason = f"it is still managed by {', '.join(owners)} and stays"
    elif row is not None and record.identity.get(MADE) != "yes":
        reason = "it was there before this release and stays"
    elif row is not None and record.identity.get(FIXED) != fixed_text(row):
        reason = "another storage has its name now; it is left alone"
    if reason:
        note = warning(f"{record.address}: {reason}", address=record.address)
        item = ObjectPlan(record.address, ObjectAction.FORGET, marker_id="", notes=(reason,),
                          record=True)  # fmt: skip
        return Built(item, (), (note,) if row is not None else ())
    name = record.key
    item = ObjectPlan(record.address, ObjectAction.DELETE, marker_id="", record=True,
                      evidence={KEY: name, FIXED: record.identity[FIXED]})  # fmt: skip
    step = DeleteStorage(
        id=f"{record.address}#delete",
        address=record.address,
        summary=f"take storage {name} out of the configuration; what lies on it stays",
        reason="the manifests no longer have it",
        locks=_LOCKS,
    )
    return Built(item, (step,))


def storage_fields(
    row: Mapping[str, Any], owned: Mapping[str, FieldValue]
) -> dict[str, FieldValue]:
    """Return a storage as fields; secrets we wrote count as there, for nobody is shown them."""
    fields = live_fields(kind("Storage"), row)
    for path, value in owned.items():
        if isinstance(value, SecretMark | Secret):
            fields[path] = SecretMark()
    return fields


def fixed_text(row: Mapping[str, Any]) -> str:
    """Return what tells a storage from another one of its name."""
    found = {"type": str(row.get("type"))}
    found |= {name: str(row[name]) for name in sorted(kind("Storage").create_only) if name in row}
    return ",".join(f"{name}={text}" for name, text in found.items())


def declared_fixed(manifest: Manifest) -> dict[str, str]:
    """Return the declared type and fixed options as PVE takes them."""
    options = options_of(manifest.kind_data)
    found = {"type": str(manifest.spec["type"])}
    for name, value in manifest.create_only.items():
        option = options.find(name)
        text = str(value) if option is None else write_option(option, read_option(option, value))
        found[name] = text
    return found


def _fixed_differences(manifest: Manifest, row: Mapping[str, Any]) -> Iterator[Diagnostic]:
    for name, text in declared_fixed(manifest).items():
        if str(row.get(name, "")) != text:
            yield manifest.diagnose(
                f"{name} of storage {manifest.name} is {row.get(name, 'not set')} and cannot "
                f"become {text}",
                f"spec.{name}" if name == "type" else f"spec.config.{name}",
                hint="give the new storage another name",
            )


def _new(manifest: Manifest) -> Built:
    name, address = manifest.name, str(manifest.address)
    problems = create_options(manifest.kind_data, manifest).refused
    if problems:
        return Built(_item(manifest, ObjectAction.REFUSED, problems[0].message), (), problems)
    changes = tuple(
        FieldChange(path=path, action=Action.ADD, desired=value)
        for path, value in sorted(manifest.fields.items())
    )
    item = ObjectPlan(
        address=address,
        action=ObjectAction.CREATE,
        marker_id="",
        changes=changes,
        desired=manifest.fields,
        owned_after=manifest.fields,
        evidence={KEY: name, MADE: "yes"},
        record=True,
    )
    step = CreateStorage(
        id=f"{address}#create",
        address=address,
        summary=f"configure storage {name} ({manifest.spec['type']})",
        reason="it does not exist",
        locks=_LOCKS,
        inverse="take it out of the configuration",
    )
    return Built(item, (step,))


def _existing(
    situation: Situation,
    manifest: Manifest,
    row: Mapping[str, Any],
    record: ManagedRecord | None,
    diff: Diff,
    made: str,
    before: Fields,
) -> Built:
    address, name = str(manifest.address), manifest.name
    problems = to_wire(manifest.kind_data, diff.changes, row).refused
    steps: tuple[Step, ...] = ()
    action = ObjectAction.CONFLICT if diff.conflicts else ObjectAction.NONE
    if problems:
        action = ObjectAction.REFUSED
    elif diff.changes and not diff.conflicts:
        action = ObjectAction.UPDATE
        steps = (_configure(address, name, diff.changes),)
    owned = diff.owned_after()
    item = ObjectPlan(
        address=address,
        action=action,
        marker_id="",
        digest=str(row.get("digest", "")),
        changes=diff.changes,
        conflicts=diff.conflicts,
        desired=manifest.fields,
        owned_after=owned,
        evidence={KEY: name, MADE: made, FIXED: fixed_text(row), BEFORE: before_text(before)},
        record=not is_recorded(record, name, "", owned, situation.fingerprint)
        or record is None
        or record.before != before,
    )
    return Built(item, steps, problems)


def _configure(address: str, name: str, changes: tuple[FieldChange, ...]) -> Configure:
    return Configure(
        id=f"{address}#configure",
        address=address,
        summary=f"set {', '.join(change.path for change in changes)} of storage {name}",
        reason="the manifest differs",
        locks=_LOCKS,
        inverse="write the previous values",
        changes=changes,
    )


def _refused(manifest: Manifest, reason: str) -> Built:
    hint = "give the storage of the manifest another name, or adopt the other one"
    problem = error(reason, hint=hint, address=str(manifest.address))
    return Built(_item(manifest, ObjectAction.REFUSED, reason), (), (problem,))


def _item(manifest: Manifest, action: ObjectAction, note: str) -> ObjectPlan:
    return ObjectPlan(str(manifest.address), action, notes=(note,))
