"""Where credentials come from: arguments before environment before file before keyring."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import KeyringLocked

from proxmox_client import (
    ApiToken,
    AsyncClient,
    CaFile,
    Client,
    CredentialsExposed,
    CredentialsInvalid,
    FirstUse,
    PasswordLogin,
    Pin,
    PveError,
    SystemTrust,
)
from proxmox_client.credentials import find_options

SECRET = "0b7c6f6e-1111-2222-3333-444455556666"
TOKEN = f"root@pam!test={SECRET}"
PRINT = ":".join(["AB"] * 32)
FILE = f"""
current: home
contexts:
  home: {{url: pve1, token: 'root@pam!file={SECRET}', tls: first-use, timeout: 7}}
  lab:
    url: [lab1, lab2]
    token_env: LAB_TOKEN
    tls: {{fingerprint: "{PRINT}"}}
  person: {{url: pve3, user: alice@pve, password: 'pass word', proxy: 'http://proxy:3128'}}
  kept: {{url: pve4, user: 'root@pam!kept', tls: {{ca: ~/ca.pem}}}}
"""


@pytest.fixture(autouse=True)
def no_keyring_of_this_machine() -> Iterator[None]:
    before = keyring.get_keyring()
    use(fail.Keyring)
    yield
    keyring.set_keyring(before)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(FILE, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def environ(config: Path) -> dict[str, str]:
    return {"PMPC_CONFIG": str(config)}


def token(name: str) -> ApiToken:
    return ApiToken("root@pam", name, SECRET)


def store(tmp_path: Path, server: str, account: str, secret: str) -> None:
    """Write into a keyring that is a real file, used for this test."""
    backend: Any = import_module("keyrings.alt.file").PlaintextKeyring()  # it has no types
    backend.file_path = str(tmp_path / "keyring.cfg")
    backend.set_password(f"pmpc {server}", account, secret)
    keyring.set_keyring(backend)


def use(kind: Any) -> None:
    keyring.set_keyring(kind())


def test_the_environment_gives_a_client(tmp_path: Path) -> None:
    environ = {
        "PMPC_CONFIG": str(tmp_path / "none.yaml"),
        "PMPC_URL": "pve1, pve2:8007",
        "PMPC_TOKEN": TOKEN,
        "PMPC_FINGERPRINT": PRINT,
    }
    with Client.from_env(environ, timeout=5.0) as pve:
        assert pve.url == "https://pve1:8006"
        assert pve.session.route.servers == ("https://pve1:8006", "https://pve2:8007")
    assert repr(AsyncClient.from_env(environ)) == "<AsyncClient https://pve1:8006 as root@pam!test>"


def test_the_environment_says_everything(environ: dict[str, str]) -> None:
    environ |= {
        "PMPC_URL": "elsewhere",
        "PMPC_USER": "root@pam",
        "PMPC_PASSWORD": " with spaces ",
        "PMPC_CA_FILE": "/etc/pve/pve-root-ca.pem",
        "PMPC_PROXY": "http://proxy:3128",
        "PMPC_TIMEOUT": "12.5",
        "PMPC_FINGERPRINT": "",
    }
    assert find_options({}, environ) == {
        "url": "elsewhere",
        "login": PasswordLogin("root@pam", " with spaces "),
        "tls": CaFile("/etc/pve/pve-root-ca.pem"),
        "proxy": "http://proxy:3128",
        "timeout": 12.5,
    }


def test_the_current_cluster_of_the_file(environ: dict[str, str]) -> None:
    found = find_options({}, environ)
    assert found == {"url": "pve1", "token": token("file"), "tls": FirstUse(), "timeout": 7.0}
    with Client.from_env(environ) as pve:
        assert repr(pve) == "<Client https://pve1:8006 as root@pam!file>"


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_a_named_cluster_of_the_file(environ: dict[str, str], how: str) -> None:
    environ["LAB_TOKEN"] = TOKEN
    if how == "variable":
        environ["PMPC_CONTEXT"] = "lab"
    found = find_options({}, environ, "lab" if how == "argument" else None)
    assert found == {"url": ["lab1", "lab2"], "token": token("test"), "tls": Pin(PRINT)}


def test_the_cluster_an_address_belongs_to(environ: dict[str, str]) -> None:
    found = find_options({"url": "https://pve3:8006"}, environ)
    assert found == {
        "url": "https://pve3:8006",
        "login": PasswordLogin("alice@pve", "pass word"),
        "tls": SystemTrust(),
        "proxy": "http://proxy:3128",
    }
    environ["PMPC_URL"] = "pve1"
    assert find_options({}, environ)["token"] == token("file")


def test_credentials_of_the_file_never_go_to_another_address(environ: dict[str, str]) -> None:
    for url in ("evil", "https://pve1:8007", "http://localhost:8006"):
        with pytest.raises(CredentialsInvalid, match="no credentials for"):
            find_options({"url": url}, environ)
        with pytest.raises(CredentialsInvalid, match="no credentials for"):
            find_options({}, {**environ, "PMPC_URL": url})
    with pytest.raises(CredentialsInvalid, match="not the address of context 'home'"):
        find_options({"url": "evil"}, environ, "home")


def test_arguments_go_before_the_environment_before_the_file(environ: dict[str, str]) -> None:
    assert find_options({}, {**environ, "PMPC_TOKEN": TOKEN})["token"] == token("test")
    environ |= {"PMPC_URL": "pve1", "PMPC_TOKEN": TOKEN, "PMPC_TIMEOUT": "3"}
    assert find_options({}, environ)["token"] == token("test")
    assert find_options({}, environ)["tls"] == FirstUse()
    assert find_options({}, environ)["timeout"] == 3.0
    given: dict[str, Any] = {"token": "root@pam!own=x", "tls": Pin(PRINT), "timeout": 1.0}
    found = find_options(given, environ)
    assert found == {**given, "url": "pve1"}
    person = find_options({"user": "bob@pve", "password": "pw"}, environ)
    assert person["login"] == PasswordLogin("bob@pve", "pw")
    assert "token" not in person


def test_a_context_as_an_argument_sets_the_environments_server_aside(
    environ: dict[str, str],
) -> None:
    environ |= {"PMPC_URL": "other", "PMPC_TOKEN": TOKEN, "PMPC_FINGERPRINT": PRINT}
    found = find_options({}, environ, "home")
    assert (found["url"], found["token"], found["tls"]) == ("pve1", token("file"), FirstUse())


def test_the_keyring_comes_last(environ: dict[str, str], tmp_path: Path) -> None:
    store(tmp_path, "https://pve4:8006", "root@pam!kept", SECRET)
    store(tmp_path, "https://pve1:8006", "root@pam!file", "never asked")
    store(tmp_path, "https://pve9:8006", "alice@pve", "word of alice")
    found = find_options({}, environ, "kept")
    assert found["token"] == token("kept")
    assert found["tls"] == CaFile(Path("~/ca.pem").expanduser())
    assert find_options({}, environ)["token"] == token("file")
    person = find_options({"url": "pve9", "user": "alice@pve"}, environ)
    assert person["login"] == PasswordLogin("alice@pve", "word of alice")
    environ |= {"PMPC_URL": "pve0 pve9", "PMPC_USER": "alice@pve"}
    assert find_options({}, environ)["login"] == PasswordLogin("alice@pve", "word of alice")


def test_a_whole_token_in_the_keyring_is_understood(
    environ: dict[str, str], tmp_path: Path
) -> None:
    store(tmp_path, "https://pve4:8006", "root@pam!kept", f"root@pam!kept={SECRET}")
    assert find_options({}, environ, "kept")["token"] == token("kept")


class OneAccount(KeyringBackend):
    """A keyring that can tell which account it has, as those of desktops do."""

    priority: Any = 0

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("nobody writes")

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def get_credential(self, service: str, username: str | None) -> Any:
        from keyring.credentials import SimpleCredential

        return SimpleCredential("root@pam!kept", SECRET) if username is None else None


def test_a_keyring_that_knows_its_account_needs_no_name(environ: dict[str, str]) -> None:
    use(OneAccount)
    assert find_options({"url": "pve5"}, environ)["token"] == token("kept")


class Locked(OneAccount):
    def get_credential(self, service: str, username: str | None) -> Any:
        raise KeyringLocked(SECRET)


def test_a_keyring_that_fails_is_told(environ: dict[str, str]) -> None:
    use(Locked)
    with pytest.raises(CredentialsInvalid, match="cannot be asked: KeyringLocked") as caught:
        find_options({"url": "pve5"}, environ)
    assert SECRET not in str(caught.value)


def test_a_missing_keyring_library_is_told(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(CredentialsInvalid, match=r"pmpc-proxmox-client\[keyring\]"):
        find_options({"url": "pve5"}, environ)


def test_a_file_others_may_read_is_refused(config: Path, environ: dict[str, str]) -> None:
    for mode in (0o644, 0o640, 0o602):
        config.chmod(mode)
        with pytest.raises(CredentialsExposed, match=f"chmod 600 {config}") as caught:
            find_options({}, environ)
        assert caught.value.mode == mode
        assert SECRET not in repr(caught.value)


def test_a_file_of_somebody_else_is_refused(
    config: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: somebody)
    with pytest.raises(CredentialsExposed, match="not to you"):
        find_options({}, environ)


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, "no server is told"),
        ({"PMPC_URL": "pve1"}, "Neither PMPC_TOKEN nor"),
        ({"PMPC_URL": "pve1", "PMPC_TOKEN": SECRET}, "not an API token"),
        ({"PMPC_URL": "pve1", "PMPC_PASSWORD": SECRET}, "whose"),
        ({"PMPC_URL": "pve1", "PMPC_CONTEXT": "x"}, "both set"),
        ({"PMPC_CONTEXT": "x"}, "no context 'x'"),
        ({"PMPC_URL": "pve1", "PMPC_CA_FILE": "x", "PMPC_FINGERPRINT": PRINT}, "both set"),
        ({"PMPC_URL": "pve1", "PMPC_TLS": "first-use", "PMPC_FINGERPRINT": PRINT}, "both set"),
        ({"PMPC_URL": "pve1", "PMPC_TLS": "none"}, "PMPC_TLS is one of system, first-use"),
        ({"PMPC_URL": "pve1", "PMPC_TOKEN": TOKEN, "PMPC_TIMEOUT": "soon"}, "PMPC_TIMEOUT"),
    ],
)
def test_an_environment_that_cannot_be_used(
    environ: dict[str, str], why: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        Client.from_env({"PMPC_CONFIG": str(tmp_path / "none.yaml"), **environ})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"contexts: {{a: {{url: x, token: '{SECRET}}}", "not YAML in line 1"),
        ("- a", "expected a mapping"),
        ("contexts: {a: {}}", "needs a `url`"),
        ("contexts: {a: {url: [x, 1]}}", "needs a `url`"),
        (f"contexts: {{a: {{url: x, passwd: {SECRET}}}}}", "unknown"),
        ("contexts: {a: {url: x, timeout: soon}}", "number of seconds"),
        ("contexts: {a: {url: x, tls: off}}", "cannot be switched off"),
        ("current: a", "'a' is not in it"),
        ("contexts: {a: {url: x, token_env: NOT_SET}}\ncurrent: a", r"\$NOT_SET"),
    ],
)
def test_a_file_that_cannot_be_used(
    config: Path, environ: dict[str, str], text: str, why: str
) -> None:
    config.write_text(text, encoding="utf-8")
    with pytest.raises(PveError, match=why) as caught:
        find_options({}, environ)
    assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


def test_a_second_factor_goes_with_a_password(environ: dict[str, str]) -> None:
    found = find_options({"otp": input}, environ, "person")
    assert found["login"] == PasswordLogin("alice@pve", "pass word", input)


def test_no_secret_in_any_repr(environ: dict[str, str]) -> None:
    from proxmox_client.credentials import load_config
    from proxmox_client.credentials.environment import read_environment

    config = load_config(Path(environ["PMPC_CONFIG"]))
    said = read_environment({"PMPC_TOKEN": TOKEN, "PMPC_PASSWORD": "pass word", "PMPC_USER": "u"})
    shown = f"{config} {config!r} {said} {said!r}"
    assert SECRET not in shown
    assert "pass word" not in shown


def test_environment_can_ask_for_trust_on_first_use(environ: dict[str, str]) -> None:
    environ |= {"PMPC_URL": "pve1", "PMPC_TOKEN": TOKEN, "PMPC_TLS": "first-use"}
    assert find_options({}, environ)["tls"] == FirstUse()
    assert find_options({}, {**environ, "PMPC_TLS": "system"})["tls"] == SystemTrust()
