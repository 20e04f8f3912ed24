"""A wrong command line: one sentence, a suggestion, exit code 2, no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pmpc_cli.__main__ import main


@pytest.fixture(autouse=True)
def _no_contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMPC_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.delenv("PMPC_OUTPUT", raising=False)
    monkeypatch.delenv("PMPC_DEBUG", raising=False)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["aply"], "pmpc has no command 'aply'; did you mean apply?"),
        (["xyzzy"], "pmpc has no command 'xyzzy'; known are demo, context"),
        (["context", "ad"], "pmpc context has no command 'ad'; did you mean add?"),
        (["get", "--ouput", "json"], "Unknown option: --ouput. Did you mean --output?"),
        (["get", "-o", "xml"], 'Invalid value "xml" for -o'),
        (["plan"], "requires an argument"),
        (["rollback", "shop", "two"], "two"),
        (["apply"], "cannot tell what to apply"),
        (["apply", "-f", "x", "--plan", "y"], "cannot tell what to apply"),
        (["plan", "-f", "x", "--resolve", "cores"], "there is no FIELD=CHOICE"),
        (["plan", "-f", "x", "--resolve", "cores=our"], "'our' is none of ours, theirs, ignore"),
        (["context", "add", "a b", "pve1", "--token-env", "T", "--no-check"], "cannot name"),
        (["context", "add", "a", "ftp://pve1", "--token-env", "T"], "cannot use 'ftp://pve1'"),
        (["context", "add", "a", "pve1", "--token", "t", "--token-env", "T"], "more than one"),
        (["context", "add", "a", "pve1", "--token", "nonsense"], "cannot use that API token"),
        (
            ["context", "add", "a", "pve1", "--token-env", "T", "--fingerprint", "AA"],
            "cannot use 'AA' as a fingerprint",
        ),
        (
            ["context", "add", "a", "pve1", "--token-env", "T", "--trust", "--ca", "x"],
            "more than one way",
        ),
    ],
)
def test_it_says_what_is_wrong_and_where_to_look(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) in (1, 2)
    told = capsys.readouterr()
    assert told.out == ""
    assert "error: " in told.err
    assert expected in told.err
    assert "Traceback" not in told.err


def test_usage_errors_exit_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "--nonsense"]) == 2
    assert "hint: see `pmpc get --help`" in capsys.readouterr().err


def test_a_secret_in_a_wrong_token_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["context", "add", "a", "pve1", "--token", "root@pam:hunter2"]) == 2
    assert "hunter2" not in capsys.readouterr().err


def test_without_a_context_commands_say_how_to_make_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["get", "vm"]) == 1
    assert "pmpc context add" in capsys.readouterr().err


def test_an_unset_token_variable_is_noticed_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    assert main(["context", "add", "a", "https://192.0.2.1", "--token-env", "NO_SUCH_TOKEN"]) == 1
    assert "$NO_SUCH_TOKEN is not set" in capsys.readouterr().err


def test_a_preferred_output_that_does_not_exist_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMPC_OUTPUT", "xml")
    assert main(["context", "list"]) == 2
    assert "xml" in capsys.readouterr().err


def test_with_debug_the_traceback_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMPC_DEBUG", "1")
    with pytest.raises(Exception, match="no context yet"):
        main(["get", "vm"])


@pytest.mark.parametrize("words", [["--context", "x"], ["--context=x"]])
def test_the_context_may_stand_in_front_of_the_command(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMPC_CONTEXT", "")
    Path(os.environ["PMPC_CONFIG"]).write_text(
        "version: 1\ncurrent: y\ncontexts: {y: {url: 'https://y:8006'}}\n"
    )
    Path(os.environ["PMPC_CONFIG"]).chmod(0o600)
    assert main([*words, "get", "vm"]) == 1
    assert "cannot find context 'x'; known are y" in capsys.readouterr().err
