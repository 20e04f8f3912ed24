"""Plan settings: parts of the cluster's configuration that several people and tools write to.

A firewall, the networks of the cluster or of a node are not made and deleted as a whole. What is
ours of them is known field by field and item by item: a rule, a zone, an interface. An item that
exists and was not made by us is never changed or deleted without a word; one that is already as
declared is used together, and stays when we let go of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from pmpc_reconcile.diff import (
    BEFORE,
    Action,
    Claim,
    Diff,
    FieldChange,
    before_text,
    before_us,
    read_before,
    three_way,
)
from pmpc_reconcile.diff.threeway import WAS_SO
from pmpc_reconcile.plans.beside import Beside, is_order
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.situation import Built, Situation, is_recorded
from pmpc_reconcile.values import same

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.kinds import Kind
    from pmpc_reconcile.plans.steps import Step
    from pmpc_reconcile.records import ManagedRecord
    from pmpc_reconcile.values import Fields, FieldValue

_OTHERS: Final = "somebody else made it"
KEY: Final = "key"
"""In an object's evidence: under which key it is recorded."""
RECORD_KINDS: Final[Mapping[str, str]] = {
    "Firewall": "firewall",
    "Sdn": "sdn",
    "NodeNetwork": "network",
    "Image": "image",
    "Storage": "storage",
}
"""Kinds of settings, and the word under which they are recorded."""


@attrs.frozen
class Item:
    """What a field belongs to.

    Attributes:
        name: Path of the item: `rules.in ACCEPT`, `zones.lab`.
        made: The field whose ownership says that we made the item.
        open: Others' items of this kind may be changed: the manifest says whose they are.
    """

    name: str
    made: str
    open: bool = False


@attrs.frozen(kw_only=True)
class Settings:
    """One object of settings, with what was read of it.

    Attributes:
        address: The object.
        kind: Its kind.
        key: Under which it is recorded: `cluster`, `node/pve1`.
        desired: Fields of the manifest; none when everything of ours goes.
        live: Fields of the server.
        owned: Fields as we last applied them.
        before: What fields were before we first applied them, of settings that always exist.
        item_of: The item a field belongs to; None for a setting that always exists.
        resolutions: How conflicts are settled.
        adopted: What exists is ours from now on.
        foreign: Conflicts that are no field's, such as changes somebody staged.
        vmid: The guest it is about.
        beside: What others of the release say about the same thing.
    """

    address: str
    kind: Kind
    key: str
    desired: Fields
    live: Fields
    owned: Fields
    item_of: Callable[[str], Item | None]
    resolutions: Mapping[str, str] = attrs.field(factory=dict[str, str])
    adopted: bool = False
    foreign: tuple[FieldChange, ...] = ()
    before: Fields = attrs.field(factory=dict[str, "FieldValue"])
    vmid: int | None = None
    beside: Beside = attrs.field(factory=Beside)


Steps = Callable[[tuple[FieldChange, ...]], tuple["Step", ...]]
Check = Callable[[tuple[FieldChange, ...]], Iterable["Diagnostic"]]


def with_begun(situation: Situation, settings: Settings) -> Settings:
    """Return an object with what an apply made of it that did not come to recording it.

    What moved to another manifest of the release goes with it.
    """
    begun = situation.begun.get(settings.address, {})
    live = settings.live
    ours = {
        path: value
        for path, value in begun.items()
        if path not in settings.owned
        and path in live
        and same(settings.kind, path, value, live[path])
    }
    owned = {**settings.owned, **ours}
    return attrs.evolve(
        settings,
        owned=settings.beside.owned_with(owned, settings.desired),
        before={**settings.beside.before, **settings.before},
    )


def compare(situation: Situation, settings: Settings) -> Diff:
    """Compare what is wanted with what is there, others' items respected."""
    diff = three_way(
        settings.kind,
        settings.desired,
        settings.live,
        settings.owned,
        resolutions=settings.resolutions,
        others=_claims(situation, settings),
        before=settings.before,
        fingerprint=situation.fingerprint,
    )
    known = (*settings.owned, *settings.beside.owned)
    ours = {item.name for path in known if (item := settings.item_of(path))}
    there = {item.name for path in settings.live if (item := settings.item_of(path))}
    going = {change.path for change in diff.fields if change.action is Action.REMOVE}
    return Diff(
        tuple(
            _kept(settings, change, going)
            if change.action is Action.REMOVE
            else _respected(settings, change, there - ours)
            for change in diff.fields
        )
    )


