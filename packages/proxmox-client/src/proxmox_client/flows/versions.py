"""Refuse calls the server's version lacks, before they are sent.

Most calls exist in every supported version and cost nothing here. The version is asked for once,
at the first call that depends on it, and again before a refusal: the server may have been upgraded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from proxmox_client.errors import ApiError, VersionUnsupported
from proxmox_client.flows.effects import Flow
from proxmox_client.flows.session import KnownServer
from proxmox_client.wire.answer import Answer
from proxmox_client.wire.operation import Operation
from proxmox_client.wire.params import build_raw_request
from proxmox_client.wire.request import Request

_VERSION = "/version"
Ask = Callable[[Request], Flow[Answer]]


def assure(
    server: KnownServer, ask: Ask, op: Operation[Any], params: Mapping[str, object]
) -> Flow[None]:
    """Refuse what the server lacks.

    Args:
        server: What is known of it; its version is filled in here.
        ask: Sends a request and reads its answer.
        op: What is to be called.
        params: What is to be sent, as handed to the operation.

    Raises:
        VersionUnsupported: The server is too old or too new for the call.
        ConnectError: The server could not be asked for its version.
    """
    from proxmox_client.schema import compat  # loads only where something has to be compared

    if not compat.matters(op, params):
        return
    asked = server.version is None
    if asked:
        yield from _ask_version(server, ask)
    try:
        compat.check(op, params, server.version or "")
    except VersionUnsupported:
        if asked:
            raise
        yield from _ask_version(server, ask)
        compat.check(op, params, server.version or "")


def assure_named(
    server: KnownServer, ask: Ask, request: Request, params: Mapping[str, object]
) -> Flow[None]:
    """Refuse what the server lacks, for a call made as text; paths nobody knows are let through.

    Args:
        server: As for `assure`.
        ask: As for `assure`.
        request: What is to be sent.
        params: What it holds, by PVE's names.

    Raises:
        VersionUnsupported: The server is too old or too new for the call.
        ConnectError: The server could not be asked for its version.
    """
    from proxmox_client.schema.named import by_parameter, operation_at

    op = operation_at(request.method, request.address)
    if op is not None:
        yield from assure(server, ask, op, by_parameter(op, params))


def known_version(server: KnownServer, ask: Ask) -> Flow[str | None]:
    """Return the server's version, asking for it if need be; None where it does not tell.

    Args:
        server: What is known of it; its version is filled in here.
        ask: Sends a request and reads its answer.
    """
    if server.version is None:
        yield from _ask_version(server, ask)
    return server.version


def note_version(server: KnownServer | None, request: Request, answer: Answer) -> None:
    """Remember the version if that was what somebody asked for: then nobody has to ask again."""
    if server is None or request.method != "GET" or request.address != _VERSION:
        return
    data: object = answer.data
    stated = cast("dict[str, object]", data) if isinstance(data, dict) else {}
    server.version = str(stated.get("version") or "") or None


def _ask_version(server: KnownServer, ask: Ask) -> Flow[None]:
    """Learn the version; a server that refuses to tell is taken for new enough."""
    request = build_raw_request("GET", _VERSION, {})
    try:
        answer = yield from ask(request)
    except ApiError:
        server.version = None
    else:
        note_version(server, request, answer)
