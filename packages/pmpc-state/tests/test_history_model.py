"""Random histories against a model that keeps a full copy of every moment."""

from __future__ import annotations

from datetime import timedelta
from itertools import count, pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmpc_state import ChangeKind, State
from pmpc_state.testing import Recorder
from proxmox_client.testing.clock import VirtualClock

_CLUSTERS = count(1)
_KEYS = st.sampled_from(["100", "101", "102", "200"])
_CONFIG = st.fixed_dictionaries(
    {
        "smbios1": st.sampled_from([f"uuid={one * 8}-0000-4000-8000-000000000000" for one in "ab"]),
        "memory": st.sampled_from([1, 2, 3.0]),
    },
    optional={"name": st.sampled_from(["web", "db"]), "tags": st.just("x")},
)  # fmt: skip
_LOOK = st.tuples(
    st.dictionaries(_KEYS, _CONFIG, max_size=4),
    st.sets(_KEYS, max_size=2),
    st.sampled_from([0, 1, 60]),
)
_HISTORY = st.lists(_LOOK, min_size=1, max_size=8)


def _next(
    before: dict[str, dict[str, Any]], look: dict[str, dict[str, Any]], hidden: set[str]
) -> dict[str, dict[str, Any]]:
    kept = {key: before[key] for key in hidden if key in before and key not in look}
    return {**kept, **look}


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=_HISTORY)
def test_every_moment_is_as_a_full_copy_would_have_it(
    state: State, recorder: Recorder, clock: VirtualClock, history: list[Any]
) -> None:
    cluster = f"model-{next(_CLUSTERS)}"
    copies: list[tuple[Any, dict[str, dict[str, Any]]]] = []
    looks: list[tuple[Any, dict[str, dict[str, Any]]]] = []
    there: dict[str, dict[str, Any]] = {}
    for number, (look, hidden, pause) in enumerate(history):
        clock.advance(pause)
        there = _next(there, look, hidden)
        report = recorder.look("qemu", look, cluster=cluster, unseen=hidden - set(look))
        assert report.history_rows == 0 or not copies or copies[-1][1] != there
        began = state.reader().whole_at(cluster)
        taken = state.writer().snapshot(cluster, str(number)).taken_at
        copies.append((taken, dict(there)))
        looks.append((began, dict(there)))
    _check_every_moment(state, cluster, looks)
    _check_differences(state, cluster, copies)
    _check_replay(state, cluster, copies)
    _check_intervals(state, cluster)


def _check_every_moment(
    state: State, cluster: str, looks: list[tuple[Any, dict[str, dict[str, Any]]]]
) -> None:
    """At every t: right at a look, right before it, and anywhere between two of them."""
    reader, instant = state.reader(), timedelta(microseconds=1)
    shown: dict[str, dict[str, Any]] = {}
    for (began, there), (ended, _) in pairwise([*looks, (looks[-1][0] + timedelta(days=1), {})]):
        moments = {began - instant: shown, began: there, began + (ended - began) / 2: there}
        for moment, copy in moments.items():
            assert {one.key: one.config for one in reader.at(cluster, moment)} == copy
        shown = there


def _check_differences(
    state: State, cluster: str, copies: list[tuple[Any, dict[str, dict[str, Any]]]]
) -> None:
    for since, before in copies[::3]:
        for until, after in copies[::2]:
            if since > until:
                continue
            # A vmid may be another guest at both ends: then it is one removed and one created.
            found = state.reader().diff(cluster, since, until)
            touched = {change.key for change in found}
            assert touched == {
                key for key in before.keys() | after.keys() if before.get(key) != after.get(key)
            }
            for change in found:
                if change.kind is ChangeKind.CHANGED:
                    old, new = before[change.key], after[change.key]
                    assert {field.path for field in change.fields} == {
                        name for name in old.keys() | new.keys() if old.get(name) != new.get(name)
                    }


def _check_intervals(state: State, cluster: str) -> None:
    for resource in state.reader().resources(cluster):
        intervals = state.reader().observations(resource.uid)
        for one, following in pairwise(intervals):
            assert one.valid_to is not None
            assert one.valid_from < one.valid_to <= following.valid_from
            assert one.valid_to < following.valid_from or one.hash != following.hash


def _check_replay(
    state: State, cluster: str, copies: list[tuple[Any, dict[str, dict[str, Any]]]]
) -> None:
    """Every change by itself, applied one after the other, gives every moment."""
    changes = state.reader().changes(cluster, copies[0][0] - timedelta(days=1))
    for moment, copy in copies:
        there: dict[str, dict[str, Any]] = {}
        gone: dict[str, dict[str, Any]] = {}  # what each was like when it was last there
        for change in changes:
            if change.at > moment:
                break
            if change.action == "vanished":
                del there[change.key]
                continue
            if change.action == "created":
                there[change.key] = {}
            elif change.action == "returned":
                there[change.key] = dict(gone[change.uid])
            config = there[change.key]
            for field in change.fields:
                assert config.get(field.path) == field.old
                if field.new is None:
                    del config[field.path]
                else:
                    config[field.path] = field.new
            gone[change.uid] = dict(config)
        assert there == copy
