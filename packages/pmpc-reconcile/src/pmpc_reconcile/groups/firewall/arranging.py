"""Where rules belong in a list that others use too: as few of them as possible move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pmpc_reconcile.values.rules import Rule


def arranged(
    now: Sequence[Rule],
    changes: Mapping[str, Rule | None],
    order: Sequence[str],
    word_of: Callable[[Iterable[str]], str],
) -> tuple[Rule, ...]:
    """Return a list with changes made, ours in their order and everybody else's where they are.

    A rule that is new or moves goes right behind the one it follows in the order; the first one
    goes before the one it precedes, or to the top.

    Args:
        now: The list.
        changes: Rules by what they match; None for one that goes.
        order: Words of our rules in their order; rules it does not name stay.
        word_of: Makes the word of what a rule matches.
    """
    ours: dict[str, Rule] = {}
    kept: list[Rule] = []
    for rule in now:
        first = rule.match not in ours
        if first and rule.match in changes:
            change = changes[rule.match]
            if change is None:
                continue
            rule = change
        if first:
            ours[rule.match] = rule
        kept.append(rule)
    new = {m: rule for m, rule in changes.items() if rule is not None and m not in ours}
    by_word = {word_of([match]): match for match in (*ours, *new)}
    wanted = [by_word[word] for word in order if word in by_word]
    wanted += [match for match in new if match not in wanted]
    place = {match: index for index, match in enumerate(wanted)}
    fixed = _heaviest([rule.match for rule in kept if rule.match in place], place, ours)
    moving = set(wanted) - fixed
    result = [rule for rule in kept if rule.match not in moving or rule is not ours[rule.match]]
    for index, match in enumerate(wanted):
        if match in moving:
            rule = ours.get(match) or new[match]
            result.insert(_spot(result, wanted, index, fixed), rule)
            fixed.add(match)
    return tuple(result)


def _spot(result: Sequence[Rule], wanted: Sequence[str], index: int, fixed: set[str]) -> int:
    places = {rule.match: spot for spot, rule in reversed(list(enumerate(result)))}
    for match in reversed(wanted[:index]):
        if match in fixed:
            return places[match] + 1
    for match in wanted[index + 1 :]:
        if match in fixed:
            return places[match]
    return 0


def _heaviest(
    matches: Sequence[str], place: Mapping[str, int], rules: Mapping[str, Rule]
) -> set[str]:
    """Return the rules that stay: the most of those already in order, enabled ones first."""
    seen = list(dict.fromkeys(matches))
    best: list[tuple[int, int | None]] = []
    for index, match in enumerate(seen):
        weight = 1001 if rules[match].enabled else 1000
        before = [
            (best[other][0], other) for other in range(index) if place[seen[other]] < place[match]
        ]
        top = max(before, default=(0, None), key=lambda entry: entry[0])
        best.append((top[0] + weight, top[1]))
    if not best:
        return set()
    at: int | None = max(range(len(best)), key=lambda entry: best[entry][0])
    kept: set[str] = set()
    while at is not None:
        kept.add(seen[at])
        at = best[at][1]
    return kept
