"""A plan as versioned JSON and back; secrets do not pass, only their fingerprints do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

import attrs

from pmpc_reconcile.diagnostics import Diagnostic
from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.errors import PlanError, PlanVersionUnsupported
from pmpc_reconcile.plans.graph import ordered
from pmpc_reconcile.plans.model import Blame, ObjectAction, ObjectPlan, Plan, Purpose
from pmpc_reconcile.plans.preconditions import preconditions
from pmpc_reconcile.plans.steps import STEP_TYPES, Step
from pmpc_reconcile.values import ABSENT, Absent, FieldValue, Secret, SecretMark

PLAN_VERSION = 3
"""Version of the format that is written.

2: hooks of groups, replacing, why and whether. 3: cloud-init drives.
"""
_CHANGES = ("changes", "along")
_TYPES = {kind.type: kind for kind in STEP_TYPES}
_MALFORMED: Final = (AttributeError, KeyError, TypeError, ValueError)


def plan_to_dict(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON data."""
    holds = preconditions(plan)
    return {
        "pmpcPlan": PLAN_VERSION,
        "id": plan.id,
        "cluster": plan.cluster,
        "release": plan.release,
        "purpose": plan.purpose.value,
        "note": plan.note,
        "created_at": plan.created_at,
        "base_revision": plan.base_revision,
        "risk": plan.risk.value,
        "needs_approval": plan.needs_approval,
        "objects": [object_to_dict(item) for item in plan.objects],
        "steps": [
            {**_step_to_dict(step), "preconditions": list(holds[step.id])} for step in plan.steps
        ],
        "diagnostics": [item.to_dict() for item in plan.diagnostics],
        "documents": [dict(document) for document in plan.documents],
    }


def plan_to_json(plan: Plan) -> str:
    """Return a plan as JSON text."""
    return json.dumps(plan_to_dict(plan), ensure_ascii=False, indent=2)


def plan_from_json(text: str) -> Plan:
    """Return the plan of a JSON text.

    Raises:
        PlanError: The text is not a plan, or its steps wait for each other.
        PlanVersionUnsupported: A newer pmpc wrote it.
    """
    try:
        data: object = json.loads(text)
    except ValueError as error:
        raise PlanError(f"cannot read the plan: not JSON: {error}") from error
    if not isinstance(data, dict):
        raise PlanError("cannot read the plan: expected a JSON object")
    plan = plan_from_dict(cast("dict[str, Any]", data))
    try:  # a text that somebody edited may have anything in its fields
        ordered(plan.steps)
        plan.explain()
        plan.to_graph("dot")
        plan_to_dict(plan)
    except _MALFORMED as error:
        raise PlanError(f"cannot read the plan: a field has another type ({error})") from error
    return plan


def plan_from_dict(data: Mapping[str, Any]) -> Plan:
    """Return the plan of JSON data.

    Raises:
        PlanError: The data is not a plan.
        PlanVersionUnsupported: A newer pmpc wrote it.
    """
    _check_version(data.get("pmpcPlan"))
    try:
        return Plan(
            id=data["id"],
            cluster=data["cluster"],
            release=data["release"],
            purpose=Purpose(data["purpose"]),
            note=data["note"],
            needs_approval=data.get("needs_approval", False),
            created_at=data["created_at"],
            base_revision=data["base_revision"],
            objects=tuple(_object_from_dict(item) for item in data["objects"]),
            steps=tuple(_step_from_dict(item) for item in data["steps"]),
            diagnostics=tuple(Diagnostic.from_dict(item) for item in data["diagnostics"]),
            documents=tuple(data["documents"]),
        )
    except KeyError as error:
        raise PlanError(f"cannot read the plan: it has no field {error}") from error
    except _MALFORMED as error:
        raise PlanError(f"cannot read the plan: {error}") from error


def _check_version(version: object) -> None:
    """Refuse what no version of this code ever wrote, and what a later one wrote."""
    if not isinstance(version, int) or version < 1:
        raise PlanError(f"cannot read the plan: {version!r} is no version of a plan's format")
    if version > PLAN_VERSION:
        raise PlanVersionUnsupported(
            f"cannot read the plan: a newer pmpc wrote it (format {version}, this one reads up to "
            f"{PLAN_VERSION}); apply it with that one, or make the plan again"
        )


