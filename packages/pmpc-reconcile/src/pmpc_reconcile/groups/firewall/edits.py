"""Single calls from one configuration of the firewall to another, none of which cuts off.

PVE addresses rules by position, puts a new one at the top, and knows no transaction: what is true
after every call is what counts. Calls are tried in an order that opens before it closes (what is
referred to, new rules, moves, then removals, options last); the first one that keeps the
management reachable is taken. When none does, a rule that lets it in is moved to the top for a
while: below it everything may change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from pmpc_reconcile.groups.firewall.parts import Edit, additions, option_edits, removals
from pmpc_reconcile.groups.firewall.reach import Safe
from pmpc_reconcile.groups.firewall.state import MAIN, Level, Rules
from pmpc_reconcile.values.rules import Rule

_MOST: Final = 10_000
_NONE: Final[list[str]] = []


class NoSafeWay(Exception):
    """No sequence of single calls keeps the management reachable."""


def plan_edits(now: Level, target: Level, safe: Safe) -> tuple[Edit, ...]:
    """Return the calls that lead from one configuration to another.

    Args:
        now: As it is.
        target: As it shall be.
        safe: Whether a configuration may exist for a moment; `target` may.

    Raises:
        NoSafeWay: There is no such sequence.
    """
    return _Search(now, target, safe).run()


class _Search:
    def __init__(self, now: Level, target: Level, safe: Safe) -> None:
        self._now = now
        self._target = target
        self._safe = safe
        self._edits: list[Edit] = []
        self._loose = {name: _unplaced(now, target, name) for name in target.lists}
        self._raised: set[tuple[str, str]] = set()

    def run(self) -> tuple[Edit, ...]:
        while self._now != self._target:
            edit = next((each for each in self._candidates() if self._safe(each.after)), None)
            if edit is None:
                edit = self._raise()
            if edit is None or len(self._edits) > _MOST:
                raise NoSafeWay("no order of single calls keeps SSH and the API reachable")
            self._edits.append(edit)
            self._now = edit.after
        return tuple(self._edits)

    def _candidates(self) -> Iterator[Edit]:
        yield from additions(self._now, self._target)
        for name in self._target.lists:
            if name == MAIN or name in self._now.groups:
                yield from self._list_edits(name)
        yield from removals(self._now, self._target)
        yield from option_edits(self._now, self._target)

    def _list_edits(self, name: str) -> Iterator[Edit]:
        now, target = self._now.list(name), self._target.list(name)
        self._settle(name, now, target)
        loose = self._loose[name]
        there = {rule.match for rule in now}
        for rule in reversed(target):
            if rule.match in loose and rule.match not in there:
                yield self._insert(name, rule, now, target)
        for rule in target:
            if rule.match in loose and rule.match in there:
                yield from self._move(name, rule.match, now, target)
        final = _named(target)
        for index, rule in enumerate(now):
            wanted = final.get(rule.match)
            if wanted is None or rule.match in loose or _first(now, rule.match) != index:
                continue
            if rule != wanted:
                yield self._update(name, index, rule, wanted)
        for index in _surplus(now, target):
            yield self._delete(name, index)

    def _settle(self, name: str, now: Rules, target: Rules) -> None:
        """Count as placed what stands where it belongs among the placed ones."""
        loose = self._loose[name]
        for rule in target:
            at = _first(now, rule.match)
            if rule.match in loose and at is not None:
                low, high = _between(now, target, rule.match, loose)
                if low < at < high:
                    loose.discard(rule.match)

    def _insert(self, name: str, rule: Rule, now: Rules, target: Rules) -> Edit:
        """Make a rule: at the top, where PVE puts it, and switched off if it goes elsewhere."""
        low, _ = _between(now, target, rule.match, self._loose[name])
        made = rule if low < 0 else attrs.evolve(rule, enabled=False)
        after = self._now.with_list(name, (made, *now))
        if made.enabled and not self._safe(after):
            made = attrs.evolve(rule, enabled=False)
            after = self._now.with_list(name, (made, *now))
        path = _path(name)
        return Edit(f"insert {_where(name)}{rule.match}", "POST", path, None,
                    made.parameters(), after)  # fmt: skip

    def _move(self, name: str, match: str, now: Rules, target: Rules) -> Iterator[Edit]:
        at = _first(now, match)
        if at is None:
            return
        low, high = _between(now, target, match, self._loose[name])
        for spot in dict.fromkeys((low + 1, high)):
            yield self._moved(name, now, at, spot)

    def _moved(self, name: str, now: Rules, at: int, spot: int) -> Edit:
        rest = [rule for index, rule in enumerate(now) if index != at]
        to = spot if spot <= at else spot - 1
        rest.insert(to, now[at])
        path = f"{_path(name)}/{at}"
        return Edit(f"move {_where(name)}{now[at].match} to {to}", "PUT", path, _path(name),
                    {"moveto": spot}, self._now.with_list(name, tuple(rest)))  # fmt: skip

    def _update(self, name: str, index: int, rule: Rule, wanted: Rule) -> Edit:
        params: dict[str, object] = {}
        gone: list[str] = []
        if rule.enabled != wanted.enabled:
            params["enable"] = int(wanted.enabled)
        if rule.comment != wanted.comment:
            params["comment"] = wanted.comment
        if rule.log != wanted.log:
            params["log"] = wanted.log or "nolog"
        if params.get("comment") == "":
            del params["comment"]
            gone.append("comment")
        if gone:
            params["delete"] = ",".join(gone)
        now = self._now.list(name)
        after = self._now.with_list(name, (*now[:index], wanted, *now[index + 1 :]))
        verb = f"set {wanted.attributes}:"
        return Edit(f"{verb} {_where(name)}{rule.match}", "PUT", f"{_path(name)}/{index}",
                    _path(name), params, after)  # fmt: skip

    def _delete(self, name: str, index: int) -> Edit:
        now = self._now.list(name)
        after = self._now.with_list(name, (*now[:index], *now[index + 1 :]))
        return Edit(f"delete {_where(name)}{now[index].match}", "DELETE", f"{_path(name)}/{index}",
                    _path(name), {}, after)  # fmt: skip

    def _raise(self) -> Edit | None:
        """Move a rule that lets in to the top for a while, each at most once."""
        for name in reversed(self._target.lists):
            if name != MAIN and name not in self._now.groups:
                continue
            now = self._now.list(name)
            final = {rule.match for rule in self._target.list(name)}
            for at, rule in enumerate(now):
                candidate = rule.enabled and rule.action not in ("DROP", "REJECT")
                fresh = (name, rule.match) not in self._raised and rule.match in final
                if not (candidate and fresh and at > 0):
                    continue
                self._raised.add((name, rule.match))
                edit = self._moved(name, now, at, 0)
                if self._safe(edit.after):
                    self._loose[name].add(rule.match)
                    return edit
        return None


def _unplaced(now: Level, target: Level, name: str) -> set[str]:
    """Return the rules of a list that are new or have to move; as many as possible stay."""
    there: Rules = () if name != MAIN and name not in now.groups else now.list(name)
    final = [rule.match for rule in target.list(name)]
    place = {match: index for index, match in enumerate(final)}
    common = [match for match in dict.fromkeys(rule.match for rule in there) if match in place]
    stay = set(_longest(common, place))
    return {match for match in final if match not in stay}


def _longest(matches: Sequence[str], place: Mapping[str, int]) -> list[str]:
    best: list[list[str]] = []
    for match in matches:
        before = [run for run in best if place[run[-1]] < place[match]]
        best.append([*max(before, default=_NONE, key=len), match])
    return max(best, default=_NONE, key=len)


def _between(now: Rules, target: Rules, match: str, loose: set[str]) -> tuple[int, int]:
    """Return the positions of the placed rules a rule belongs between; -1 and the end if none."""
    order = [rule.match for rule in target]
    at = order.index(match)
    low, high = -1, len(now)
    for other in order[:at]:
        spot = None if other in loose else _first(now, other)
        low = low if spot is None else max(low, spot)
    for other in order[at + 1 :]:
        spot = None if other in loose else _first(now, other)
        if spot is not None:
            return low, spot
    return low, high


def _first(rules: Rules, match: str) -> int | None:
    return next((index for index, rule in enumerate(rules) if rule.match == match), None)


def _named(rules: Rules) -> dict[str, Rule]:
    return {rule.match: rule for rule in reversed(rules)}


def _surplus(now: Rules, target: Rules) -> list[int]:
    """Return the positions of rules that have to go, doubles of foreign rules kept."""
    wanted: dict[str, int] = {}
    for rule in target:
        wanted[rule.match] = wanted.get(rule.match, 0) + 1
    found: list[int] = []
    for index, rule in enumerate(now):
        wanted[rule.match] = wanted.get(rule.match, 0) - 1
        if wanted[rule.match] < 0:
            found.append(index)
    return found


def _path(name: str) -> str:
    return "rules" if name == MAIN else f"groups/{name}"


def _where(name: str) -> str:
    return "" if name == MAIN else f"{name}: "
