"""The firewall's edits: single calls, each of which leaves the management reachable."""

from __future__ import annotations

import random
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from pmpc_reconcile.groups.firewall.edits import plan_edits
from pmpc_reconcile.groups.firewall.parts import Edit
from pmpc_reconcile.groups.firewall.reach import Reach, Whole
from pmpc_reconcile.groups.firewall.state import Alias, Group, IpSet, Level
from pmpc_reconcile.values.rules import Rule

NODES = {"pve1": "10.77.0.1", "pve2": "10.77.0.2"}
GROUPS = {
    "admin": Group((Rule("in ACCEPT -source 10.0.0.0/8 -proto tcp -dport 22,8006"),)),
    "mixed": Group(
        (
            Rule("in DROP -source 10.77.0.0/16 -proto tcp -dport 8006"),
            Rule("in ACCEPT -proto tcp -dport 8006"),
        )
    ),
}
SETS = {"office": IpSet({"192.0.2.0/24": "match", "192.0.2.66": "nomatch"})}

sources = st.sampled_from(
    ["", " -source 10.0.0.0/8", " -source 10.77.0.0/24", " -source 192.0.2.9", " -source +office"]
)
ports = st.sampled_from(
    ["", " -proto tcp -dport 22", " -proto tcp -dport 8006", " -proto tcp -dport 1:9000",
     " -proto tcp -dport 80,443", " -proto udp -dport 53"]
)  # fmt: skip
plain = st.tuples(st.sampled_from(["ACCEPT", "DROP", "REJECT"]), sources, ports).map(
    lambda parts: f"in {parts[0]}{parts[1]}{parts[2]}"
)
matches = st.one_of(
    plain, st.sampled_from(["in ACCEPT -macro ssh", "out DROP -dest 10.9.9.9", "group admin",
                            "group mixed"])
)  # fmt: skip
rules = st.lists(
    st.builds(Rule, matches, st.sampled_from([True, True, True, False])),
    max_size=14,
    unique_by=lambda rule: rule.match,
)
policies = st.sampled_from(
    [dict[str, str](), {"enable": "1"}, {"enable": "1", "policy_in": "ACCEPT"}]
)


def level(found: list[Rule] | tuple[Rule, ...], options: dict[str, str] | None = None) -> Level:
    return Level(options or {"enable": "1"}, tuple(found), {}, SETS, GROUPS)


def whole(cluster: Level) -> Whole:
    return Whole(cluster, {node: Level() for node in NODES}, NODES)


def walk(now: Level, target: Level) -> int:
    """Plan, follow every call with PVE's own rules for positions, and count the calls."""
    reach = Reach([whole(now), whole(target)])
    kept = reach.both(whole(now)) & reach.both(whole(target))
    edits = plan_edits(now, target, lambda each: not kept & ~reach.both(whole(each)))
    current = now
    for edit in edits:
        current = follow(current, edit)
        assert current == edit.after, edit.name
        assert not kept & ~reach.both(whole(current)), edit.name
    assert current == target
    return len(edits)


def follow(current: Level, edit: Edit) -> Level:
    """Carry out a call about rules as PVE does; other calls count as they say."""
    method, below, params = edit.method, edit.below, dict[str, Any](edit.params)
    if not below.startswith("rules"):
        return edit.after
    listed = list(current.rules)
    if method == "POST":
        state = params.get("enable")
        made = Rule.read(params, enabled=bool(state))
        return attrs.evolve(current, rules=(made, *listed))
    position = int(below.partition("/")[2])
    if method == "DELETE":
        del listed[position]
    elif "moveto" in params:
        to, rule = params["moveto"], listed[position]
        order: list[Rule] = []
        for index, other in enumerate(listed):
            if index == to:
                order.append(rule)
            if index != position:
                order.append(other)
        listed = order if to < len(listed) else [*order, rule]
    else:
        rule = listed[position]
        listed[position] = attrs.evolve(
            rule,
            enabled=bool(params.get("enable", int(rule.enabled))),
            comment=params.get("comment", "" if "delete" in params else rule.comment),
        )
    return attrs.evolve(current, rules=tuple(listed))


@given(rules, rules, policies, policies)
@settings(max_examples=150, deadline=None)
def test_any_list_becomes_any_other_without_cutting_off(
    before: list[Rule], after: list[Rule], options: dict[str, str], later: dict[str, str]
) -> None:
    walk(level(before, options), level(after, later))


@given(rules, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_permutation_takes_at_most_one_move_for_each_rule_out_of_order(
    before: list[Rule], chance: random.Random
) -> None:
    after = before[:]
    chance.shuffle(after)
    calls = walk(level(before), level(after))
    assert calls <= 2 * len(before)


def test_a_move_of_one_rule_is_one_call() -> None:
    found = [Rule(f"in ACCEPT -proto tcp -dport {port}") for port in range(1, 51)]
    moved = [*found[:10], found[40], *found[10:40], *found[41:]]
    assert walk(level(found), level(moved)) == 1


def test_new_rules_at_the_top_are_one_call_each() -> None:
    found = [Rule("in DROP")]
    new = [Rule(f"in ACCEPT -proto tcp -dport {port}") for port in (22, 8006, 443)]
    assert walk(level(found), level([*new, *found])) == 3


def test_fifty_rules_in_the_opposite_order() -> None:
    found = [
        Rule(f"in {'ACCEPT' if number % 3 else 'DROP'} -source 10.{number}.0.0/16 -proto tcp")
        for number in range(47)
    ]
    found.insert(20, Rule("in ACCEPT -macro ssh"))
    found.insert(30, Rule("in ACCEPT -proto tcp -dport 8006"))
    found.insert(40, Rule("in DROP"))
    after = [rule for rule in reversed(found) if rule.match != "in DROP"]
    calls = walk(level(found), level([*after, Rule("in DROP")]))
    assert calls <= 2 * len(found)


def test_nobody_left_is_said_by_name() -> None:
    now = whole(level([Rule("in DROP -proto tcp -dport 22")]))
    assert Reach([now]).cut_off(now) == ("SSH of pve1", "SSH of pve2")


def test_the_node_asks_its_own_rules_first() -> None:
    now = Whole(
        level([Rule("in DROP")]),
        {"pve1": Level(rules=(Rule("in ACCEPT -proto tcp -dport 22,8006"),)), "pve2": Level()},
        NODES,
    )
    assert Reach([now]).cut_off(now) == ("SSH of pve2", "the API of pve2")


def test_sets_aliases_and_exceptions_count() -> None:
    aliases = {"desk": Alias("192.0.2.66")}
    rules_ = (Rule("in ACCEPT -source +office -proto tcp -dport 22"),
              Rule("in DROP"), Rule("in ACCEPT -source desk"))  # fmt: skip
    now = Level({"enable": "1"}, rules_, aliases, SETS, {})
    reach = Reach([whole(now)])
    let_in = {
        packet.source
        for index, packet in enumerate(reach.packets)
        if reach.by_rules(whole(now)) >> index & 1
    }
    assert (4, 0xC0000200) in let_in
    assert (4, 0xC0000242) not in let_in
