"""The integrity check finds what somebody changed behind our back, and nothing else."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from pmpc_state import State, check
from pmpc_state.testing import Recorder
from proxmox_client.testing.clock import VirtualClock


@pytest.fixture
def filled(state: State, recorder: Recorder, clock: VirtualClock) -> State:
    for memory in (1, 2, 3):
        recorder.look("qemu", {"100": {"memory": memory}, "101": {"memory": 1}})
        clock.advance(60)
        state.writer().snapshot("lab", f"after-{memory}")
        state.writer().audit.append(actor="alice", action="look", subject=str(memory))
    for there in ({}, {"102": {"memory": 1}}, {}):  # comes, goes, and comes back as the same
        recorder.look("lxc", there)
        clock.advance(60)
    recorder.look("lxc", {"102": {"memory": 1}})
    recorder.look("qemu", {"100": {"memory": 3}})
    return state


def test_a_whole_database_has_no_problem(filled: State) -> None:
    assert check(filled) == ()


@pytest.mark.parametrize(
    ("damage", "areas"),
    [
        ("UPDATE blob SET body = '{}' WHERE id = 1", "blob"),
        (
            "UPDATE observation SET valid_to = NULL WHERE end_task IS NULL AND resource_id IN "
            "(SELECT id FROM resource WHERE key = '101')",
            "resource",
        ),
        (
            "UPDATE observation SET valid_to = valid_to + 1000000 WHERE id = "
            "(SELECT min(id) FROM observation)",
            "interval",
        ),
        (
            "UPDATE observation SET valid_to = valid_to - 1 WHERE id = "
            "(SELECT min(id) FROM observation)",
            "interval snapshot",
        ),
        (
            "UPDATE observation SET valid_to = valid_to - 1000000 WHERE id = "
            "(SELECT min(id) FROM observation)",
            "interval snapshot",
        ),
        (
            "UPDATE observation SET valid_to = valid_to + 1 WHERE valid_to IS NOT NULL AND "
            "resource_id IN (SELECT id FROM resource WHERE key = '101')",
            "interval",
        ),
        (
            "UPDATE observation SET valid_to = valid_from + 1 WHERE valid_to IS NULL",
            "resource snapshot",
        ),
        (
            "UPDATE observation SET valid_to = valid_to + 1 WHERE valid_to = "
            "(SELECT vanished_at FROM resource WHERE key = '101')",
            "interval",
        ),
        ("DELETE FROM snapshot WHERE name = 'nothing'", ""),
        ("UPDATE snapshot SET root_hash = 'x' WHERE name = 'after-2'", "snapshot"),
        ("UPDATE audit SET actor = 'mallory' WHERE seq = 2", "audit"),
        ("DELETE FROM audit WHERE seq = 2", "audit"),
    ],
)
def test_damage_is_found_and_named(filled: State, url: str, damage: str, areas: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(damage))
    engine.dispose()
    problems = check(filled)
    assert {one.area for one in problems} == set(areas.split()), problems
    assert all(one.subject and one.message for one in problems)
