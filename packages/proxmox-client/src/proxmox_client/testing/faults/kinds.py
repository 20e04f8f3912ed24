"""The kinds of faults: plain values that say what goes wrong and where."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import attrs
from attrs import validators

from proxmox_client.testing.nodelife import Loss
from proxmox_client.testing.request import PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Moment = Literal["before", "after"]
_MOMENT = validators.in_(get_args(Moment))
_LOSS = validators.in_(get_args(Loss))
_SECONDS = validators.ge(0.0)


@attrs.frozen
class Where:
    """Which requests a fault strikes; the default is all of them, for ever.

    Attributes:
        method: HTTP method; empty for all.
        path: Shell pattern for the path below ``/api2/json``; a star matches slashes too.
        via: Node that is asked; empty for all.
        skip: How many matching requests pass first.
        times: How many are struck then; None for all that follow.
    """

    method: str = ""
    path: str = "*"
    via: str = ""
    skip: int = 0
    times: int | None = None

    def covers(self, method: str, path: str, via: str) -> bool:
        """Whether a request is one of them, not counting."""
        return (
            self.method in ("", method)
            and self.via in ("", via)
            and fnmatch.fnmatchcase(path.partition("?")[0], self.path)
        )


@attrs.frozen
class Latency:
    """Answers come late: by ``seconds``, plus chance between 0 and ``jitter``."""

    seconds: float = attrs.field(validator=_SECONDS)
    jitter: float = attrs.field(default=0.0, validator=_SECONDS)
    where: Where = Where()


@attrs.frozen
class Drop:
    """The connection ends without an answer, ``before`` anything happened or ``after`` it did."""

    when: Moment = attrs.field(default="before", validator=_MOMENT)
    where: Where = Where(times=1)


@attrs.frozen
class Answer:
    """The server answers an error instead of doing anything."""

    status: int = attrs.field(validator=(validators.ge(200), validators.lt(600)))
    reason: str
    where: Where = Where(times=1)


@attrs.frozen
class Edit:
    """A call of somebody else's, at once and without asking for his privileges.

    Attributes:
        method: HTTP method.
        path: Path below ``/api2/json``.
        params: Parameters.
        user: Whose name tasks and logs show.
    """

    method: str
    path: str
    params: Mapping[str, object] = attrs.field(factory=dict[str, object])
    user: str = "alice@pve"

    def __call__(self, cluster: SimulatedCluster) -> None:
        """Do it.

        Raises:
            RuntimeError: The cluster refuses; that is a mistake in the test, not our answer.
        """
        try:
            cluster.call(self.method, self.path, self.params, user=self.user)
        except PveFault as fault:
            what = f"{self.user} cannot {self.method} {self.path}"
            raise RuntimeError(f"{what}: {fault.message} {fault.errors or ''}") from fault


@attrs.define
class Script:
    """Edits of somebody else's, the next one each time.

    Attributes:
        edits: What he does, in order.
        done: How many he has done.
    """

    edits: Sequence[Edit]
    done: int = 0

    def __call__(self, cluster: SimulatedCluster) -> None:
        """Do the next edit, if any is left."""
        if self.done < len(self.edits):
            self.done += 1
            self.edits[self.done - 1](cluster)


@attrs.frozen
class SomebodyElse:
    """Somebody else does something between two calls of ours.

    Attributes:
        does: What he does: an `Edit`, a `Script`, or a function that gets the cluster
            (`SimulatedCluster.call`, `edit` and so on).
        when: Before the struck request is carried out, or after it and before its answer.
        where: At which requests.
    """

    does: Callable[[SimulatedCluster], object]
    when: Moment = attrs.field(default="before", validator=_MOMENT)
    where: Where = Where(times=1)


@attrs.frozen
class SlowTasks:
    """Tasks take ``factor`` times as long: all of them, of a kind, or about one guest."""

    factor: float = attrs.field(validator=validators.gt(0.0))
    kind: str = ""
    id: str = ""


@attrs.frozen
class FailingTask:
    """A task fails on the way.

    Attributes:
        kind: Its type (``qmclone``); empty for any.
        id: What it is about; empty for anything.
        message: Its exit status.
        percent: Fail when the log says that much is done; tasks that never say fail at the end.
        times: How many tasks fail.
    """

    kind: str = ""
    id: str = ""
    message: str = "unexpected failure"
    percent: float = attrs.field(default=0.0, validator=(validators.ge(0.0), validators.le(100.0)))
    times: int = 1


@attrs.frozen
class NodeOffline:
    """A node is gone until the fault is removed: ``processes``, ``power`` or ``silent``."""

    node: str
    how: Loss = attrs.field(default="power", validator=_LOSS)


@attrs.frozen
class NoQuorum:
    """The cluster has no quorum until the fault is removed, though its nodes answer."""


@attrs.frozen
class FullStorage:
    """A storage has no space left until the fault is removed."""

    storage: str


@attrs.frozen
class HeldLock:
    """Somebody holds a lock for some seconds: a guest's (by its vmid) or one by name."""

    lock: int | str
    seconds: float = attrs.field(validator=_SECONDS)


@attrs.frozen
class ExpiredTickets:
    """The tickets made so far are no longer good: everybody's or one user's."""

    userid: str = ""


@attrs.frozen
class TicketLifetime:
    """Tickets, old ones too, are good for so many seconds only until the fault is removed."""

    seconds: float = attrs.field(validator=_SECONDS)


@attrs.frozen
class ClockSkew:
    """A node's clock is wrong by some seconds until the fault is removed."""

    node: str
    seconds: float


Fault = (
    Latency | Drop | Answer | SomebodyElse | SlowTasks | FailingTask | NodeOffline | NoQuorum
    | FullStorage | HeldLock | ExpiredTickets | TicketLifetime | ClockSkew
)  # fmt: skip
