"""Leases: one holder at a time, tokens only grow, the loser cannot write."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from pmpc_state import Lease, LeaseHeld, LeaseLost, State, this_process
from pmpc_state.repositories.holders import is_dead
from proxmox_client.testing.clock import VirtualClock


def test_a_held_lease_is_refused_and_says_who_holds_it(state: State) -> None:
    leases = state.writer().leases
    leases.acquire("sync/lab", holder="alice", seconds=60)
    with pytest.raises(LeaseHeld, match="alice") as caught:
        leases.acquire("sync/lab", holder="bob", seconds=60)
    assert caught.value.holder == "alice"
    assert leases.acquire("sync/other", holder="bob", seconds=60).token == 1


def test_tokens_grow_through_release_and_expiry(state: State, clock: VirtualClock) -> None:
    leases = state.writer().leases
    first = leases.acquire("x", holder="a", seconds=60)
    leases.release(first)
    second = leases.acquire("x", holder="b", seconds=60)
    clock.advance(61)
    third = leases.acquire("x", holder="c", seconds=60)
    assert (first.token, second.token, third.token) == (1, 2, 3)
    with pytest.raises(LeaseLost):
        leases.check(second)
    with pytest.raises(LeaseLost):
        leases.renew(first, seconds=60)
    leases.release(second)  # the loser gives nothing away
    leases.check(third)
    assert state.reader().leases.get("x") == third
    assert state.reader().leases.get("y") is None
    leases.release(third)
    assert state.reader().leases.get("x") is None


def test_an_expired_lease_nobody_took_can_be_renewed(state: State, clock: VirtualClock) -> None:
    leases = state.writer().leases
    held = leases.acquire("x", holder="a", seconds=60)
    clock.advance(600)
    renewed = leases.renew(held, seconds=60)
    assert renewed.token == held.token
    with pytest.raises(LeaseHeld):
        leases.acquire("x", holder="b", seconds=60)


def test_a_dead_holder_on_this_machine_is_not_waited_for(url: str, state: State) -> None:
    program = (
        "from pmpc_state import State, this_process; import sys\n"
        "with State.open(sys.argv[1]) as state:\n"
        "    lease = state.writer().leases.acquire('x', holder=this_process(), seconds=9e9)\n"
        "    print(lease.holder)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, url], check=True, capture_output=True, text=True
    )
    assert is_dead(done.stdout.strip())
    assert state.writer().leases.acquire("x", holder=this_process(), seconds=60).token == 2


def test_a_living_or_foreign_holder_is_not_dead() -> None:
    assert not is_dead(this_process())
    assert not is_dead("alice")
    assert not is_dead("elsewhere:boot-1:1:1")


def test_of_many_at_once_exactly_one_gets_it(state: State) -> None:
    start = threading.Barrier(8)
    won: list[Lease] = []
    lost: list[LeaseHeld] = []

    def try_it(number: int) -> None:
        leases = state.writer().leases
        start.wait()
        try:
            won.append(leases.acquire("x", holder=f"worker {number}", seconds=60))
        except LeaseHeld as error:
            lost.append(error)

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)


def test_taking_turns_never_repeats_a_token(state: State) -> None:
    tokens: list[int] = []

    def work() -> None:
        leases = state.writer().leases
        for _ in range(5):
            held = leases.acquire("x", holder="w", seconds=0)
            tokens.append(held.token)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(tokens) == list(range(1, 21))


def test_a_fenced_transaction_keeps_the_lease_until_it_ends(state: State) -> None:
    held = state.writer().leases.acquire("x", holder="a", seconds=0)
    taken = threading.Event()

    def take_over() -> None:
        state.writer().leases.acquire("x", holder="b", seconds=60)
        taken.set()

    thief = threading.Thread(target=take_over)
    with state.transaction() as writer:
        writer.leases.check(held)
        thief.start()
        assert not taken.wait(0.2)
    thief.join()
    with pytest.raises(LeaseLost), state.transaction() as writer:
        writer.leases.check(held)


def test_a_process_that_holds_a_lease_is_named_as_people_name_it() -> None:
    shown = str(LeaseHeld("sync/lab", "box:3f2a-4026531836:4711:99", "2026-11-22T14:00:00+00:00"))
    assert "process 4711 on box holds it until" in shown
    assert "somebody holds it" in str(LeaseHeld("sync/lab", "somebody", "later"))
