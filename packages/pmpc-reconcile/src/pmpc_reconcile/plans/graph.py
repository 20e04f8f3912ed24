"""The graph of a plan: which step waits for which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pmpc_reconcile.errors import PlanError
from pmpc_reconcile.plans.steps import Step
from pmpc_reconcile.risk import Risk

_BREAK: Final = "\\n"
_COLOURS: Final = {
    Risk.READ: "gray",
    Risk.CHANGE: "black",
    Risk.DISRUPTIVE: "orange",
    Risk.DESTRUCTIVE: "red",
}


def ordered(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps so that each follows those it waits for, otherwise in the given order.

    References to steps that are not among them are dropped: what they stand for is done already.

    Raises:
        PlanError: Steps wait for each other in a circle.
    """
    waiting = {step.id: step for step in steps}
    done: list[Step] = []
    seen: set[str] = set()
    while waiting:
        ready = [
            step
            for step in waiting.values()
            if all(other in seen or other not in waiting for other in step.after)
        ]
        if not ready:
            raise PlanError(f"steps wait for each other in a circle: {', '.join(waiting)}")
        for step in ready:
            done.append(step)
            seen.add(step.id)
            del waiting[step.id]
    return tuple(done)


def dependants(steps: Sequence[Step]) -> Mapping[str, tuple[str, ...]]:
    """Return for each step the steps that wait for it directly."""
    found: dict[str, list[str]] = {step.id: [] for step in steps}
    for step in steps:
        for other in step.after:
            if other in found:
                found[other].append(step.id)
    return {step_id: tuple(others) for step_id, others in found.items()}


def to_dot(steps: Sequence[Step]) -> str:
    """Return the graph in Graphviz's language."""
    lines = ["digraph plan {"]
    known = {step.id for step in steps}
    lines.extend(
        f'  "{step.id}" [label="{_label(step, _BREAK)}", color={_COLOURS[step.risk]}];'
        for step in steps
    )
    lines.extend(
        f'  "{other}" -> "{step.id}";' for step in steps for other in step.after if other in known
    )
    return "\n".join([*lines, "}"])


def to_mermaid(steps: Sequence[Step]) -> str:
    """Return the graph in Mermaid's language."""
    names = {step.id: f"s{number}" for number, step in enumerate(steps)}
    lines = ["graph TD"]
    lines.extend(f'  {names[step.id]}["{_label(step, "<br>")}"]' for step in steps)
    lines.extend(
        f"  {names[other]} --> {names[step.id]}"
        for step in steps
        for other in step.after
        if other in names
    )
    return "\n".join(lines)


def _label(step: Step, line_end: str) -> str:
    """Return what stands in a node: what is done, how risky it is, how long the guest is away."""
    parts = [step.summary.replace('"', "'").replace("\\", "/"), f"risk: {step.risk.value}"]
    if step.downtime != "none":
        parts.append(f"downtime: {step.downtime}")
    return line_end.join(parts)
