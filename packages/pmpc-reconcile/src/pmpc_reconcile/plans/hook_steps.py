"""The steps that hooks ask for: acts of a moment rather than states of an object."""

from __future__ import annotations

from typing import ClassVar

import attrs

from pmpc_reconcile.plans.step import Step
from pmpc_reconcile.risk import Risk


@attrs.frozen(kw_only=True)
class HookStep(Step):
    """Something done to a guest because a hook says so; done once, it is not looked at again.

    Attributes:
        owner: Address of the release, pool or settings whose hook it is; empty for a guest's own.
        former: The id in the guest's marker, where it is about to be made anew with another one.
    """

    type: ClassVar[str] = "hook"

    owner: str = ""
    former: str = ""


@attrs.frozen(kw_only=True)
class SnapshotGuest(HookStep):
    """Take a snapshot of a guest, as a hook of its manifest asks for.

    Attributes:
        prefix: What its name begins with; the plan's id follows.
        keep: How many of those with that prefix stay; older ones are deleted.
    """

    type: ClassVar[str] = "snapshot"

    prefix: str
    keep: int


@attrs.frozen(kw_only=True)
class BackupGuest(HookStep):
    """Back a guest up, as a hook of its manifest asks for.

    Attributes:
        storage: Where to.
        mode: `snapshot`, `suspend` or `stop`.
        when: What its note says besides plan and object, where a plan makes several: `after`.
    """

    type: ClassVar[str] = "backup"

    storage: str
    mode: str = "snapshot"
    when: str = ""


@attrs.frozen(kw_only=True)
class DropBackups(HookStep):
    """Delete older backups that hooks of a guest made, after the guest is gone.

    Attributes:
        storage: Where they are.
        keep: How many of the newest stay.
    """

    type: ClassVar[str] = "drop-backups"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    storage: str
    keep: int


@attrs.frozen(kw_only=True)
class StartByHook(HookStep):
    """Start a guest. Undone by bringing it to where it was.

    Attributes:
        was: Whether it was `running` or `stopped` when the plan was made.
    """

    type: ClassVar[str] = "hook-start"

    was: str = ""


@attrs.frozen(kw_only=True)
class ShutdownByHook(HookStep):
    """Shut a guest down, or pull its plug. Undone by bringing it to where it was.

    Attributes:
        hard: Pull the plug.
        was: Whether it was `running` or `stopped` when the plan was made.
    """

    type: ClassVar[str] = "hook-shutdown"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    hard: bool = False
    was: str = ""


@attrs.frozen(kw_only=True)
class WaitForGuest(HookStep):
    """Wait until a guest is `running`, `stopped`, or its `agent` answers.

    Attributes:
        state: Which of them.
        timeout: For how many seconds.
    """

    type: ClassVar[str] = "wait-for"
    risk: ClassVar[Risk] = Risk.READ

    state: str
    timeout: int


@attrs.frozen(kw_only=True)
class RunInGuest(HookStep):
    """Run a command in a guest by its agent, at most once. Nothing undoes it.

    Attributes:
        command: The program and its arguments.
        timeout: For how many seconds it may run.
    """

    type: ClassVar[str] = "run-in-guest"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    command: tuple[str, ...]
    timeout: int


@attrs.frozen(kw_only=True)
class Gate(HookStep):
    """Nothing is done: many steps wait here for many others."""

    type: ClassVar[str] = "gate"
    risk: ClassVar[Risk] = Risk.READ
