"""Hooks of what is no guest: a release, a pool, settings. Their steps are woven around others.

What is done before comes before everything that is done to the object and to the guests its hooks
are about; what is done afterwards comes behind it. Where a hook before fails, nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Final

import attrs

from pmpc_reconcile.kinds.hooks import ALL, CHANGED
from pmpc_reconcile.plans.hook_steps import Gate, HookStep, ShutdownByHook, StartByHook
from pmpc_reconcile.plans.hooks import WHEN, Moment, Target, hook_step
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan, Purpose
from pmpc_reconcile.plans.steps import DeleteGuest

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.plans.step import Step

RELEASE: Final = "Release"
_FEW: Final = 8
"""Up to so many steps are waited for each by itself; more are waited for at a gate."""
_GUESTS: Final = ("VirtualMachine", "Container")
_THERE: Final = (
    ObjectAction.NONE,
    ObjectAction.UPDATE,
    ObjectAction.DELETE,
    ObjectAction.REPLACE,
    ObjectAction.CONFLICT,
)


@attrs.frozen
class Woven:
    """Steps with those of hooks among them.

    Attributes:
        steps: All of them.
        diagnostics: What is wrong with hooks.
    """

    steps: tuple[Step, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


@attrs.frozen
class Fabric:
    """What hooks are woven into.

    Attributes:
        objects: The entries of the plan.
        declared: Manifests by address, also the last ones of objects that are deleted.
        states: By address whether a guest is `running` or `stopped`.
        purpose: Which verb the plan is for.
    """

    objects: Sequence[ObjectPlan]
    declared: Mapping[str, Manifest]
    states: Mapping[str, str]
    purpose: Purpose

    @property
    def guests(self) -> dict[str, ObjectPlan]:
        """Return the guests among the objects."""
        return {item.address: item for item in self.objects if item.kind in _GUESTS}


def weave(fabric: Fabric, steps: Iterable[Step]) -> Woven:
    """Return steps with those of the hooks of pools and settings, then those of the release."""
    found = tuple(steps)
    wrong: list[Diagnostic] = []
    for manifest in sorted(fabric.declared.values(), key=_widest_last):
        if manifest.kind not in _GUESTS and manifest.spec.get("hooks"):
            problems = tuple(_problems(fabric, manifest))
            wrong.extend(problems)
            if not problems:
                found = _Owner(fabric, manifest, found).woven()
    return Woven(found, tuple(wrong))


def unwoven(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return steps without those of hooks that are no guest's own."""
    return tuple(step for step in steps if not _is_group_hook(step))


def states_in(steps: Iterable[Step]) -> dict[str, str]:
    """Return what steps of hooks know about whether their guests run."""
    return {
        step.address: step.was for step in steps if isinstance(step, StartByHook | ShutdownByHook)
    }


def _widest_last(manifest: Manifest) -> tuple[bool, str]:
    return manifest.kind == RELEASE, str(manifest.address)


def _is_group_hook(step: Step) -> bool:
    return isinstance(step, HookStep) and bool(step.owner)


def _hooks(manifest: Manifest) -> Iterator[tuple[str, int, str, Mapping[str, Any]]]:
    """List the hooks of a manifest: moment, place, action, what it is told."""
    for moment, hooks in manifest.spec["hooks"].items():
        for number, hook in enumerate(hooks):
            ((word, given),) = hook.items()
            yield moment, number, word, given


def _problems(fabric: Fabric, manifest: Manifest) -> Iterator[Diagnostic]:
    guests = fabric.guests
    for moment, number, word, given in _hooks(manifest):
        path = f"spec.hooks.{moment}.{number}.{word}"
        named = given.get("guests", ())
        for place, address in enumerate(() if isinstance(named, str) else named):
            if address not in guests and fabric.purpose is not Purpose.DELETE:
                hint = "its guests are those that this release declares"
                message = f"the hook is about {address}, which the release does not have"
                yield manifest.diagnose(message, f"{path}.guests.{place}", hint=hint)
            elif word == "run" and address.startswith("Container/"):
                hint = "only virtual machines have an agent"
                yield manifest.diagnose(f"no command can be run in {address}", path, hint=hint)


