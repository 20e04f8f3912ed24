"""The faults that are in force, and where the cluster asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import attrs

from proxmox_client.testing import nodelife
from proxmox_client.testing.auth import TICKET_LIFETIME
from proxmox_client.testing.faults.kinds import (
    Answer,
    ClockSkew,
    Drop,
    ExpiredTickets,
    FailingTask,
    Fault,
    FullStorage,
    HeldLock,
    Latency,
    Moment,
    NodeOffline,
    NoQuorum,
    SlowTasks,
    SomebodyElse,
    TicketLifetime,
)
from proxmox_client.testing.locks import guest_lock_file
from proxmox_client.testing.request import ConnectionLost, PveFault, SimRequest

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.tasks import TaskRecord

AtRequests = Latency | Drop | Answer | SomebodyElse
_F = TypeVar("_F", Latency, Drop, Answer, SomebodyElse)


@attrs.define(eq=False)
class ActiveFault:
    """A fault in force; usable as a context that removes it at its end.

    Attributes:
        fault: What it is.
        seen: How many requests or tasks it would have struck.
        hits: How many it did strike.
    """

    fault: Fault
    _box: Faults = attrs.field(repr=False)
    seen: int = 0
    hits: int = 0

    def remove(self) -> None:
        """End the fault; a node that was gone starts to come back."""
        self._box.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()


class Faults:
    """All faults of a cluster: ``cluster.faults``."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster
        self._active: list[ActiveFault] = []

    def __iter__(self) -> Iterator[ActiveFault]:
        return iter(tuple(self._active))

    def add(self, fault: Fault) -> ActiveFault:
        """Let something go wrong from now on.

        Raises:
            KeyError: It names a node, guest or storage that does not exist.
        """
        active = ActiveFault(fault, self)
        with self._cluster.clock.lock:
            self._begin(fault)
            self._active.append(active)
        return active

    def remove(self, active: ActiveFault) -> None:
        """End a fault; one that has ended already stays so."""
        if active not in self._active:
            return
        with self._cluster.clock.lock:
            self._active.remove(active)
            self._end(active.fault)

    def clear(self) -> None:
        """End all faults."""
        for active in self:
            self.remove(active)

    def saved(self) -> list[tuple[Fault, int, int]]:
        """Return the faults in force, with what they have seen and hit so far."""
        return [(active.fault, active.seen, active.hits) for active in self._active]

    def restore(self, saved: list[tuple[Fault, int, int]]) -> None:
        """Put faults in force whose effects are already there."""
        self._active = [ActiveFault(fault, self, seen, hits) for fault, seen, hits in saved]

    def _begin(self, fault: Fault) -> None:
        cluster = self._cluster
        match fault:
            case NodeOffline():
                nodelife.lose(cluster, cluster.nodes[fault.node], fault.how)
            case FullStorage():
                cluster.volumes.full.add(cluster.storages[fault.storage].name)
            case HeldLock():
                name = fault.lock
                path = name if isinstance(name, str) else guest_lock_file(cluster.guests[name])
                cluster.locks.take(path, until=cluster.clock.now() + fault.seconds)
            case ExpiredTickets():
                cluster.auth.expire_tickets(fault.userid)
            case TicketLifetime():
                cluster.auth.lifetime = fault.seconds
            case ClockSkew():
                cluster.nodes[fault.node].skew += fault.seconds
            case _:
                pass

    def _end(self, fault: Fault) -> None:
        cluster = self._cluster
        match fault:
            case NodeOffline():
                nodelife.bring_back(cluster, cluster.nodes[fault.node])
            case FullStorage():
                cluster.volumes.full.discard(fault.storage)
            case TicketLifetime():
                cluster.auth.lifetime = TICKET_LIFETIME
            case ClockSkew():
                cluster.nodes[fault.node].skew -= fault.seconds
            case _:
                pass

    # --- where the cluster asks ---------------------------------------------------------------

    @property
    def no_quorum(self) -> bool:
        """Whether quorum is lost by decree."""
        return any(isinstance(active.fault, NoQuorum) for active in self._active)

    def before(self, request: SimRequest, via: str) -> Iterator[float]:
        """Strike a request that has just come in: yields seconds by which it is late.

        Raises:
            PveFault: An error is to be answered.
            ConnectionLost: No answer is to be given.
        """
        if not self._active:
            return
        for late in self._struck(Latency, request, via):
            yield late.seconds + self._cluster.random.random() * late.jitter
        self._others("before", request, via)
        for drop in self._struck(Drop, request, via, "before"):
            raise ConnectionLost(f"dropped before {request.method} {request.path} ({drop.when})")
        for answer in self._struck(Answer, request, via):
            raise PveFault(answer.status, answer.reason)

    def after(self, request: SimRequest, via: str) -> None:
        """Strike a request that has been carried out.

        Raises:
            ConnectionLost: No answer is to be given.
        """
        if not self._active:
            return
        self._others("after", request, via)
        for drop in self._struck(Drop, request, via, "after"):
            raise ConnectionLost(f"dropped {drop.when} {request.method} {request.path}")

    def _others(self, when: Moment, request: SimRequest, via: str) -> None:
        for somebody in self._struck(SomebodyElse, request, via, when):
            somebody.does(self._cluster)

    def _struck(
        self, kind: type[_F], request: SimRequest, via: str, when: Moment | None = None
    ) -> Iterator[_F]:
        for active in tuple(self._active):
            fault = active.fault
            if not isinstance(fault, kind) or when not in (None, getattr(fault, "when", None)):
                continue
            where = fault.where
            if not where.covers(request.method, request.path, via):
                continue
            active.seen += 1
            if active.seen > where.skip and (where.times is None or active.hits < where.times):
                active.hits += 1
                yield fault

    def pace(self, task: TaskRecord) -> float:
        """Return how many times as long as usual a task takes."""
        factor = 1.0
        for active in self._active:
            fault = active.fault
            if isinstance(fault, SlowTasks) and _is_about(fault, task):
                factor *= fault.factor
        return factor

    def failure(self, task: TaskRecord, *, ending: bool) -> str | None:
        """Return the text a task fails with now, if one of the faults says so."""
        for active in self._active:
            fault = active.fault
            if not isinstance(fault, FailingTask) or not _is_about(fault, task):
                continue
            if active.hits < fault.times and (ending or task.percent() >= fault.percent):
                active.hits += 1
                return fault.message
        return None


def _is_about(fault: SlowTasks | FailingTask, task: TaskRecord) -> bool:
    return fault.kind in ("", task.upid.type) and fault.id in ("", task.upid.id)
