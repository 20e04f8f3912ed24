"""Reading answers: what is under `data`, or which error it is."""

from __future__ import annotations

import http
import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

import attrs
import orjson

from proxmox_client import errors as tree
from proxmox_client.wire.request import Request, Response
from proxmox_client.wire.sentences import Kind, read_error, read_sentence

_NODE: Final = re.compile(r"/nodes/([^/]+)")
_UPID: Final = re.compile(r"/tasks/(UPID:[^/]+)")
_Facts: TypeAlias = tuple[str, str, str, str | None, int, str, str, Mapping[str, str], str | None]
_CLASSES: Final[Mapping[Kind, type[tree.ApiError]]] = {
    Kind.AUTHENTICATION: tree.AuthenticationFailed,
    Kind.PARAMETER: tree.ParameterInvalid,
    Kind.NOT_FOUND: tree.NotFound,
    Kind.EXISTS: tree.AlreadyExists,
    Kind.NOT_IMPLEMENTED: tree.OperationNotImplemented,
    Kind.DIGEST: tree.DigestMismatch,
    Kind.LOCK_TIMEOUT: tree.LockTimeout,
    Kind.NO_QUORUM: tree.NoQuorum,
    Kind.LOCKED: tree.GuestLocked,
    Kind.PERMISSION: tree.PermissionDenied,
    Kind.UNREACHABLE: tree.NodeUnreachable,
    Kind.WRONG_STATE: tree.WrongState,
    Kind.AGENT: tree.AgentNotRunning,
    Kind.IN_USE: tree.InUse,
    Kind.PROTECTED: tree.Protected,
    Kind.FEATURE: tree.FeatureUnavailable,
    Kind.STORAGE: tree.StorageUnavailable,
    Kind.LOCK_TOKEN: tree.LockTokenInvalid,
}


@attrs.frozen
class Answer:
    """A success.

    Attributes:
        data: The value under `data`, or the text of a plain text answer.
        total: Number of all rows, where PVE says it beside `data`.
        changes: Pending changes of the node's network, a unified diff.
    """

    data: Any = attrs.field(repr=False)  # a login's holds a ticket
    total: int | None = None
    changes: str | None = None


def read_answer(request: Request, response: Response) -> Answer:
    """Read an answer.

    Raises:
        ApiError: The status says so, or the body is not PVE's.
    """
    if response.status != http.HTTPStatus.OK:
        raise read_failure(request, response)
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "text/plain":
        return Answer(response.body.decode(errors="replace"))
    if not response.body:
        return Answer(None)
    document = _parse(response.body)
    if not isinstance(document, dict) or "data" not in document:
        what = "the answer is not one of PVE's: is this address a PVE server's API?"
        raise tree.ApiError(*_facts(request, response, what, "", {}))
    fields = cast("dict[str, Any]", document)
    total = fields.get("total")
    changes = fields.get("changes")
    return Answer(
        fields["data"],
        total if isinstance(total, int) else None,
        changes if isinstance(changes, str) else None,
    )


def read_failure(request: Request, response: Response) -> tree.ApiError:
    """Turn an error answer into its exception: body first, then the reason phrase."""
    message, errors = _read_body(response)
    text = message or response.reason.strip() or _standard_phrase(response.status)
    reading = read_error(response.status, text, errors)
    reason = next((line for line in text.splitlines() if line.strip()), text).strip()
    facts = _facts(request, response, reason, message, reading.errors)
    match reading.kind:
        case Kind.PERMISSION:
            return tree.PermissionDenied(*facts, needs=reading.needs, path=reading.path)
        case Kind.LOCKED:
            return tree.GuestLocked(*facts, lock=reading.lock)
        case Kind.UNREACHABLE:
            return tree.NodeUnreachable(*facts, sent=reading.sent)
        case kind:
            return _CLASSES.get(kind, tree.ApiError)(*facts)


def failure_name(request: Request, response: Response) -> str:
    """Return the name of the class that an answer would raise, empty where it is a success."""
    if response.status == http.HTTPStatus.OK:
        return ""
    return type(read_failure(request, response)).__name__


def error_class(text: str) -> type[tree.ApiError] | None:
    """Return the class that a sentence would have as an API error; None where nobody knows it.

    For failed tasks, whose exit status is one of PVE's sentences (`VM is locked (backup)`).
    """
    return _CLASSES.get(read_sentence(text).kind)


def _read_body(response: Response) -> tuple[str, dict[str, str]]:
    document = _parse(response.body)
    if not isinstance(document, dict):
        kind = response.headers.get("content-type", "")
        text = "" if "html" in kind else response.body.decode(errors="replace").strip()
        return text, {}
    fields = cast("dict[str, Any]", document)
    message = fields.get("message")
    listed = fields.get("errors")
    errors = cast("dict[str, Any]", listed) if isinstance(listed, dict) else {}
    return (
        message.strip() if isinstance(message, str) else "",
        {name: str(text).strip() for name, text in errors.items()},
    )


def _parse(body: bytes) -> Any:
    """Return the JSON document, or None where there is none. Broken UTF-8 is repaired."""
    try:
        return orjson.loads(body)
    except ValueError:
        try:
            return json.loads(body.decode(errors="replace"))
        except ValueError:
            return None


def _standard_phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"


def node_of(address: str) -> str | None:
    """Return the node a path names; None where it names none."""
    match = _NODE.match(address)
    return match[1] if match else None


def _upid_of(address: str) -> str | None:
    match = _UPID.search(address)
    return match[1] if match else None


def _facts(
    request: Request, response: Response, reason: str, message: str, errors: Mapping[str, str]
) -> _Facts:
    return (
        request.operation,
        request.method,
        request.address,
        node_of(request.address),
        response.status,
        reason,
        message,
        errors,
        _upid_of(request.address),
    )
