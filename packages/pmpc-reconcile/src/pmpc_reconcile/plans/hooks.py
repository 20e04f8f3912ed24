"""Hooks as steps: what is done to guests before and after something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from pmpc_reconcile.plans.hook_steps import (
    BackupGuest,
    DropBackups,
    HookStep,
    RunInGuest,
    ShutdownByHook,
    SnapshotGuest,
    StartByHook,
    WaitForGuest,
)

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest

Moment = Literal["preApply", "postApply", "preDelete", "postDelete"]
WHEN: Final[Mapping[Moment, str]] = {
    "preApply": "before",
    "postApply": "after",
    "preDelete": "before-delete",
    "postDelete": "after-delete",
}
_KEEP: Final = 3
_PATIENCE: Final = 300
_WAITED: Final = {"running": "runs", "stopped": "is stopped", "agent": "answers by its agent"}


@attrs.frozen
class Target:
    """A guest a hook is about.

    Attributes:
        address: The guest.
        locks: What a step must have for itself.
        was: Whether it is `running` or `stopped`; empty for one that does not exist yet.
        former: The id in its marker, where it is about to be made anew with another one.
    """

    address: str
    locks: tuple[str, ...]
    was: str = ""
    former: str = ""

    @property
    def name(self) -> str:
        """Return its name."""
        return self.address.partition("/")[2]


def hook_steps(
    manifest: Manifest,
    moment: Moment,
    locks: tuple[str, ...],
    after: tuple[str, ...] = (),
    was: str = "",
) -> tuple[HookStep, ...]:
    """Return the steps of a guest's own hooks, one behind the other.

    Args:
        manifest: The guest.
        moment: Which hooks.
        locks: What its steps must have for themselves.
        after: What the first one waits for.
        was: Whether it is `running` or `stopped`.
    """
    found: list[HookStep] = []
    target = Target(str(manifest.address), locks, was)
    hooks: list[Mapping[str, Any]] = manifest.spec.get("hooks", {}).get(moment, [])
    for number, hook in enumerate(hooks, 1):
        before = (found[-1].id,) if found else after
        found.append(hook_step(hook, moment, number, target, before))
    return tuple(found)


def hook_step(
    hook: Mapping[str, Any],
    moment: Moment,
    number: int,
    target: Target,
    after: tuple[str, ...],
    owner: str = "",
) -> HookStep:
    """Return the step of one hook for one guest.

    Args:
        hook: One action and what it needs to know.
        moment: When it is done.
        number: Its place among the hooks of that moment, from 1.
        target: The guest.
        after: What it waits for.
        owner: Whose hook it is; empty for the guest's own.
    """
    ((word, given),) = hook.items()
    of = f"-of-{owner}" if owner else ""
    common: dict[str, Any] = {
        "id": f"{target.address}#{WHEN[moment]}-{number}{of}",
        "address": target.address,
        "reason": f"the hook {moment} of {owner} says so"
        if owner
        else f"its hook {moment} says so",
        "after": after,
        "locks": target.locks,
        "owner": owner,
        "former": target.former,
    }
    if word in ("start", "stop", "shutdown"):
        return _power(word, target, common)
    if word in ("waitFor", "run"):
        return _inside(word, given, target, common)
    return _kept(word, given, target, moment, common)


def _kept(
    word: str, given: Mapping[str, Any], target: Target, moment: Moment, common: Mapping[str, Any]
) -> HookStep:
    match word:
        case "snapshot":
            return SnapshotGuest(
                **common,
                summary=f"take a snapshot of {target.name}",
                inverse="delete the snapshot",
                prefix=f"pmpc-{WHEN[moment]}",
                keep=int(given.get("keep", _KEEP)),
            )
        case "backup":
            return BackupGuest(
                **common,
                summary=f"back {target.name} up to {given['storage']}",
                inverse="delete the backup",
                storage=given["storage"],
                mode=given.get("mode", "snapshot"),
                when="after" if moment == "postApply" else "",
            )
        case _:
            storage, keep = given["storage"], int(given["keep"])
            what = f"hooks' backups of {target.name} from {storage}"
            return DropBackups(
                **common,
                summary=f"delete {what} but for the newest {keep}",
                storage=storage,
                keep=keep,
            )


def _power(word: str, target: Target, common: Mapping[str, Any]) -> HookStep:
    back = {"running": "start it if need be", "stopped": "shut it down if need be"}
    more: dict[str, Any] = {"inverse": back.get(target.was), "was": target.was}
    if word == "start":
        return StartByHook(**common, **more, summary=f"start {target.name}")
    verb = "pull the plug of" if word == "stop" else "shut down"
    return ShutdownByHook(
        **common,
        **more,
        summary=f"{verb} {target.name}",
        downtime="until started" if target.was == "running" else "none",
        hard=word == "stop",
    )


def _inside(
    word: str, given: Mapping[str, Any], target: Target, common: Mapping[str, Any]
) -> HookStep:
    timeout = int(given.get("timeout", _PATIENCE))
    if word == "waitFor":
        state = str(given["state"])
        return WaitForGuest(
            **common,
            summary=f"wait until {target.name} {_WAITED[state]}",
            inverse="nothing to undo",
            state=state,
            timeout=timeout,
        )
    command = tuple(str(part) for part in given["command"])
    return RunInGuest(
        **common,
        summary=f"run {command[0]} in {target.name}",
        command=command,
        timeout=timeout,
    )
