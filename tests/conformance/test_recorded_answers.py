"""The client reads every answer a running PVE gave: nothing lost, every error by its name."""

from __future__ import annotations

import pytest

from proxmox_client import errors
from proxmox_client.wire.answer import read_answer
from tests.conformance.answers import Exchange, areas, exchanges, lost, operation_of, plain

# What a status always means; 500 is told apart by its sentence.
BY_STATUS: dict[int, type[errors.ApiError]] = {
    400: errors.ApiError,
    401: errors.AuthenticationFailed,
    403: errors.PermissionDenied,
    424: errors.ApiError,
    500: errors.ApiError,
    501: errors.OperationNotImplemented,
    506: errors.ApiError,
    595: errors.NodeUnreachable,
    596: errors.NodeUnreachable,
}
# Sentences of PVE and the exception a caller would branch on.
BY_SENTENCE: dict[str, type[errors.ApiError]] = {
    "checksum mismatch": errors.DigestMismatch,
    "detected modified configuration": errors.DigestMismatch,
    "VM is locked": errors.GuestLocked,
    "CT is locked": errors.GuestLocked,
    "can't lock file": errors.LockTimeout,
    "got lock request timeout": errors.LockTimeout,
    "no quorum": errors.NoQuorum,
    "Configuration file 'nodes/": errors.NotFound,
    "already exists on node": errors.AlreadyExists,
}


def failures(area: str) -> list[Exchange]:
    return [item for item in exchanges(area) if item.status >= 400]


def is_json_success(item: Exchange) -> bool:
    """Leave out texts, the extjs format and the API's root, whose index is no operation."""
    body = item.fields.get("body")
    json = item.status == 200 and item.base == "/api2/json" and isinstance(body, dict)
    return json and item.path not in ("", "/")


@pytest.mark.requirement("replay.client")
@pytest.mark.parametrize("area", areas())
def test_recorded_successes_decode_with_nothing_lost(area: str) -> None:
    problems: list[str] = []
    for item in filter(is_json_success, exchanges(area)):
        operation = operation_of(item)
        if operation is None:
            problems.append(f"{item.where}: no operation for {item.path}")
            continue
        sent = item.fields["body"].get("data")
        answer = read_answer(item.request(), item.response())
        missing = lost(sent, plain(operation.decode(answer.data)))
        problems += [f"{item.where} {operation.id}: {text}" for text in missing]
    assert problems == []


@pytest.mark.requirement("replay.client")
@pytest.mark.parametrize("area", areas())
def test_recorded_errors_become_the_right_exception_with_the_servers_words(area: str) -> None:
    problems: list[str] = []
    for item in failures(area):
        with pytest.raises(errors.ApiError) as caught:
            read_answer(item.request(), item.response())
        error = caught.value
        reason = str(item.fields["reason"])
        # The front server says 501 for too large a body, too: no operation is missing there.
        status = 400 if "data too large" in reason else item.status
        wanted = [BY_STATUS[status]]
        wanted += [kind for text, kind in BY_SENTENCE.items() if text in reason]
        problems += [
            f"{item.where}: {reason!r} is {type(error).__name__}, not {kind.__name__}"
            for kind in wanted
            if not isinstance(error, kind)
        ]
        if error.status != item.status or error.reason not in reason + error.message:
            problems.append(f"{item.where}: {reason!r} became {error.status} {error.reason!r}")
        if reason and reason not in f"{error} {error.reason} {error.message}":
            problems.append(f"{item.where}: the words {reason!r} are missing in {error}")
    assert problems == []


@pytest.mark.requirement("replay.client")
@pytest.mark.parametrize("area", areas())
def test_recorded_parameter_errors_name_every_parameter(area: str) -> None:
    problems: list[str] = []
    for item in failures(area):
        named = item.named_parameters()
        if not named:
            continue
        with pytest.raises(errors.ApiError) as caught:
            read_answer(item.request(), item.response())
        if set(caught.value.errors) != set(named):
            problems.append(f"{item.where}: {sorted(caught.value.errors)} instead of {named}")
    assert problems == []
