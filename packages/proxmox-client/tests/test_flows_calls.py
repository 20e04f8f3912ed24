"""Calls and their retries, pumped without network: every fault at every step."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxmox_client import (
    AmbiguousWrite,
    ApiToken,
    AuthenticationFailed,
    ConnectError,
    FingerprintMismatch,
    NodeUnreachable,
    PveError,
    RetryPolicy,
)
from proxmox_client.flows.call import Session, ask, perform, perform_raw
from proxmox_client.flows.drivers import AsyncDriver, SyncDriver
from proxmox_client.flows.effects import Emit, Flow, Lost, Stage
from proxmox_client.wire.operation import Operation, Safety
from proxmox_client.wire.params import build_raw_request
from proxmox_client.wire.request import Request, Response

T = TypeVar("T")
SECRET = "0b7c6f6e-1111-2222-3333-444455556666"
SESSION = Session(ApiToken("root@pam", "test", SECRET), RetryPolicy())
READ = build_raw_request("GET", "/version", {})
WRITE = build_raw_request("PUT", "/nodes/pve1/qemu/100/config", {"name": "a"})


def ok(data: Any = "fine") -> Response:
    return Response(200, "OK", json.dumps({"data": data}).encode())


def lost(stage: Stage, *, lasting: bool = False) -> Lost:
    return Lost(stage, ConnectError("pve1", 8006, "gone"), lasting)


NOT_SENT = lost(Stage.NOT_SENT)
MAYBE_SENT = lost(Stage.MAYBE_SENT)


@attrs.define
class World:
    """A scripted server and a clock that only sleeping moves."""

    script: list[Response | Lost]
    time: float = 1000.0
    cost: float = 0.0
    sent: list[Request] = attrs.field(factory=list[Request])
    slept: list[float] = attrs.field(factory=list[float])

    def send(self, request: Request) -> Response | Lost:
        self.sent.append(request)
        self.time += self.cost
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def now(self) -> float:
        return self.time

    def run(self, flow: Flow[T]) -> T:
        return SyncDriver(self.send, self.sleep, self.now, lambda: 0.5).run(flow)


def world(*script: Response | Lost, cost: float = 0.0) -> World:
    return World(list(script), cost=cost)


def test_answer_of_a_read() -> None:
    net = world(ok({"version": "9.2"}))
    assert net.run(perform_raw(SESSION, "GET", "/version", {})) == {"version": "9.2"}
    assert net.sent[0].headers["Authorization"] == f"PVEAPIToken=root@pam!test={SECRET}"


def test_operation_decodes_what_is_under_data() -> None:
    op = Operation("version.get", "GET", "/version", lambda data: len(data), Safety.READ)
    assert world(ok([1, 2, 3])).run(perform(SESSION, op, {}, {})) == 3


@pytest.mark.parametrize(
    "fault",
    [NOT_SENT, MAYBE_SENT, *(Response(s, "x") for s in (502, 503, 504, 595, 596, 599))],
    ids=lambda fault: str(getattr(fault, "status", getattr(fault, "stage", ""))),
)
def test_read_outlives_two_faults(fault: Response | Lost) -> None:
    net = world(fault, fault, ok())
    assert net.run(ask(SESSION, READ)).data == "fine"
    assert len(net.sent) == 3
    assert net.slept == pytest.approx([0.15, 0.3])


def test_third_fault_of_a_read_is_told() -> None:
    net = world(NOT_SENT)
    with pytest.raises(ConnectError, match="gone"):
        net.run(ask(SESSION, READ))
    assert len(net.sent) == 3


def test_deadline_ends_retries() -> None:
    net = world(NOT_SENT, cost=31.0)
    with pytest.raises(ConnectError):
        net.run(ask(SESSION, READ))
    assert len(net.sent) == 1


def test_what_cannot_change_is_not_repeated() -> None:
    net = world(lost(Stage.NOT_SENT, lasting=True))
    with pytest.raises(ConnectError):
        net.run(ask(SESSION, READ))
    assert len(net.sent) == 1


def test_write_that_left_nothing_behind_is_sent_again() -> None:
    net = world(NOT_SENT, ok(None))
    assert net.run(ask(SESSION, WRITE)).data is None
    assert len(net.sent) == 2


@pytest.mark.parametrize("status", [502, 504, 596, 599])
def test_write_with_a_doubtful_answer_is_ambiguous(status: int) -> None:
    net = world(Response(status, "Connection reset by peer"))
    with pytest.raises(AmbiguousWrite) as caught:
        net.run(ask(SESSION, WRITE))
    assert len(net.sent) == 1
    assert isinstance(caught.value.__cause__, NodeUnreachable)
    assert "cannot tell whether PUT /nodes/pve1/qemu/100/config took effect" in str(caught.value)


def test_write_that_never_reached_its_node_says_so() -> None:
    net = world(Response(595, "No route to host"))
    with pytest.raises(NodeUnreachable, match="nothing was changed"):
        net.run(ask(SESSION, WRITE))
    assert len(net.sent) == 1


def test_refusals_are_not_repeated() -> None:
    net = world(Response(401, "No ticket"))
    with pytest.raises(AuthenticationFailed, match="No ticket"):
        net.run(ask(SESSION, READ))
    assert len(net.sent) == 1


faults = st.sampled_from(
    [NOT_SENT, MAYBE_SENT, *(Response(s, "x") for s in (500, 502, 503, 504, 595, 596))]
)


@given(st.lists(faults, max_size=6))
def test_write_never_leaves_twice(script: Iterable[Response | Lost]) -> None:
    """Counters: whatever happens, at most one sending of a write may have left this machine."""
    net = world(*script, ok(None))
    left = 0

    def counting(request: Request) -> Response | Lost:
        nonlocal left
        outcome = net.send(request)
        left += not (isinstance(outcome, Lost) and outcome.stage is Stage.NOT_SENT)
        return outcome

    driver = SyncDriver(counting, net.sleep, net.now, lambda: 0.0)
    with contextlib.suppress(PveError):
        driver.run(ask(SESSION, WRITE))
    assert left <= 1


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_delays_grow_to_a_limit(failures: int, dice: float) -> None:
    policy = RetryPolicy()
    assert policy.first_delay / 2 <= policy.delay(failures, dice) <= policy.max_delay


def test_no_error_shows_the_secret() -> None:
    outcomes: tuple[Response | Lost, ...] = (NOT_SENT, MAYBE_SENT, Response(596, "x"))
    for outcome in outcomes:
        for request in (READ, WRITE):
            with pytest.raises((ConnectError, AmbiguousWrite, NodeUnreachable)) as caught:
                world(outcome).run(ask(SESSION, request))
            assert SECRET not in f"{caught.value} {caught.value!r}"
    assert SECRET not in repr(SESSION)


def _emitting(receiver: Callable[[str], object]) -> Flow[str]:
    yield Emit(receiver, "line")
    return "done"


async def test_both_drivers_perform_every_effect() -> None:
    net = world(NOT_SENT, ok(7))

    async def send(request: Request) -> Response | Lost:
        return net.send(request)

    async def sleep(seconds: float) -> None:
        net.sleep(seconds)

    driver = AsyncDriver(send, sleep, net.now, lambda: 0.0)
    assert (await driver.run(ask(SESSION, READ))).data == 7
    assert net.slept == [0.1]
    lines: list[str] = []
    assert await driver.run(_emitting(lines.append)) == "done"
    assert net.run(_emitting(lines.append)) == "done"
    assert lines == ["line", "line"]


def test_driver_closes_the_flow_when_an_effect_raises() -> None:
    closed: list[bool] = []

    def flow() -> Flow[None]:
        try:
            yield from ask(SESSION, READ)
        finally:
            closed.append(True)

    def refuse(request: Request) -> Response | Lost:
        raise FingerprintMismatch("pve1", 8006, "no")

    with pytest.raises(FingerprintMismatch):
        SyncDriver(refuse, lambda s: None, lambda: 0.0).run(flow())
    assert closed == [True]
