"""One call: authorise, send, retry what may be retried, read the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from proxmox_client.errors import AmbiguousWrite, NodeUnreachable, PveError
from proxmox_client.flows.effects import Flow, Lost, Stage, now, roll, send, sleep
from proxmox_client.flows.retry import RetryPolicy
from proxmox_client.values.token import ApiToken
from proxmox_client.wire.answer import Answer, read_answer, read_failure
from proxmox_client.wire.operation import Operation
from proxmox_client.wire.params import build_raw_request, build_request
from proxmox_client.wire.request import Request, Response
from proxmox_client.wire.sentences import TRANSIENT

T = TypeVar("T")


@attrs.frozen
class Session:
    """Who asks, and how patiently.

    Attributes:
        token: The API token.
        retry: When to send again.
    """

    token: ApiToken
    retry: RetryPolicy

    def authorised(self, request: Request) -> Request:
        """Return the request with its credentials."""
        return request.with_headers({"Authorization": self.token.authorization})


def perform(
    session: Session,
    op: Operation[T],
    placeholders: Mapping[str, str | int],
    params: Mapping[str, object],
) -> Flow[T]:
    """Call an operation and return its decoded result."""
    answer = yield from ask(session, build_request(op, placeholders, params))
    return op.decode(answer.data)


def perform_raw(
    session: Session, method: str, path: str, params: Mapping[str, object]
) -> Flow[Any]:
    """Call a path and return the value under `data`."""
    answer = yield from ask(session, build_raw_request(method, path, params))
    return answer.data


def ask(session: Session, request: Request) -> Flow[Answer]:
    """Send a request until it is answered, and read the answer.

    Raises:
        AmbiguousWrite: A write may have been carried out and nobody said so.
        ConnectError: No answer, within the policy's patience.
        ApiError: The server refused.
    """
    authorised = session.authorised(request)
    started = yield from now()
    failures = 0
    while True:
        outcome = yield from send(authorised)
        if isinstance(outcome, Response) and outcome.status not in TRANSIENT:
            return read_answer(request, outcome)
        error = _explain(request, outcome)
        if not _may_repeat(request, outcome):
            raise error
        failures += 1
        elapsed = (yield from now()) - started
        delay = session.retry.delay(failures, (yield from roll()))
        if not session.retry.allows(failures, elapsed, delay):
            raise error
        yield from sleep(delay)


def _may_repeat(request: Request, outcome: Response | Lost) -> bool:
    if isinstance(outcome, Lost):
        return not outcome.lasting and (request.replayable or outcome.stage is Stage.NOT_SENT)
    return request.replayable


def _explain(request: Request, outcome: Response | Lost) -> PveError:
    """Return what to raise if this outcome stands."""
    if isinstance(outcome, Lost):
        if outcome.stage is Stage.MAYBE_SENT and not request.replayable:
            return _ambiguous(request, outcome.error, getattr(outcome.error, "why", ""))
        return outcome.error
    failure = read_failure(request, outcome)
    if isinstance(failure, NodeUnreachable) and failure.sent and not request.replayable:
        return _ambiguous(request, failure, f"{failure.reason} ({failure.status})")
    return failure


def _ambiguous(request: Request, cause: PveError, why: str) -> AmbiguousWrite:
    error = AmbiguousWrite(
        request.operation, request.method, request.address, why or "the connection was lost"
    )
    error.__cause__ = cause
    return error
