"""Errors of the packages below, in words, with the command that helps."""

from __future__ import annotations

import pytest

from pmpc_cli.failures import CommandRefused, Explanation, explain
from pmpc_cli.present.failure import show_failure
from pmpc_reconcile.diagnostics import Diagnostic, Severity
from pmpc_reconcile.errors import ContextNotFound, InputInvalid, PlanRefused, PlanStale
from pmpc_reconcile.manifests import ManifestInvalid
from pmpc_state.errors import StateOutdated, StateTooNew
from proxmox_client import (
    CertificateNotTrusted,
    ConnectError,
    FingerprintMismatch,
    PermissionDenied,
)
from proxmox_client.values import Fingerprint

SEEN = Fingerprint("AB" * 32)
PINNED = Fingerprint("CD" * 32)


def test_an_untrusted_certificate_comes_with_the_option_that_pins_it() -> None:
    error = CertificateNotTrusted("pve1", 8006, "self-signed", fingerprint=SEEN)
    told = explain(error)
    assert told.message == "cannot trust pve1:8006: self-signed"
    assert f"--fingerprint {SEEN}" in (told.hint or "")
    assert "tls=" not in (told.hint or "")


def test_a_wrong_certificate_shows_both_fingerprints() -> None:
    told = explain(FingerprintMismatch("pve1", 8006, "other", expected=PINNED, got=SEEN))
    assert str(PINNED) in told.message
    assert str(SEEN) in told.message


def test_an_unreachable_server_gets_advice() -> None:
    told = explain(ConnectError("pve1", 8006, "Connection refused"))
    assert told.message == "cannot reach pve1:8006: Connection refused"
    assert "8006" in (told.hint or "")


def test_advice_of_the_server_error_becomes_the_hint() -> None:
    error = PermissionDenied(
        "cluster.resources.get", "GET", "/x", None, 403, "no", needs="VM.Audit", path="/vms"
    )
    told = explain(error)
    assert told.message == "cannot read /x: no (403)"
    assert (told.hint or "").startswith("The token needs VM.Audit on /vms")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ContextNotFound("x", ()), 1),
        (InputInvalid("no"), 2),
        (PlanStale("older"), 1),
        (PlanRefused("no", ("because",)), 1),
        (StateOutdated("run `pmpc state migrate`"), 1),
        (StateTooNew("upgrade"), 1),
        (CommandRefused("no", code=2), 2),
        (FileNotFoundError(2, "No such file or directory", "x.yaml"), 1),
    ],
)
def test_exit_codes_of_errors(error: Exception, code: int) -> None:
    assert explain(error).code == code


def test_a_missing_file_is_named() -> None:
    error = FileNotFoundError(2, "No such file or directory", "x.yaml")
    assert explain(error).message == "cannot open x.yaml: No such file or directory"


def test_an_unexpected_error_admits_to_be_a_defect() -> None:
    told = explain(ZeroDivisionError("division by zero"))
    assert "unexpected ZeroDivisionError" in told.message
    assert "PMPC_DEBUG=1" in (told.hint or "")


def test_mistakes_in_manifests_show_place_line_caret_and_hint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mistake = Diagnostic(
        severity=Severity.ERROR,
        message="unknown option 'coers'",
        hint="did you mean 'cores'?",
        file="web.yaml",
        line=7,
        column=5,
        source="    coers: 2",
    )
    show_failure(explain(ManifestInvalid((mistake,))))
    assert capsys.readouterr().err.splitlines() == [
        "web.yaml:7:5: error: unknown option 'coers'",
        "  7 |     coers: 2",
        "    |     ^",
        "  hint: did you mean 'cores'?",
    ]


def test_a_failure_without_a_hint_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_failure(Explanation("cannot do it"))
    assert capsys.readouterr().err == "error: cannot do it\n"
