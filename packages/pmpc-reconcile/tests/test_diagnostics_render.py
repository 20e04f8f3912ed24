"""How findings read and travel."""

from __future__ import annotations

from pmpc_reconcile.diagnostics import (
    Diagnostic,
    Severity,
    did_you_mean,
    error,
    note,
    suggest,
    warning,
)


def test_a_finding_reads_like_a_compilers() -> None:
    finding = Diagnostic(
        severity=Severity.ERROR,
        message="unknown option 'coers' in spec.config",
        hint="did you mean 'cores'?",
        file="stack.yaml",
        line=12,
        column=5,
        source="    coers: 2",
    )
    assert finding.render() == (
        "stack.yaml:12:5: error: unknown option 'coers' in spec.config\n"
        "  12 |     coers: 2\n"
        "     |     ^\n"
        "  hint: did you mean 'cores'?"
    )


def test_a_finding_without_a_file_shows_the_object() -> None:
    finding = error("cannot shrink", address="VirtualMachine/web-1")
    assert finding.render() == "VirtualMachine/web-1: error: cannot shrink"
    assert warning("careful").render() == "warning: careful"
    assert not note("by the way").is_error


def test_the_caret_stays_under_its_column_in_long_lines() -> None:
    source = "x" * 300 + "HERE" + "y" * 300
    finding = Diagnostic(
        severity=Severity.ERROR, message="m", file="f", line=1, column=301, source=source
    )
    _, shown, caret = finding.render().splitlines()
    assert len(shown) < 140
    assert shown[caret.index("^") :].startswith("HERE")


def test_tabs_do_not_move_the_caret() -> None:
    finding = Diagnostic(
        severity=Severity.ERROR, message="m", file="f", line=1, column=3, source="\t\tkey"
    )
    _, shown, caret = finding.render().splitlines()
    assert shown[caret.index("^") :] == "key"


def test_findings_survive_json() -> None:
    finding = warning("careful", hint="look", address="Pool/p")
    assert Diagnostic.from_dict(finding.to_dict()) == finding
    assert "line" not in finding.to_dict()


def test_suggestions_ignore_case_and_dashes() -> None:
    assert suggest("coers", ["cores", "sockets"]) == "cores"
    assert suggest("virtualmachine", ["VirtualMachine", "Pool"]) == "VirtualMachine"
    assert suggest("on_boot", ["onboot"]) == "onboot"
    assert suggest("zzz", ["cores"]) is None
    assert suggest("-", ["cores"]) is None
    assert did_you_mean("memroy", ["memory"]) == "did you mean 'memory'?"
