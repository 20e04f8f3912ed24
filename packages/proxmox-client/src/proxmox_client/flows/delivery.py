"""Delivering one request: retries and fail-over between servers."""

from __future__ import annotations

import attrs

from proxmox_client.errors import AmbiguousWrite, ApiError, NodeUnreachable, PveError, TlsError
from proxmox_client.flows.effects import Flow, Lost, Stage, now, roll, sleep
from proxmox_client.flows.reporting import Report
from proxmox_client.flows.session import Session
from proxmox_client.wire.answer import Answer, read_answer, read_failure
from proxmox_client.wire.params import sent_params
from proxmox_client.wire.request import Request, Response
from proxmox_client.wire.secrets import purge, secrets_of
from proxmox_client.wire.sentences import TRANSIENT


def deliver(session: Session, request: Request) -> Flow[Answer]:
    """Send a request, with the session's credentials as they are, until it is answered.

    Raises:
        AmbiguousWrite: A write may have been carried out and nobody said so.
        ConnectError: No answer, within the policy's patience.
        ApiError: The server refused.
    """
    authorised = session.authorised(request)
    if session.timeout is not None:
        authorised = attrs.evolve(authorised, timeout=session.timeout)
    route = session.route
    started = sent_at = yield from now()
    failures = 0
    tried: set[str] = set()
    report = Report(session.watch, request)
    while True:
        server = route.current
        outcome = yield from report.sent(authorised.to_server(server))
        if isinstance(outcome, Response) and outcome.status not in TRANSIENT:
            return _read(authorised, outcome)
        if _may_go_elsewhere(request, outcome) and route.leave(server, tried):
            report.again(0.0)
            continue
        error = _explain(request, outcome, sent_at)
        if not _may_repeat(request, outcome):
            raise _purged(error, authorised)
        tried.clear()
        failures += 1
        elapsed = (yield from now()) - started
        delay = session.retry.delay(failures, (yield from roll()))
        if not session.retry.allows(failures, elapsed, delay):
            raise _purged(error, authorised)
        report.again(delay)
        yield from sleep(delay)
        sent_at = yield from now()


def _read(authorised: Request, response: Response) -> Answer:
    try:
        return read_answer(authorised, response)
    except ApiError as error:
        purge(error, secrets_of(authorised))
        raise


def _purged(error: PveError, authorised: Request) -> PveError:
    """Return the error, and what caused it, without the secrets of the request."""
    secrets = secrets_of(authorised)
    purge(error, secrets)
    if isinstance(error.__cause__, PveError):
        purge(error.__cause__, secrets)
    return error


def _may_go_elsewhere(request: Request, outcome: Response | Lost) -> bool:
    """Say whether another server may be asked at once.

    A server that shows a wrong certificate is told of, not passed over.
    """
    if not isinstance(outcome, Lost) or (outcome.lasting and isinstance(outcome.error, TlsError)):
        return False
    return request.replayable or outcome.stage is Stage.NOT_SENT


def _may_repeat(request: Request, outcome: Response | Lost) -> bool:
    if isinstance(outcome, Lost):
        return not outcome.lasting and (request.replayable or outcome.stage is Stage.NOT_SENT)
    return request.replayable


def _explain(request: Request, outcome: Response | Lost, sent_at: float) -> PveError:
    """Return what to raise if this outcome stands."""
    if isinstance(outcome, Lost):
        if outcome.stage is Stage.MAYBE_SENT and not request.replayable:
            return _ambiguous(request, outcome.error, getattr(outcome.error, "why", ""), sent_at)
        return outcome.error
    failure = read_failure(request, outcome)
    if isinstance(failure, NodeUnreachable) and failure.sent and not request.replayable:
        return _ambiguous(request, failure, f"{failure.reason} ({failure.status})", sent_at)
    return failure


def _ambiguous(request: Request, cause: PveError, why: str, sent_at: float) -> AmbiguousWrite:
    error = AmbiguousWrite(
        request.operation,
        request.method,
        request.address,
        why or "the connection was lost",
        sent_params(request),
        sent_at,
    )
    error.__cause__ = cause
    return error