class _Owner:
    """The hooks of one object, on their way into the steps."""

    def __init__(self, fabric: Fabric, manifest: Manifest, steps: tuple[Step, ...]) -> None:
        self._fabric = fabric
        self._manifest = manifest
        self._address = str(manifest.address)
        self._guests = fabric.guests
        self._steps = steps
        self._members = self._group()
        self._formers = {
            step.address: step.former for step in steps if isinstance(step, DeleteGuest)
        }
        self._busy = {step.address for step in steps if not isinstance(step, HookStep)}

    def woven(self) -> tuple[Step, ...]:
        """Return the steps with the hooks' before and behind those they are about."""
        if not self._begins():
            return self._steps
        first, last = self._moments()
        inner = self._inner((first, last))
        before = self._acts(first, ())
        if before and len(before[-1]) > _FEW:
            waited_for = tuple(step.id for step in before[-1])
            before.append((self._gate(first, "changes", before[-1][0].address, waited_for),))
        if before:
            gate = tuple(step.id for step in before[-1])
            own = {step.id for step in inner}
            inner = [_behind(step, own, gate) for step in inner]
        waited = {other for step in inner for other in step.after}
        ends = tuple(step.id for step in inner if step.id not in waited)
        behind = self._acts(last, ends)
        changed = {step.id: step for step in inner}
        return (
            *(step for group in before for step in group),
            *(changed.get(step.id, step) for step in self._steps),
            *(step for group in behind for step in group),
        )

    def _group(self) -> tuple[str, ...]:
        """Return the guests that belong to the object."""
        if self._manifest.kind == RELEASE:
            return tuple(self._guests)
        if self._manifest.kind != "Pool":
            return ()
        named = set(self._manifest.spec.get("guests", ()))
        return tuple(
            address
            for address, item in self._guests.items()
            if {address, item.vmid} & named or self._pool_of(address) == self._manifest.name
        )

    def _pool_of(self, address: str) -> str | None:
        manifest = self._fabric.declared.get(address)
        return None if manifest is None else manifest.pool

    def _begins(self) -> bool:
        """Return whether something is done to the object or, for a group, to a guest of it."""
        if self._manifest.kind == RELEASE:
            return bool(self._busy)
        return self._address in self._busy or bool(self._busy & set(self._members))

    def _moments(self) -> tuple[Moment, Moment]:
        if self._manifest.kind == RELEASE:
            goes = self._fabric.purpose is Purpose.DELETE
        else:
            goes = any(
                item.address == self._address and item.action is ObjectAction.DELETE
                for item in self._fabric.objects
            )
        return ("preDelete", "postDelete") if goes else ("preApply", "postApply")

    def _inner(self, moments: Iterable[Moment]) -> list[Step]:
        """Return the steps that the hooks are woven around."""
        if self._manifest.kind == RELEASE:
            return list(self._steps)
        about = {self._address, *self._members}
        for moment in moments:
            for hook in self._manifest.spec["hooks"].get(moment, ()):
                for given in hook.values():
                    about |= set(self._named(given))
        return [step for step in self._steps if step.address in about]

    def _named(self, given: Mapping[str, Any]) -> tuple[str, ...]:
        wanted = given.get("guests", CHANGED if self._manifest.kind == RELEASE else ALL)
        if wanted == ALL:
            return self._members
        if wanted == CHANGED:
            return tuple(address for address in self._members if address in self._busy)
        return tuple(wanted)

    def _acts(self, moment: Moment, after: tuple[str, ...]) -> list[tuple[Step, ...]]:
        """Return the steps of a moment's hooks, those of one hook beside each other."""
        found: list[tuple[Step, ...]] = []
        for number, hook in enumerate(self._manifest.spec["hooks"].get(moment, ()), 1):
            ((word, given),) = hook.items()
            told = {word: {key: value for key, value in given.items() if key != "guests"}}
            targets = tuple(self._targets(moment, word, self._named(given)))
            if not targets:
                continue
            if len(after) > _FEW:
                found.append((self._gate(moment, f"{number}", targets[0].address, after),))
                after = (found[-1][0].id,)
            group = tuple(
                hook_step(told, moment, number, target, after, self._address) for target in targets
            )
            found.append(group)
            after = tuple(step.id for step in group)
        return found

    def _gate(self, moment: Moment, until: str, address: str, after: tuple[str, ...]) -> Step:
        """Return the step that many others wait for instead of each for all of those before."""
        return Gate(
            id=f"{address}#{WHEN[moment]}-until-{until}-of-{self._address}",
            address=address,
            summary=f"go on when all {len(after)} steps before are done",
            reason=f"the hooks {moment} of {self._address} follow each other",
            after=after,
            inverse="nothing to undo",
            owner=self._address,
        )

    def _targets(self, moment: Moment, word: str, named: Iterable[str]) -> Iterator[Target]:
        for address in named:
            item = self._guests.get(address)
            if item is None or (word == "run" and item.kind == "Container"):
                continue
            before = moment.startswith("pre")
            gone = item.action is ObjectAction.DELETE
            made = item.action is ObjectAction.CREATE
            if not before and gone != (word == "dropBackups"):
                continue
            if item.action in _THERE or (made and moment == "postApply"):
                anew = made or (item.action is ObjectAction.REPLACE and not before)
                lock, was = (address, "") if anew else (item.vmid, self._was(address))
                former = "" if anew else self._formers.get(address, "")
                yield Target(address, (f"guest:{lock}",), was, former)

    def _was(self, address: str) -> str:
        return self._fabric.states.get(address, "")


def _behind(step: Step, inner: Set[str], gate: tuple[str, ...]) -> Step:
    """Return a step that also waits for hooks, unless it waits for others that do."""
    if not inner.isdisjoint(step.after):
        return step
    return attrs.evolve(step, after=(*step.after, *gate))
