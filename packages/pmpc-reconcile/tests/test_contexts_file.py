from __future__ import annotations

from pathlib import Path

import pytest

from pmpc_reconcile.contexts import (
    Context,
    Contexts,
    Trust,
    connect,
    contexts_path,
    load_contexts,
    save_contexts,
)
from pmpc_reconcile.errors import ContextFileExposed, ContextInvalid, ContextNotFound

HOME = Context("home", "https://192.0.2.10:8006", token="root@pam!pmpc=s3cret")


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_what_was_saved_is_what_is_loaded(tmp_path: Path) -> None:
    lab = Context("lab", "https://lab:8006", token_env="LAB", tls=Trust("fingerprint", "AA:BB"))
    contexts = Contexts().with_context(HOME).with_context(lab)
    path = save_contexts(contexts, tmp_path / "new" / "config.yaml")
    assert load_contexts(path) == contexts
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["config.yaml"]


def test_a_missing_file_is_an_empty_one(tmp_path: Path) -> None:
    assert load_contexts(tmp_path / "none.yaml") == Contexts()


def test_the_first_context_becomes_current() -> None:
    assert Contexts().with_context(HOME).get() == HOME


def test_a_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "config.yaml", "contexts: {}", mode=0o644)
    with pytest.raises(ContextFileExposed, match="chmod 600"):
        load_contexts(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a", "expected a mapping"),
        ("a: [", "not YAML"),
        ("version: 9", "version 9"),
        ("contexts: {home: {}}", "needs a `url`"),
        ("contexts: {home: {url: x, passwd: y}}", "unknown"),
        ("contexts: {home: {url: x, tls: off}}", "cannot be switched off"),
        ("current: x", "'x' is not in it"),
        ("contexts: {'../x': {url: x}}", "cannot name a context"),
        ("contexts: {home: {url: x, token: 5}}", "`token` must be text"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path / "config.yaml", text)
    with pytest.raises(ContextInvalid, match=words):
        load_contexts(path)


def test_an_unknown_context_names_the_known_ones() -> None:
    with pytest.raises(ContextNotFound, match="known are home"):
        Contexts().with_context(HOME).get("hom")


def test_no_context_says_how_to_add_one() -> None:
    with pytest.raises(ContextNotFound, match="pmpc context add"):
        Contexts().get()


def test_removing_the_current_context_leaves_none_chosen() -> None:
    assert Contexts().with_context(HOME).without("home") == Contexts()


def test_the_token_is_never_shown() -> None:
    assert "s3cret" not in repr(Contexts().with_context(HOME))
    assert HOME.secret({}) == "root@pam!pmpc=s3cret"


def test_the_token_can_come_from_the_environment() -> None:
    context = Context("lab", "https://lab:8006", token_env="LAB")
    assert context.secret({"LAB": "a@pam!b=c"}) == "a@pam!b=c"
    with pytest.raises(ContextInvalid, match=r"\$LAB, which is not set"):
        context.secret({})


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    assert contexts_path({"PMPC_CONFIG": str(tmp_path / "x")}) == tmp_path / "x"
    assert contexts_path({}).name == "config.yaml"


def test_everything_the_client_reads_is_kept_when_the_file_is_written_anew(tmp_path: Path) -> None:
    text = """
        contexts:
          all:
            url: [pve1, pve2]
            user: root@pam!kept
            password: word
            tls: first-use
            proxy: http://proxy:3128
            timeout: 7
    """
    path = write(tmp_path / "config.yaml", text)
    contexts = load_contexts(path)
    assert contexts.items["all"].more_urls == ("pve2",)
    assert "word" not in repr(contexts)
    save_contexts(contexts, path)
    assert load_contexts(path) == contexts


def test_a_context_connects_with_what_the_client_finds(tmp_path: Path) -> None:
    text = "contexts: {a: {url: [pve1, pve2], user: alice@pve, password: word}, b: {url: pve1}}"
    contexts = load_contexts(write(tmp_path / "config.yaml", text))
    pve = connect(contexts.items["a"], {})
    assert repr(pve) == "<AsyncClient https://pve1:8006 as alice@pve>"
    assert len(pve.session.route.servers) == 2
    with pytest.raises(ContextInvalid, match="pmpc context add b"):
        connect(contexts.items["b"], {})