def plan_settings(
    situation: Situation,
    settings: Settings,
    record: ManagedRecord | None,
    diff: Diff,
    steps: tuple[Step, ...],
    problems: tuple[Diagnostic, ...],
) -> Built:
    """Return an object's entry in the plan.

    Args:
        situation: What was read.
        settings: The object.
        record: What is remembered of it.
        diff: The comparison.
        steps: What brings it about; used only if nothing stands against it.
        problems: What stands against it.
    """
    conflicts = diff.conflicts + (settings.foreign if diff.changes else ())
    owned = settings.owned if conflicts else _owned_after(situation, settings, diff)
    gone = not settings.desired
    evidence = {KEY: settings.key, **_before(situation, settings, diff)}
    item = ObjectPlan(
        address=settings.address,
        action=_action(gone, conflicts, problems, diff),
        marker_id="",
        vmid=settings.vmid,
        changes=diff.changes,
        conflicts=conflicts,
        desired=settings.desired,
        owned_after=owned,
        evidence=evidence,
        notes=(*(problem.message for problem in problems), *_staying(settings, diff)),
        record=gone
        or not is_recorded(record, settings.key, "", owned, situation.fingerprint)
        or record is None
        or record.before != read_before(evidence),
    )
    if conflicts or problems or not diff.changes:
        return Built(item, (), problems)
    return Built(item, steps)


def _claims(situation: Situation, settings: Settings) -> Mapping[str, Sequence[Claim]]:
    return situation.claims.get((RECORD_KINDS[settings.kind.name], settings.key), {})


def _before(situation: Situation, settings: Settings, diff: Diff) -> dict[str, str]:
    """Return as evidence what settings that always exist were before this release.

    What is adopted is ours altogether. The order of rules is nobody's but ours.
    """
    if settings.adopted:
        return {}
    known = settings.before
    if not diff.conflicts:
        claims = _claims(situation, settings)
        known = before_us(settings.kind, diff, settings.live, known, claims)
    kept = {
        path: value
        for path, value in known.items()
        if settings.item_of(path) is None and not is_order(path)
    }
    return {BEFORE: before_text(kept)} if kept else {}


def _action(
    gone: bool, conflicts: tuple[FieldChange, ...], problems: tuple[Diagnostic, ...], diff: Diff
) -> ObjectAction:
    if problems:
        return ObjectAction.REFUSED
    if conflicts:
        return ObjectAction.CONFLICT
    if gone:
        return ObjectAction.DELETE if diff.changes else ObjectAction.FORGET
    return ObjectAction.UPDATE if diff.changes else ObjectAction.NONE


def _respected(settings: Settings, change: FieldChange, foreign: set[str]) -> FieldChange:
    """Turn a change of somebody else's item into a conflict."""
    item = settings.item_of(change.path)
    writes = change.action in (Action.ADD, Action.CHANGE)
    if not writes or item is None or item.open or item.name not in foreign or settings.adopted:
        return change
    word = _resolution(settings.resolutions, change.path)
    if word == "ours":
        return change
    reason = f"{item.name} exists and is not managed by this release"
    action = Action.CONFLICT if word is None else Action.KEEP
    return attrs.evolve(change, action=action, reason=reason)


def _kept(settings: Settings, change: FieldChange, going: set[str]) -> FieldChange:
    """Let go of what others made, or put something into, instead of taking it away."""
    item = settings.item_of(change.path)
    if item is not None and item.made not in settings.owned:
        return attrs.evolve(change, action=Action.RELEASE, reason=_OTHERS)
    if item is None or item.made != change.path:
        return change
    inside = (path for path in settings.live if path.startswith(f"{item.name}."))
    strange = [
        path for path in inside if path not in going and settings.item_of(path) not in (None, item)
    ]
    if not strange:
        return change
    reason = f"somebody else's are in it: {strange[0]}"
    return attrs.evolve(change, action=Action.RELEASE, reason=reason)


def _staying(settings: Settings, diff: Diff) -> Iterator[str]:
    """Say which items are no longer declared and stay, because nobody knows that we made them."""
    left = [field.path for field in diff.fields if field.reason in (_OTHERS, WAS_SO)]
    names = [item.name if (item := settings.item_of(path)) else path for path in left]
    kept = [name for name in dict.fromkeys(names) if any(p.startswith(name) for p in settings.live)]
    if kept:
        yield (
            f"{', '.join(kept)} stay: they were there before this release, or the records of it "
            "are lost; adopt them if they shall go with it"
        )


def _owned_after(situation: Situation, settings: Settings, diff: Diff) -> dict[str, FieldValue]:
    """Return what is ours afterwards: of items others made everything but their existence.

    What another release made and this one declares too is made by both: the last one removes it.
    """
    claims = _claims(situation, settings)
    found: dict[str, FieldValue] = {}
    for path, value in diff.owned_after().items():
        item = settings.item_of(path)
        made_by_others = (
            item is not None
            and path == item.made
            and path in settings.live
            and path not in settings.owned
        )
        if not made_by_others or settings.adopted or _holds(settings, path, claims.get(path, ())):
            found[path] = value
    return found


def _holds(settings: Settings, path: str, claims: Sequence[Claim]) -> bool:
    """Whether another release made an item, and it still is as that one made it."""
    live = settings.live[path]
    return any(same(settings.kind, path, claim.value, live) for claim in claims)


def _resolution(resolutions: Mapping[str, str], path: str) -> str | None:
    while path:
        if path in resolutions:
            return resolutions[path]
        path = path.rpartition(".")[0]
    return None


def recorded_key(item: ObjectPlan, vmid: int | None) -> str:
    """Return under which key an object is recorded; a guest made by the plan has a vmid by then."""
    key = item.evidence[KEY]
    return f"guest/{vmid}" if key == "guest" else key
