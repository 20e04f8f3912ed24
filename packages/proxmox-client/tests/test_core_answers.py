"""Reading answers and PVE's sentences."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxmox_client import errors
from proxmox_client.wire.answer import Answer, error_class, read_answer, read_failure
from proxmox_client.wire.request import Request, Response
from proxmox_client.wire.sentences import read_sentence

REQUEST = Request("nodes.qemu.config.put", "PUT", "/nodes/pve1/qemu/100/config", "/x")


def respond(status: int, reason: str, body: Any = None) -> Response:
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, reason, raw, {"content-type": "application/json;charset=UTF-8"})


def failure(status: int, text: str, fields: dict[str, str] | None = None) -> errors.ApiError:
    body: dict[str, Any] = {"data": None, "message": f"{text}\n"}
    if fields:
        body["errors"] = fields
    return read_failure(REQUEST, respond(status, text.splitlines()[0], body))


class TestSuccess:
    def test_data_and_what_stands_beside_it(self) -> None:
        body = {"data": [1], "total": 7, "changes": "--- a"}
        assert read_answer(REQUEST, respond(200, "OK", body)) == Answer([1], 7, "--- a")

    def test_null_and_nothing_are_none(self) -> None:
        assert read_answer(REQUEST, respond(200, "OK", {"data": None})) == Answer(None)
        assert read_answer(REQUEST, respond(200, "OK")) == Answer(None)

    def test_plain_text_is_data(self) -> None:
        response = Response(200, "OK", b"line\n", {"content-type": "text/plain"})
        assert read_answer(REQUEST, response) == Answer("line\n")

    def test_broken_utf8_loses_nothing_else(self) -> None:
        assert read_answer(REQUEST, respond(200, "OK", b'{"data":"a\xff"}')).data == "a\ufffd"

    @pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"x":1}', b'{"data":'])
    def test_somebody_elses_answer_is_an_error(self, body: bytes) -> None:
        with pytest.raises(errors.ApiError, match="not one of PVE's"):
            read_answer(REQUEST, respond(200, "OK", body))

    @given(st.integers(100, 599), st.text(max_size=20), st.binary(max_size=60))
    def test_whatever_comes_is_an_answer_or_an_api_error(
        self, status: int, reason: str, body: bytes
    ) -> None:
        try:
            answer = read_answer(REQUEST, Response(status, reason, body))
        except errors.ApiError:
            return
        assert status < 400, answer


class TestFailure:
    def test_body_counts_before_the_reason_phrase(self) -> None:
        body = {"data": None, "message": "first\nsecond\n"}
        error = read_failure(REQUEST, respond(500, "phrase", body))
        assert (error.reason, error.message) == ("first", "first\nsecond")
        assert "second" in str(error)

    def test_older_servers_have_only_the_phrase(self) -> None:
        error = read_failure(REQUEST, respond(500, "VM is locked (backup)", {"data": None}))
        assert isinstance(error, errors.GuestLocked)
        assert error.lock == "backup"

    def test_empty_401(self) -> None:
        error = read_failure(REQUEST, Response(401, "Authentication failed!"))
        assert type(error) is errors.AuthenticationFailed
        assert error.reason == "Authentication failed!"

    def test_html_of_a_reverse_proxy_is_left_out(self) -> None:
        page = Response(502, "Bad Gateway", b"<html>..", {"content-type": "text/html"})
        error = read_failure(REQUEST, page)
        assert type(error) is errors.NodeUnreachable
        assert error.reason == "Bad Gateway"

    def test_says_what_where_why(self) -> None:
        error = failure(500, "VM is locked (backup)")
        assert (error.operation, error.node, error.status) == (REQUEST.operation, "pve1", 500)
        assert str(error).startswith(
            "cannot change /nodes/pve1/qemu/100/config: VM is locked (backup) (500)"
        )

    def test_names_the_task_concerned(self) -> None:
        upid = "UPID:pve1:0000252F:0006D64E:6B03000E:qmstart:100:root@pam:"
        request = Request("x", "GET", f"/nodes/pve2/tasks/{upid}/status", "/x")
        error = read_failure(request, respond(400, "Parameter verification failed."))
        assert error.upid == upid

    def test_fields_of_a_parameter_error(self) -> None:
        error = failure(
            400, "Parameter verification failed.", {"cores": "value must have a minimum\n\n"}
        )
        assert type(error) is errors.ParameterInvalid
        assert error.errors == {"cores": "value must have a minimum"}
        assert "  cores: value must have a minimum" in str(error)

    def test_nested_parameter_error(self) -> None:
        error = failure(500, "400 Parameter verification failed.\nvmid: property is missing")
        assert type(error) is errors.ParameterInvalid
        assert error.errors == {"vmid": "property is missing"}

    def test_privilege_and_path(self) -> None:
        error = failure(403, "Permission check failed (/vms/100, VM.Config.Disk)")
        assert isinstance(error, errors.PermissionDenied)
        assert (error.path, error.needs) == ("/vms/100", "VM.Config.Disk")
        assert "needs VM.Config.Disk on /vms/100" in str(error)

    @pytest.mark.parametrize(("status", "sent"), [(595, False), (596, True), (599, True)])
    def test_unreachable_node(self, status: int, sent: bool) -> None:
        error = read_failure(REQUEST, Response(status, "No route to host"))
        assert isinstance(error, errors.NodeUnreachable)
        assert error.sent is sent

    def test_survives_pickling(self) -> None:
        error = failure(500, "VM is locked (backup)")
        copy = pickle.loads(pickle.dumps(error))
        assert str(copy) == str(error)
        assert copy.lock == "backup"


@pytest.mark.parametrize(
    ("status", "text", "fields", "expected"),
    [
        (400, "Parameter verification failed.", {"id": "No such job 'x'"}, errors.NotFound),
        (400, "Parameter verification failed.", {"upid": "no such task"}, errors.NotFound),
        (400, "Parameter verification failed.", {"storage": "No such storage."}, errors.NotFound),
        (
            400,
            "Parameter verification failed.",
            {"iface": "interface does not exist"},
            errors.NotFound,
        ),
        (
            400,
            "Parameter verification failed.",
            {"timezone": "No such timezone"},
            errors.ParameterInvalid,
        ),
        (
            400,
            "Parameter verification failed.",
            {"name": "alias 'lan' already exists"},
            errors.AlreadyExists,
        ),
        (
            400,
            "Parameter verification failed.",
            {"vmid": "VM 100 already exists"},
            errors.AlreadyExists,
        ),
        (
            400,
            "Parameter verification failed.",
            {"id": "No such job 'x'", "a": "bad"},
            errors.ParameterInvalid,
        ),
        (500, "format error", {"mp": "property is missing"}, errors.ParameterInvalid),
        (404, "Not Found", None, errors.NotFound),
        (403, "Permission check failed (user != root@pam)", None, errors.PermissionDenied),
        (500, "only root can set 'args' config", None, errors.PermissionDenied),
        (500, "500 400 Parameter verification failed.\nid: No such job 'a'", None, errors.NotFound),
        (501, "Method 'GET /nosuchpath' not implemented", None, errors.OperationNotImplemented),
        (501, "for data too large", None, errors.ParameterInvalid),
        (500, "checksum mismatch (file change by other user?)", None, errors.DigestMismatch),
        (
            500,
            "update storage failed: detected modified configuration - file changed by other user?"
            " Try again.",
            None,
            errors.DigestMismatch,
        ),
        (500, "VM is locked (migrate)", None, errors.GuestLocked),
        (500, "CT is locked (mounted)", None, errors.GuestLocked),
        (
            500,
            "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout",
            None,
            errors.LockTimeout,
        ),
        (
            500,
            "create storage failed: cfs-lock 'file-storage_cfg' error: got lock request timeout",
            None,
            errors.LockTimeout,
        ),
        (500, "cfs-lock 'file-jobs_cfg' error: no quorum!", None, errors.NoQuorum),
        (500, "cluster not ready - no quorum?", None, errors.NoQuorum),
        (
            500,
            "unable to open file '/etc/pve/nodes/pve1/config.tmp.2' - Permission denied",
            None,
            errors.NoQuorum,
        ),
        (
            500,
            "Configuration file 'nodes/pve1/qemu-server/9999.conf' does not exist",
            None,
            errors.NotFound,
        ),
        (
            500,
            "unable to find configuration file for VM 100 on node 'pve1'",
            None,
            errors.NotFound,
        ),
        (
            500,
            "hostname lookup 'pve9' failed - failed to get address info for: pve9: Name or service"
            " not known",
            None,
            errors.NotFound,
        ),
        (500, "no such user ('ghost@pve')", None, errors.NotFound),
        (500, "no such cluster node 'pve9'", None, errors.NotFound),
        (500, "unknown node 'nope'", None, errors.NotFound),
        (500, "no rule at position 99", None, errors.NotFound),
        (500, "cannot delete service 'vm:100', not HA managed!", None, errors.NotFound),
        (500, "delete pool failed: pool 'nope' does not exist", None, errors.NotFound),
        (500, "unable to create VM 101: config file already exists", None, errors.AlreadyExists),
        (
            500,
            "unable to create VM 1 - close (rename) atomic file '/etc/pve/x' failed: File exists",
            None,
            errors.AlreadyExists,
        ),
        (500, "storage ID 'extra' already defined", None, errors.AlreadyExists),
        (500, "update storage failed: no such option 'bogus'", None, errors.ParameterInvalid),
        (500, "missing value for required option 'path'", None, errors.ParameterInvalid),
        (500, "CT 200 already running", None, errors.WrongState),
        (500, "CT 200 not running", None, errors.WrongState),
        (500, "VM 100 is running - destroy failed", None, errors.WrongState),
        (500, "unable to destroy CT 200 - container is running", None, errors.WrongState),
        (500, "zfsutils-linux not installed", None, errors.ApiError),
        (500, "QEMU guest agent is not running", None, errors.AgentNotRunning),
        (500, "RRD error: opening '/x': No such file or directory", None, errors.NotFound),
        (424, "node is not in a cluster, no join info available!", None, errors.ApiError),
    ],
)
def test_sentence_becomes_its_class(
    status: int, text: str, fields: dict[str, str] | None, expected: type[errors.ApiError]
) -> None:
    error = failure(status, text, fields)
    assert type(error) is expected
    assert error.reason == text.splitlines()[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VM is locked (snapshot)", errors.GuestLocked),
        ("VM 100 already running", errors.WrongState),
        ("Configuration file 'nodes/pve1/lxc/200.conf' does not exist", errors.NotFound),
        ("595 No route to host", errors.NodeUnreachable),
        ("start failed: QEMU exited with code 1", None),
    ],
)
def test_exit_status_of_a_task_is_read_alike(
    text: str, expected: type[errors.ApiError] | None
) -> None:
    assert error_class(text) is expected


def test_lock_is_named() -> None:
    assert read_sentence("CT 200 is locked (snapshot-delete)").lock == "snapshot-delete"
