"""Secrets become keyed fingerprints, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmpc_state.canonical import SecretKey, canonical_json, is_fingerprint, is_secret, redact

KEY = SecretKey(b"k" * 32)
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"
TOKEN = "12345678-1234-1234-1234-123456789abc"


@pytest.mark.parametrize(
    "option",
    ["cipassword", "password", "secret", "token", "key", "keyring", "encryption-key",
     "private-key", "smtp-password", "client-key", "bind_password", "eab-hmac-key"],
)  # fmt: skip
def test_secret_options_are_known(option: str) -> None:
    assert is_secret(option)


@pytest.mark.parametrize(
    "option",
    ["sshkeys", "ssh-public-keys", "fingerprint", "tokenid", "keyboard", "name", "tags", "net0",
     "protection", "pre-enrolled-keys", "monitor", "keephugepages"],
)  # fmt: skip
def test_public_options_are_kept(option: str) -> None:
    assert not is_secret(option)
    assert redact({option: "some value"}, KEY) == {option: "some value"}


@pytest.mark.parametrize(
    "document",
    [
        {"cipassword": "hunter2"},
        {"pending": {"cipassword": {"value": "x", "pending": "hunter2"}}},
        {"a": [{"password": "hunter2"}]},
        {"smb": "user=joe,password=hunter2,domain=x"},
        {"description": "see below\npassword=hunter2\n"},
        {"secret": {"value": "hunter2"}},
        {"header": [{"token": "hunter2"}]},
    ],
)
def test_a_secret_is_gone_wherever_it_stands(document: dict[str, Any]) -> None:
    assert "hunter2" not in canonical_json(redact(document, KEY))


def test_secrets_are_known_by_their_form_too() -> None:
    found = canonical_json(redact({"note": PEM, "args": f"root@pam!ci={TOKEN}"}, KEY))
    assert "MIIE" not in found
    assert TOKEN not in found
    assert "root@pam!ci" in found


def test_equal_secrets_have_equal_fingerprints_under_one_key_only() -> None:
    one, other = redact({"password": "a"}, KEY), redact({"password": "b"}, KEY)
    assert one != other
    assert one == redact({"password": "a"}, KEY)
    assert one != redact({"password": "a"}, SecretKey(b"x" * 32))
    assert is_fingerprint(one["password"])


def test_the_mask_pve_shows_is_kept() -> None:
    assert redact({"cipassword": "**********"}, KEY) == {"cipassword": "**********"}


@given(st.dictionaries(st.sampled_from(["password", "name", "net0", "smb"]), st.text()))
def test_redacting_twice_changes_nothing_more(document: dict[str, str]) -> None:
    once = redact(document, KEY)
    assert redact(once, KEY) == once


@given(st.text(min_size=1).filter(lambda text: text.strip("*") != ""))
def test_any_password_is_replaced(password: str) -> None:
    found = redact({"password": password}, KEY)["password"]
    assert is_fingerprint(found)


def test_a_key_survives_its_text() -> None:
    key = SecretKey.generate()
    assert SecretKey.parse(key.to_text()) == key
    for bad in ("", "abc", "zz" * 32, "ab" * 31):
        with pytest.raises(ValueError, match=r"hexadecimal|non-hex"):
            SecretKey.parse(bad)