def value_to_plain(value: FieldValue | Absent) -> Any:
    """Return a field's value as JSON data."""
    if value is ABSENT:
        return {"absent": True}
    if isinstance(value, Secret):
        return {"secret": None}
    if isinstance(value, SecretMark):
        return {"secret": value.fingerprint}
    return value


def value_from_plain(value: Any) -> FieldValue | Absent:
    """Return what `value_to_plain` gave, without the secret itself."""
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return ABSENT if entries.get("absent") else SecretMark(entries.get("secret"))
    return cast("FieldValue", value)


def change_to_dict(change: FieldChange) -> dict[str, Any]:
    """Return one field's change as JSON data."""
    return {
        "path": change.path,
        "action": change.action.value,
        "base": value_to_plain(change.base),
        "live": value_to_plain(change.live),
        "desired": value_to_plain(change.desired),
        "reason": change.reason,
    }


def change_from_dict(data: Mapping[str, Any]) -> FieldChange:
    """Return what `change_to_dict` gave."""
    return FieldChange(
        path=data["path"],
        action=Action(data["action"]),
        base=value_from_plain(data["base"]),
        live=value_from_plain(data["live"]),
        desired=value_from_plain(data["desired"]),
        reason=data["reason"],
    )


def object_to_dict(item: ObjectPlan) -> dict[str, Any]:
    """Return one object's entry as JSON data."""
    return {
        "address": item.address,
        "action": item.action.value,
        "marker_id": item.marker_id,
        "vmid": item.vmid,
        "node": item.node,
        "digest": item.digest,
        "changes": [change_to_dict(change) for change in item.changes],
        "conflicts": [change_to_dict(change) for change in item.conflicts],
        "desired": {path: value_to_plain(value) for path, value in item.desired.items()},
        "owned_after": {path: value_to_plain(value) for path, value in item.owned_after.items()},
        "effects": dict(item.effects),
        "because": dict(item.because),
        "restart": list(item.restart),
        "waits": item.waits,
        "behind": list(item.behind),
        "ailment": item.ailment,
        "notes": list(item.notes),
        "theirs": {path: attrs.asdict(blame) for path, blame in item.theirs.items()},
        "evidence": dict(item.evidence),
        "record": item.record,
    }


def _object_from_dict(data: Mapping[str, Any]) -> ObjectPlan:
    return ObjectPlan(
        address=data["address"],
        action=ObjectAction(data["action"]),
        marker_id=data["marker_id"],
        vmid=data["vmid"],
        node=data["node"],
        digest=data["digest"],
        changes=tuple(change_from_dict(item) for item in data["changes"]),
        conflicts=tuple(change_from_dict(item) for item in data["conflicts"]),
        desired=_fields(data["desired"]),
        owned_after=_fields(data["owned_after"]),
        effects=data["effects"],
        because=data.get("because", {}),
        restart=tuple(data["restart"]),
        waits=data.get("waits", ""),
        behind=tuple(data.get("behind", ())),
        ailment=data.get("ailment", ""),
        notes=tuple(data["notes"]),
        theirs={path: Blame(**blame) for path, blame in data["theirs"].items()},
        evidence=data["evidence"],
        record=data["record"],
    )


def _fields(data: Mapping[str, Any]) -> dict[str, FieldValue]:
    read = ((path, value_from_plain(value)) for path, value in data.items())
    return {path: value for path, value in read if not isinstance(value, Absent)}


def _step_to_dict(step: Step) -> dict[str, Any]:
    data: dict[str, Any] = {"type": step.type, "risk": step.risk.value}
    for field in attrs.fields(type(step)):
        value = getattr(step, field.name)
        if field.name in _CHANGES:
            data[field.name] = [change_to_dict(change) for change in value]
        elif isinstance(value, tuple):
            data[field.name] = [*cast("tuple[str, ...]", value)]
        else:
            data[field.name] = value
    return data


def _step_from_dict(data: Mapping[str, Any]) -> Step:
    kind = _TYPES[data["type"]]
    fields: dict[str, Any] = {}
    for field in attrs.fields(kind):
        if field.name not in data:  # a field that came later has its default
            continue
        value: Any = data[field.name]
        if field.name in _CHANGES:
            fields[field.name] = tuple(change_from_dict(item) for item in value)
        elif isinstance(value, list):
            fields[field.name] = (*cast("list[str]", value),)
        else:
            fields[field.name] = value
    return kind(**fields)
