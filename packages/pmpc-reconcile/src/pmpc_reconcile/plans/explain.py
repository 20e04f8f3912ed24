"""A plan in words: what, how and why."""

from __future__ import annotations

from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan, Plan
from pmpc_reconcile.plans.preconditions import preconditions
from pmpc_reconcile.plans.steps import Step
from pmpc_reconcile.values import ABSENT

_SIGNS = {
    ObjectAction.CREATE: "+",
    ObjectAction.UPDATE: "~",
    ObjectAction.DELETE: "-",
    ObjectAction.REPLACE: "±",
    ObjectAction.CONFLICT: "!",
    ObjectAction.REFUSED: "x",
    ObjectAction.UNKNOWN: "?",
    ObjectAction.KEEP: "=",
    ObjectAction.FORGET: " ",
    ObjectAction.NONE: " ",
}


def explain(plan: Plan) -> str:
    """Return the plan as text for people."""
    lines = [f"Plan {plan.id} for release {plan.release} on cluster {plan.cluster} ({plan.note})"]
    lines.extend(diagnostic.render() for diagnostic in plan.diagnostics)
    for item in plan.objects:
        lines.extend(_explain_object(item))
    if plan.steps:
        lines.append("Steps:")
        holds = preconditions(plan)
        for number, step in enumerate(plan.steps, 1):
            lines.append(_explain_step(number, step))
            if holds[step.id]:
                lines.append(f"       only if {' and '.join(holds[step.id])}")
    counts = ", ".join(f"{number} {action}" for action, number in plan.counts().items())
    if plan.empty:
        lines.append(f"Nothing to do ({counts or 'no objects'}).")
    else:
        lines.append(
            f"{counts}; {len(plan.steps)} steps, risk {plan.risk.value}, "
            f"about {plan.estimated_seconds:.0f} s."
        )
    return "\n".join(lines)


def _explain_object(item: ObjectPlan) -> list[str]:
    where = f" (vmid {item.vmid} on {item.node})" if item.vmid and item.node else ""
    lines = [f"{_SIGNS[item.action]} {item.address}{where}: {item.action.value}"]
    for change in item.changes:
        effect = item.effects.get(change.path)
        why = f": {item.because[change.path]}" if change.path in item.because else ""
        tail = f", effective after a {effect}{why}" if effect in ("restart", "stop") else ""
        lines.append(f"    {change.path}: {_shown(change.live)} -> {_shown(change.desired)}{tail}")
        if change.reason:
            lines.append(f"        because {change.reason}")
    for change in item.conflicts:
        who = item.theirs.get(change.path)
        lines.append(
            f"    conflict {change.path}: base {_shown(change.base)}, "
            f"ours {_shown(change.desired)}, theirs {_shown(change.live)}"
            + (f" by {who}" if who else "")
        )
    lines.extend(f"    {note}" for note in item.notes)
    if item.restart:
        why = item.waits.partition(": ")[2]
        tail = f" ({why})" if why else ""
        lines.append(f"    waits for a restart: {', '.join(item.restart)}{tail}")
    if item.behind:
        lines.append(f"    its cloud-init drive still has the former {', '.join(item.behind)}")
    if item.ailment:
        lines.append(f"    not healthy: {item.ailment.partition(': ')[2]}")
    return lines


def _explain_step(number: int, step: Step) -> str:
    parts = [f"{number:>3}. {step.summary}"]
    if step.reason:
        parts.append(f"because {step.reason}")
    if step.downtime != "none":
        parts.append(f"downtime: {step.downtime}")
    parts.append(f"undo: {step.inverse}" if step.inverse else "cannot be undone")
    return "; ".join(parts)


def _shown(value: object) -> str:
    return "nothing" if value is ABSENT else str(value)
