"""Plan firewalls: the rules stay in order, and nobody is locked out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.diagnostics import error, warning
from pmpc_reconcile.diff import Action, Diff, FieldChange
from pmpc_reconcile.groups.firewall.edits import NoSafeWay, plan_edits
from pmpc_reconcile.groups.firewall.fields import ORDER, level_fields, target_of, with_orders
from pmpc_reconcile.groups.firewall.mentions import left_without
from pmpc_reconcile.groups.firewall.reach import Reach, Whole, kept_reachable, of_guest
from pmpc_reconcile.groups.firewall.state import Level
from pmpc_reconcile.kinds import kind
from pmpc_reconcile.live.firewall import with_level
from pmpc_reconcile.plans.beside import beside
from pmpc_reconcile.plans.settings import Item, Settings, compare, plan_settings, with_begun
from pmpc_reconcile.plans.situation import Built, Situation
from pmpc_reconcile.plans.steps import Configure

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.records import ManagedRecord
    from pmpc_reconcile.values import Fields


@attrs.frozen(kw_only=True)
class FirewallPlace:
    """A level of the firewall that a manifest or a record is about.

    Attributes:
        address: The object.
        scope: `cluster`, `node` or `guest`.
        key: `cluster`, `node/pve1`, `guest/100`; `guest` while the guest is still to be made.
        path: Where it is in the API; None while the guest is still to be made.
        level: As read; empty for a guest to be made.
        after: Steps to wait for.
        vmid: The guest.
    """

    address: str
    scope: str
    key: str
    path: str | None
    level: Level
    after: tuple[str, ...] = ()
    vmid: int | None = None


def plan_firewall(
    situation: Situation,
    place: FirewallPlace,
    desired: Fields,
    resolutions: Mapping[str, str],
    record: ManagedRecord | None,
    *,
    whole: Whole | None,
    cluster: Level | None = None,
    adopted: bool = False,
) -> tuple[Built, Level]:
    """Return what brings a level to its manifest, and the level as it is then.

    Args:
        situation: What was read.
        place: The level.
        desired: Fields of the manifest; none when everything of ours goes.
        resolutions: How conflicts are settled.
        record: What is remembered.
        whole: What decides about the management of nodes; None for a guest's level.
        cluster: The cluster's level, for that of a guest that is there.
        adopted: What exists is ours from now on.
    """
    live = level_fields(place.level, place.scope, desired)
    live, owned = with_orders(place.level, desired, live, record.owned if record else {})
    settings = Settings(
        address=place.address,
        kind=kind("Firewall"),
        key=place.key,
        desired=desired,
        live=live,
        owned=owned,
        before=record.before if record else {},
        item_of=item_of,
        resolutions=resolutions,
        adopted=adopted,
        vmid=place.vmid,
        beside=beside(situation, place.address, place.key),
    )
    settings = with_begun(situation, settings)
    diff = compare(situation, settings)
    target = target_of(place.level, diff.changes)
    if target == place.level:
        diff = _settled(diff)
    calls = 0
    problems: tuple[Diagnostic, ...] = ()
    if diff.changes and not diff.conflicts:
        calls, problems = _judged(place, target, whole, cluster or Level())
    built = plan_settings(situation, settings, record, diff, (_step(place, diff, calls),), problems)
    if built.steps:
        going = settings.beside.owned.keys() - settings.beside.paths
        built = _warned(built, left_without(place.level, target, going))
    return built, target if built.steps else place.level


def _warned(built: Built, broken: tuple[str, ...]) -> Built:
    """Say whose rules will name something that is gone."""
    if not broken:
        return built
    notes = tuple(f"{each}, which is gone then" for each in broken)
    item = attrs.evolve(built.item, notes=(*built.item.notes, *notes))
    found = [warning(f"{item.address}: {note}", address=item.address) for note in notes]
    return Built(item, built.steps, (*built.diagnostics, *found))


def item_of(path: str) -> Item | None:
    """Return the item a field of a firewall belongs to; options and orders belong to none."""
    section, _, rest = path.partition(".")
    name, _, below = rest.partition(".")
    if section == "rules":
        return Item(path, path)
    if section == "aliases":
        return Item(f"aliases.{name}", f"aliases.{name}.cidr")
    if section in ("ipsets", "groups"):
        if below.startswith(("entries.", "rules.")):
            return Item(path, path)
        return None if below == ORDER else Item(f"{section}.{name}", f"{section}.{name}")
    return None


def _settled(diff: Diff) -> Diff:
    """Return a comparison without orders that need no call: what is there is in order."""
    return Diff(
        tuple(
            attrs.evolve(field, action=Action.UNCHANGED)
            if field.action.writes and field.path.endswith(ORDER)
            else field
            for field in diff.fields
        )
    )


def _judged(
    place: FirewallPlace, target: Level, whole: Whole | None, cluster: Level
) -> tuple[int, tuple[Diagnostic, ...]]:
    """Count the calls, and say why they must not be made."""

    def within(level: Level) -> Whole:
        if whole is None or place.path is None:
            return of_guest(level, cluster)
        return with_level(whole, place.path, level)

    lost = () if whole is None else _lost(within(place.level), within(target))
    if lost:
        hint = "add a rule that lets your network in, before those that drop"
        message = f"nobody could reach {', '.join(lost)} any more by these rules"
        return 0, (error(message, hint=hint, address=place.address),)
    safe = kept_reachable(place.level, target, within)
    try:
        return len(plan_edits(place.level, target, safe)), ()
    except NoSafeWay as refusal:
        return 0, (error(str(refusal), address=place.address),)


def _lost(now: Whole, after: Whole) -> tuple[str, ...]:
    """Return what of the management nobody would reach any more."""
    reach = Reach((now, after))
    return tuple(sorted(set(reach.cut_off(after)) - set(reach.cut_off(now))))


def _step(place: FirewallPlace, diff: Diff, calls: int) -> Configure:
    where = {"cluster": "the cluster"}.get(place.scope, place.key.replace("/", " "))
    lock = "firewall" if place.scope != "guest" else f"firewall:{place.key}"
    return Configure(
        id=f"{place.address}#configure",
        address=place.address,
        summary=f"set {_what(diff.changes)} in the firewall of {where}, "
        + (f"{calls} calls" if calls != 1 else "one call"),
        reason="the manifest differs",
        after=place.after,
        locks=(lock,),
        inverse="write the previous values",
        changes=diff.changes,
    )


def _what(changes: tuple[FieldChange, ...]) -> str:
    rules = sum("rules." in change.path for change in changes)
    orders = sum(change.path.endswith(ORDER) for change in changes)
    rest = [
        change.path
        for change in changes
        if "rules." not in change.path and not change.path.endswith(ORDER)
    ]
    words = [f"{rules} rules" if rules > 1 else "a rule"] if rules else []
    words += ["the order of rules"] if orders else []
    return ", ".join((*words, *rest[:4], *(["and more"] if len(rest) > 4 else [])))
