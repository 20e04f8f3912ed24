"""What happens while a verb runs, as frozen values for whoever shows progress.

Events tell; they decide nothing. A front door passes one callable (`EventSink`) and presents what
arrives; the same facts are in the result of the verb, so a listener may be absent or slow.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.frozen
class SyncProgress:
    """Discovery read one more part of the cluster.

    Attributes:
        section: What is being read, such as `nodes` or `qemu`.
        done: Parts read so far.
        total: Parts to read, None while unknown.
    """

    section: str
    done: int
    total: int | None = None


@attrs.frozen
class PlanProgress:
    """Planning located or compared one more object.

    Attributes:
        phase: `locate`, `read` or `diff`.
        address: The object, such as `VirtualMachine/web-1`.
        done: Objects finished in this phase.
        total: Objects in this phase.
    """

    phase: str
    address: str
    done: int
    total: int


@attrs.frozen
class ApplyStarted:
    """The executor begins with a plan.

    Attributes:
        plan_id: The plan.
        release: Its release.
        steps: How many steps it has.
    """

    plan_id: str
    release: str
    steps: int


@attrs.frozen
class StepStarted:
    """A step begins.

    Attributes:
        step_id: Unique in the plan.
        address: The object it changes.
        summary: One line for people.
        resumed: True when an earlier run had begun it.
    """

    step_id: str
    address: str
    summary: str
    resumed: bool = False


@attrs.frozen
class StepWaiting:
    """A step waits for something that is not its own task, such as a lock held by a backup.

    Attributes:
        step_id: The step.
        address: The object.
        reason: What it waits for.
    """

    step_id: str
    address: str
    reason: str


@attrs.frozen
class TaskStarted:
    """A step's call started a task.

    Attributes:
        step_id: The step.
        address: The object.
        upid: The task.
    """

    step_id: str
    address: str
    upid: str


@attrs.frozen
class TaskLog:
    """One line of the log of a step's task.

    Attributes:
        step_id: The step.
        address: The object.
        upid: The task.
        line: The line, without line end.
    """

    step_id: str
    address: str
    upid: str
    line: str


@attrs.frozen
class StepDone:
    """A step ended well and its effect was verified.

    Attributes:
        step_id: The step.
        address: The object.
        seconds: How long it took.
        warnings: What the task warned about.
    """

    step_id: str
    address: str
    seconds: float
    warnings: tuple[str, ...] = ()


@attrs.frozen
class StepFailed:
    """A step failed; steps that depend on it will be skipped.

    Attributes:
        step_id: The step.
        address: The object.
        reason: Why, in the server's words where it has some.
    """

    step_id: str
    address: str
    reason: str


@attrs.frozen
class StepSkipped:
    """A step was not begun.

    Attributes:
        step_id: The step.
        address: The object.
        reason: Why, such as the failed step it depends on.
    """

    step_id: str
    address: str
    reason: str


@attrs.frozen
class ApplyProgress:
    """One more step is over.

    Attributes:
        plan_id: The plan.
        done: Steps that are over, however they ended.
        total: Steps of the plan.
        seconds_left: About how much longer it takes.
    """

    plan_id: str
    done: int
    total: int
    seconds_left: float


@attrs.frozen
class ApplyEnded:
    """The executor is through.

    Attributes:
        plan_id: The plan.
        done: Steps that ended well.
        failed: Steps that failed.
        skipped: Steps never begun.
        revision: The release's new revision, None if nothing was recorded.
    """

    plan_id: str
    done: int
    failed: int
    skipped: int
    revision: int | None


Event = (
    SyncProgress
    | PlanProgress
    | ApplyStarted
    | StepStarted
    | StepWaiting
    | TaskStarted
    | TaskLog
    | StepDone
    | StepFailed
    | StepSkipped
    | ApplyProgress
    | ApplyEnded
)
EventSink = Callable[[Event], None]


def ignore_event(event: Event) -> None:
    """Drop an event: the sink of whoever does not listen."""
