"""What can come between a call and its effect, as the executor tells it apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


class StepFailure(Exception):
    """The step cannot be brought to its effect; the message says why."""


class Wait(Exception):
    """Something has to pass first, such as a lock; then the step looks again."""


class Crowded(Wait):
    """A lock was not to be had in time: too many are at it, so nobody else gets the place."""


class NoQuorumWait(Wait):
    """The server refused because the cluster has no quorum; until it has, nothing is sent."""


class Absent(Exception):
    """The server says something does not exist: the guest, if it moved, or what it refers to."""


class Taken(Exception):
    """The id asked for belongs to somebody else."""


@attrs.frozen
class Call:
    """One write request a step needs next.

    Attributes:
        name: What it is for within its step, such as `resize scsi0`.
        method: HTTP method.
        path: Path below `/api2/json`.
        params: What is sent; may hold secrets, so it is never shown or stored.
        intent: What the journal keeps of it: enough to find its effect after a crash.
        keeps: Names of what the journal keeps of its answer, where the effect cannot be seen.
    """

    name: str
    method: str
    path: str
    params: Mapping[str, object] = attrs.field(factory=dict[str, object], repr=False)
    intent: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    keeps: tuple[str, ...] = ()
