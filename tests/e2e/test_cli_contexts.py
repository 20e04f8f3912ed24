"""`pmpc context` against a server over HTTPS: trust is explicit, nothing wrong is saved."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.e2e.cli_process import Done, on_terminal, pmpc, succeed
from tests.e2e.site import Site


def config_of(site: Site) -> Path:
    return Path(site.environ["PMPC_CONFIG"])


def add(site: Site, *options: str, url: str = "", stdin: str = "") -> Done:
    """Add a context whose token comes from stdin."""
    words = ("context", "add", "new", url or site.url, "--token-file", "-", *options)
    return pmpc(site.environ, *words, stdin=stdin or site.token)


def refused(site: Site, done: Done) -> str:
    """Check that nothing was saved and no secret shown; return the message."""
    assert done.code == 1, done
    assert done.out == ""
    assert not config_of(site).exists()
    assert site.token.rpartition("=")[2] not in done.err
    return done.err


def test_a_pinned_certificate_is_accepted_and_the_file_is_private(site: Site) -> None:
    site.leave()
    done = add(site, "--fingerprint", site.fingerprint)
    assert done.code == 0, done.err
    assert "Proxmox VE 9." in done.out
    assert stat.S_IMODE(config_of(site).stat().st_mode) == 0o600
    shown = succeed(site.environ, "context", "list", "-o", "json").out
    (entry,) = json.loads(shown)
    assert entry["name"] == "new"
    assert entry["current"] is True
    assert site.token.rpartition("=")[2] not in shown


def test_a_wrong_fingerprint_is_refused_with_both_shown(site: Site) -> None:
    site.leave()
    wrong = ":".join(["AB"] * 32)
    message = refused(site, add(site, "--fingerprint", wrong))
    assert wrong in message
    assert site.fingerprint in message


def test_an_untrusted_certificate_is_refused_and_the_error_says_how_to_pin_it(site: Site) -> None:
    site.leave()
    message = refused(site, add(site))
    assert "cannot trust" in message
    assert f"--fingerprint {site.fingerprint}" in message


def test_trust_on_first_use_needs_somebody_who_agrees(site: Site) -> None:
    site.leave()
    message = refused(site, add(site, "--trust"))
    assert site.fingerprint in message
    done = add(site, "--trust", "--yes")
    assert done.code == 0, done.err
    shown = succeed(site.environ, "context", "show", "-o", "json").out
    assert json.loads(shown)["tls"] == {"fingerprint": site.fingerprint}


def test_on_a_terminal_the_fingerprint_is_shown_and_asked_for(site: Site) -> None:
    site.leave()
    environ = {**site.environ, "LAB_TOKEN": site.token}
    words = ("context", "add", "new", site.url, "--token-env", "LAB_TOKEN", "--trust")
    code, text = on_terminal(environ, *words, answer="no\n")
    assert code == 1
    assert site.fingerprint in text
    assert not config_of(site).exists()
    code, text = on_terminal(environ, *words, answer="yes\n")
    assert code == 0, text
    assert config_of(site).exists()


@pytest.mark.parametrize(
    ("key", "code", "words"),
    [
        pytest.param("\x03", 130, "interrupted; nothing was changed", id="^C"),
        pytest.param("\x04", 1, "no API token was given", id="^D"),
    ],
)
def test_control_keys_at_the_token_prompt_save_nothing(
    site: Site, key: str, code: int, words: str
) -> None:
    site.leave()
    ended, text = on_terminal(
        site.environ, "context", "add", "new", site.url, answer=key, asked="API token"
    )
    assert ended == code, text
    assert words in text
    assert "defect" not in text
    assert not config_of(site).exists()


def test_a_token_is_asked_for_and_not_shown(site: Site) -> None:
    site.leave()
    words = ("context", "add", "new", site.url, "--fingerprint", site.fingerprint)
    code, text = on_terminal(site.environ, *words, answer=f"{site.token}\n", asked="API token")
    assert code == 0, text
    assert site.token.rpartition("=")[2] not in text
    assert config_of(site).exists()


def test_an_interrupted_question_of_trust_saves_nothing(site: Site) -> None:
    site.leave()
    environ = {**site.environ, "LAB_TOKEN": site.token}
    words = ("context", "add", "new", site.url, "--token-env", "LAB_TOKEN", "--trust")
    code, text = on_terminal(environ, *words, answer="\x03", asked="[y/N]")
    assert code == 130, text
    assert not config_of(site).exists()


def test_an_unreachable_host_is_named(site: Site) -> None:
    site.leave()
    # Port 9 (discard) of loopback: nobody listens there.
    message = refused(site, add(site, "--fingerprint", site.fingerprint, url="https://127.0.0.1:9"))
    assert "cannot reach 127.0.0.1:9" in message


def test_a_name_that_does_not_resolve_is_named(site: Site) -> None:
    site.leave()
    message = refused(site, add(site, "--fingerprint", site.fingerprint, url="nowhere.invalid"))
    assert "nowhere.invalid" in message


def test_a_wrong_token_is_refused(site: Site) -> None:
    site.leave()
    wrong = f"{site.token.rpartition('=')[0]}=00000000-0000-0000-0000-000000000000"
    done = add(site, "--fingerprint", site.fingerprint, stdin=wrong)
    assert "401" in refused(site, done)
    assert "token" in done.err


def test_a_token_in_the_environment_is_not_saved(site: Site) -> None:
    site.leave()
    environ = {**site.environ, "LAB_TOKEN": site.token}
    words = ("context", "add", "new", site.url, "--token-env", "LAB_TOKEN")
    succeed(environ, *words, "--fingerprint", site.fingerprint)
    assert site.token.rpartition("=")[2] not in config_of(site).read_text()
    succeed(environ, "context", "check")
    assert "LAB_TOKEN" in pmpc(site.environ, "context", "check").err


def test_contexts_are_chosen_and_forgotten(site: Site) -> None:
    assert add(site, "--fingerprint", site.fingerprint).code == 0
    assert [entry["current"] for entry in contexts(site)] == [True, False]
    succeed(site.environ, "context", "use", "new")
    assert [entry["current"] for entry in contexts(site)] == [False, True]
    succeed(site.environ, "context", "remove", "lab")
    assert [entry["name"] for entry in contexts(site)] == ["new"]
    assert "known are new" in pmpc(site.environ, "context", "use", "lab").err


def contexts(site: Site) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(
        succeed(site.environ, "context", "list", "-o", "json").out
    )
    return listed


def test_a_context_file_others_can_read_is_refused(site: Site) -> None:
    config_of(site).chmod(0o644)
    done = pmpc(site.environ, "sync")
    assert done.code == 1
    assert "chmod 600" in done.err


def test_check_reports_connection_quorum_nodes_and_permissions(site: Site) -> None:
    out = succeed(site.environ, "context", "check").out
    assert [line.split()[0] for line in out.splitlines()] == ["ok"] * 4
