"""One call: authorise, deliver, read the answer; log in again where a ticket was refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

from proxmox_client.errors import AmbiguousWrite, AuthenticationFailed
from proxmox_client.flows.delivery import deliver
from proxmox_client.flows.effects import Flow
from proxmox_client.flows.login import again, ready
from proxmox_client.flows.session import KnownServer as KnownServer
from proxmox_client.flows.session import Session as Session
from proxmox_client.flows.versions import assure, assure_named, note_version
from proxmox_client.wire.answer import Answer
from proxmox_client.wire.operation import Operation
from proxmox_client.wire.params import build_raw_request, build_request
from proxmox_client.wire.request import Request
from proxmox_client.wire.sentences import refused_at_the_door

T = TypeVar("T")


def perform(
    session: Session,
    op: Operation[T],
    placeholders: Mapping[str, str | int],
    params: Mapping[str, object],
) -> Flow[T]:
    """Call an operation and return its decoded result.

    Raises:
        VersionUnsupported: The server's version lacks it; nothing but the question was sent.
        PveError: As in `ask`, or the request cannot be built.
    """
    request = build_request(op, placeholders, params)
    if session.server is not None:
        yield from assure(session.server, partial(ask, session), op, params)
    answer = yield from settled(session, request)
    note_version(session.server, request, answer)
    return op.decode(answer.data)


def perform_raw(
    session: Session, method: str, path: str, params: Mapping[str, object]
) -> Flow[Any]:
    """Call a path and return the value under `data`.

    Raises:
        VersionUnsupported: Some version knows the call, and the server's lacks it.
        PveError: As in `ask`, or the request cannot be built.
    """
    request = build_raw_request(method, path, params)
    if session.server is not None:
        yield from assure_named(session.server, partial(ask, session), request, params)
    answer = yield from settled(session, request)
    note_version(session.server, request, answer)
    return answer.data


def settled(session: Session, request: Request) -> Flow[Answer]:
    """Send a request; where its answer is lost, look what became of it if the session wants that.

    A write that was applied counts as answered: with its task, or with nothing where PVE answers
    nothing. What PVE would have answered otherwise nobody can know, so that stays an error.

    Raises:
        AmbiguousWrite: A write was not applied, or nobody can say; `resolution` tells.
        ConnectError: No answer, within the policy's patience.
        ApiError: The server refused.
    """
    try:
        return (yield from ask(session, request))
    except AmbiguousWrite as error:
        if not session.resolve_writes:
            raise
        from proxmox_client.flows.resolution import answer_of, resolve  # built on these flows

        error.resolution = yield from resolve(session, error)
        data = answer_of(error, error.resolution)
        if data is None:
            raise
        return data


def ask(session: Session, request: Request) -> Flow[Answer]:
    """Send a request until it is answered, and read the answer.

    Raises:
        AmbiguousWrite: A write may have been carried out and nobody said so.
        ConnectError: No answer, within the policy's patience.
        ApiError: The server refused.
    """
    account = session.account
    if account is None:
        return (yield from deliver(session, request))
    yield from ready(session, account)
    used = account.ticket
    try:
        return (yield from deliver(session, request))
    except AuthenticationFailed as error:
        # refused before anything was done: even a write may be sent again
        if not refused_at_the_door(error.reason, error.message):
            raise
    yield from again(session, account, used)
    return (yield from deliver(session, request))
