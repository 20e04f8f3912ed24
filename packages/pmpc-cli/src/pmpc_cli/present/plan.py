"""Plans: one block per object, one line per field, marks as Terraform's users read them.

`+` create · `~` update in place · `-` delete · `!` conflict · `x` refused · `?` unknown
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from pmpc_cli.present.failure import show_diagnostic
from pmpc_cli.present.terminal import say
from pmpc_cli.present.values import show_time, show_value
from pmpc_reconcile.plans.model import ObjectAction
from pmpc_reconcile.risk import Risk
from pmpc_reconcile.values import ABSENT, split_path

if TYPE_CHECKING:
    from pmpc_reconcile.diff import FieldChange
    from pmpc_reconcile.plans.model import Blame, ObjectPlan, Plan
    from pmpc_reconcile.plans.steps import Step

MARKS = {
    ObjectAction.NONE: " ",
    ObjectAction.CREATE: "+",
    ObjectAction.UPDATE: "~",
    ObjectAction.DELETE: "-",
    ObjectAction.REPLACE: "±",
    ObjectAction.CONFLICT: "!",
    ObjectAction.REFUSED: "x",
    ObjectAction.UNKNOWN: "?",
    ObjectAction.KEEP: " ",
    ObjectAction.FORGET: " ",
}
WORDS = {
    ObjectAction.NONE: "is as declared",
    ObjectAction.CREATE: "will be created",
    ObjectAction.UPDATE: "will be updated in place",
    ObjectAction.DELETE: "will be deleted",
    ObjectAction.REPLACE: "will be deleted and made anew",
    ObjectAction.CONFLICT: "is left alone: somebody else changed it",
    ObjectAction.REFUSED: "is refused",
    ObjectAction.UNKNOWN: "is left alone: its node does not answer",
    ObjectAction.KEEP: "is kept",
    ObjectAction.FORGET: "is forgotten: only its record is dropped",
}
STYLES = {
    ObjectAction.CREATE: "green",
    ObjectAction.UPDATE: "yellow",
    ObjectAction.DELETE: "red",
    ObjectAction.REPLACE: "red",
    ObjectAction.CONFLICT: "bold magenta",
    ObjectAction.REFUSED: "bold red",
    ObjectAction.UNKNOWN: "magenta",
}
SETS = "config.tags."
RISK_STYLES = {Risk.DISRUPTIVE: "yellow", Risk.DESTRUCTIVE: "bold red"}
COUNTED = (
    (ObjectAction.CREATE, "to create"),
    (ObjectAction.UPDATE, "to update"),
    (ObjectAction.DELETE, "to delete"),
    (ObjectAction.REPLACE, "to replace"),
    (ObjectAction.FORGET, "to forget"),
    (ObjectAction.CONFLICT, "in conflict"),
    (ObjectAction.REFUSED, "refused"),
    (ObjectAction.UNKNOWN, "unknown"),
    (ObjectAction.NONE, "unchanged"),
    (ObjectAction.KEEP, "kept"),
)


def show_plan(plan: Plan, *, steps: bool = False) -> None:
    """Print a plan.

    Args:
        plan: The plan.
        steps: Also list the steps in their order.
    """
    for line in plan_lines(plan, steps=steps):
        say(line)
    for diagnostic in plan.diagnostics:
        show_diagnostic(diagnostic)


def plan_lines(plan: Plan, *, steps: bool = False) -> list[Text]:
    """Return a plan as lines."""
    shown = [item for item in plan.objects if item.action is not ObjectAction.NONE or item.restart]
    lines: list[Text] = []
    for item in shown:
        lines.extend([*object_lines(item, plan.steps), Text()])
    if steps and plan.steps:
        lines.extend([*_step_lines(plan.steps), Text()])
    lines.append(summary_line(plan))
    return lines


def summary_line(plan: Plan) -> Text:
    """Return `Plan: 3 to create, 1 unchanged. Risk: change.`"""
    counts = plan.counts()
    words = [
        (f"{counts[action.value]} {word}", STYLES.get(action, ""))
        for action, word in COUNTED
        if counts.get(action.value)
    ]
    line = Text.assemble(("Plan: ", "bold"))
    if not words:
        return line.append("nothing is declared.")
    for place, (word, style) in enumerate(words):
        line.append(", " if place else "").append(word, style)
    if plan.empty:
        forgets = ObjectAction.FORGET.value in counts
        return line.append(f". Nothing to do{' on the cluster' if forgets else ''}.")
    line.append(f"; {len(plan.steps)} step{'' if len(plan.steps) == 1 else 's'}. Risk: ")
    return line.append(plan.risk.value, RISK_STYLES.get(plan.risk, "")).append(".")


def object_lines(item: ObjectPlan, steps: Sequence[Step] = ()) -> list[Text]:
    """Return the block of one object."""
    style = STYLES.get(item.action, "")
    head = Text.assemble(
        (f"{MARKS[item.action]} ", style), (item.address, "bold"), f" {WORDS[item.action]}"
    )
    place = _place(item)
    if place:
        head.append(f" ({place})", "dim")
    lines = [head]
    lines.extend(_fields(item))
    lines.extend(_conflicts(item))
    own = [step for step in steps if step.address == item.address]
    lines.extend(_warnings(item, own))
    return lines


def _place(item: ObjectPlan) -> str:
    parts = [
        f"vmid {item.vmid}" if item.vmid is not None else "",
        f"on {item.node}" if item.node else "",
    ]
    return " ".join(part for part in parts if part)


def _fields(item: ObjectPlan) -> Iterable[Text]:
    if item.action is ObjectAction.CREATE:
        declared = _by_option(item.desired)
        width = _width(declared)
        for path, value in declared.items():
            yield Text.assemble("    ", ("+ ", "green"), path.ljust(width), f"  {value}")
        return
    width = _width(change.path for change in item.changes)
    for change in item.changes:
        line = _change_line(change, width)
        effect = item.effects.get(change.path, "live")
        if effect in ("restart", "stop") or _option(change.path) in item.restart:
            line.append(f"   # needs a {'stop' if effect == 'stop' else 'restart'}", "yellow")
        yield line


def _by_option(fields: Mapping[str, object]) -> dict[str, str]:
    """Return shown values by option: keys of property strings and elements of sets in one line."""
    parts: dict[str, list[str]] = {}
    for path, value in fields.items():
        section, option, key = split_path(path)
        owner = f"{section}.{option}" if option else section
        shown = show_value(value)
        if key is not None:
            shown = key if f"{owner}." == SETS else f"{key}={shown}"
        parts.setdefault(owner, []).append(shown)
    return {owner: ", ".join(shown) for owner, shown in parts.items()}


def _change_line(change: FieldChange, width: int) -> Text:
    line = Text("    ")
    old, new = show_value(change.live), show_value(change.desired)
    if change.path.startswith(SETS):
        gone = change.desired is ABSENT
        return line.append("- " if gone else "+ ", "red" if gone else "green").append(change.path)
    if change.live is ABSENT:
        return line.append("+ ", "green").append(f"{change.path.ljust(width)}  ").append(new)
    if change.desired is ABSENT:
        return line.append("- ", "red").append(f"{change.path.ljust(width)}  ").append(old)
    line.append("~ ", "yellow").append(f"{change.path.ljust(width)}  ")
    return line.append(old, "red").append(" → ").append(new, "green")


def _option(path: str) -> str:
    """Return the option of a path: `config.net0.bridge` belongs to `net0`."""
    section, option, _ = split_path(path)
    return option or section


def _conflicts(item: ObjectPlan) -> Iterable[Text]:
    for change in item.conflicts:
        yield Text.assemble("    ", ("! ", "bold magenta"), (change.path, "bold"))
        rows = (
            ("last applied", show_value(change.base)),
            ("ours", show_value(change.desired)),
            ("theirs", show_value(change.live)),
        )
        for label, value in rows:
            line = Text.assemble("        ", (label.ljust(13), "dim"), value)
            if label == "theirs" and change.path in item.theirs:
                line.append(f"   ({_blame(item.theirs[change.path])})", "magenta")
            yield line


def _blame(blame: Blame) -> str:
    """Return `alice@pve at 2026-11-22T16:54:00Z, task qmconfig`."""
    words = blame.user or "somebody"
    if blame.at:
        words += f" at {show_time(blame.at)}"
    if blame.task:
        words += f", task {blame.task.split(':')[5]}"
    return words


def _warnings(item: ObjectPlan, steps: Sequence[Step]) -> Iterable[Text]:
    for step in steps:
        if step.risk in RISK_STYLES or step.downtime != "none":
            downtime = "" if step.downtime == "none" else f", downtime: {step.downtime}"
            words = f"    # {step.summary} ({step.risk.value}{downtime})"
            yield Text(words, RISK_STYLES.get(step.risk, "yellow"))
    named = {_option(change.path) for change in item.changes}
    waiting = [key for key in item.restart if key not in named]
    if waiting:
        yield Text(f"    # waits for a restart: {', '.join(waiting)}", "yellow")
    if item.waits:
        yield Text(f"    # {item.waits.partition(': ')[2]}", "yellow")
    for note in item.notes:
        yield Text(f"    # {note}", "dim")


def _step_lines(steps: Sequence[Step]) -> Iterable[Text]:
    yield Text("Steps:", "bold")
    places = {step.id: place for place, step in enumerate(steps, 1)}
    for place, step in enumerate(steps, 1):
        after = ", ".join(str(places[name]) for name in step.after if name in places)
        line = Text(f"  {place:>3}. {step.address}: {step.summary}")
        line.append(f"   [{step.risk.value}]", RISK_STYLES.get(step.risk, "dim"))
        line.append(f"   after {after}" if after else "", "dim")
        yield line.append(f"   undo: {step.inverse}" if step.inverse else "   no undo", "dim")


def _width(paths: Iterable[str]) -> int:
    return max((cell_len(path) for path in paths), default=0)
