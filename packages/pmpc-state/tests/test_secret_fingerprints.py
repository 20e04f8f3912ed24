"""Secrets become keyed fingerprints, and nothing else does."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmpc_state.canonical import (
    SecretKey,
    canonical_json,
    holds_fingerprint,
    is_fingerprint,
    is_secret,
    redact,
    redact_resource,
)

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
        {"env": "A=1\0DB_PASSWORD=hunter2\0B=2"},
        {"env": "AWS_SECRET_ACCESS_KEY=x,hunter2"},
        {"env": "PGPASSWORD=hunter2"},
        {"env": "DATABASE_URL=postgres://joe:hunter2@db/shop"},
        {"pending": {"env": {"value": "X=1", "pending": "PGPASSWORD=hunter2"}}},
        {"lxc": [["lxc.environment", "PGPASSWORD=hunter2"]]},
        {"http_proxy": "http://joe:hunter2@proxy:3128/"},
        {"url": "https://hooks.example/x?a=b&token=hunter2&c=d"},
        {"keys": "hunter2"},
        {"keys": "x!oath hunter2"},
        {"otel-headers": "hunter2"},
        {"tfa": "type=yubico,id=1,key=hunter2,url=x"},
        {"header": ["name=Authorization,value=hunter2"]},
        {"header": [{"name": "X-Api", "value": "hunter2"}]},
        {"header": "name=X-Api,value=hunter2"},
        {"args": "-object secret,id=sec0,data=hunter2"},
        {"args": "-vnc :1,password=hunter2"},
        {"description": "Password: hunter2"},
        {"description": "api key\napi_key = hunter2"},
        {"description": '{"token": "hunter2"}'},
        {"description": "password=some,hunter2"},
        {"description": 'password="some, hunter2"'},
        {"description": "curl -H 'Authorization: Bearer some-hunter2'"},
    ],
)
def test_a_secret_is_gone_wherever_it_stands(document: dict[str, Any]) -> None:
    assert "hunter2" not in canonical_json(redact(document, KEY))


def test_secrets_are_known_by_their_form_too() -> None:
    found = canonical_json(redact({"note": PEM, "args": f"root@pam!ci={TOKEN}"}, KEY))
    assert "MIIE" not in found
    assert TOKEN not in found
    assert "root@pam!ci" in found


def test_the_body_of_a_webhook_is_kept_unless_it_holds_a_secret() -> None:
    encoded = [
        base64.b64encode(text.encode()).decode()
        for text in ('{"text": "{{ title }}"}', '{"token": "hunter2"}')
    ]
    open_one, closed = (redact({"body": body}, KEY)["body"] for body in encoded)
    assert open_one == encoded[0]
    assert is_fingerprint(closed)


@pytest.mark.parametrize(
    "document",
    [
        {"header": ["name=Content-Type,value=YXBwbGljYXRpb24vanNvbg=="]},
        {"net0": "virtio=BC:24:11:AA:BB:CC,bridge=vmbr0,tag=20"},
        {"description": "Key: value; the monkey said: hello\nsee https://wiki/page?id=7"},
        {"url": "https://host:8006/a@b"},
        {"env": "LANG=C\0TZ=UTC"},
        {"keys": "x"},
        {"keys": ["cores", "memory"]},
        {"meta": "creation-qemu=10.0.2,ctime=1700000000"},
    ],
)
def test_what_is_no_secret_stays_readable(document: dict[str, Any]) -> None:
    assert redact(document, KEY) == document


def test_only_the_secret_of_a_longer_text_is_replaced() -> None:
    text = "user=joe,password=hunter2,domain=x"
    assert redact({"smb": text}, KEY) == {
        "smb": f"user=joe,password={KEY.fingerprint('hunter2')},domain=x"
    }


def test_a_value_with_a_fingerprint_in_it_is_known_as_one_that_cannot_be_written_back() -> None:
    found = redact({"env": "A=1\0PGPASSWORD=x", "smb": [{"password": "x"}], "name": "x"}, KEY)
    assert [name for name, value in found.items() if holds_fingerprint(value)] == ["env", "smb"]


def test_equal_secrets_have_equal_fingerprints_under_one_key_only() -> None:
    one, other = redact({"password": "a"}, KEY), redact({"password": "b"}, KEY)
    assert one != other
    assert one == redact({"password": "a"}, KEY)
    assert one != redact({"password": "a"}, SecretKey(b"x" * 32))
    assert is_fingerprint(one["password"])


def test_the_mask_pve_shows_is_kept() -> None:
    assert redact({"cipassword": "**********"}, KEY) == {"cipassword": "**********"}


_PIECES = st.sampled_from(
    ["password", "token", "key", "=", ":", ": ", ",", " ", '"', "'", "&", "?", "://", "@", "!",
     "Bearer ", "secret,data=", "hmac-sha256:", "\\", "\0", "\n", "abcdefgh", "*",
     "12345678-1234-1234-1234-123456789abc", "name=X,value=", "-----BEGIN PRIVATE KEY-----"]
)  # fmt: skip
_TEXTS = st.text() | st.lists(_PIECES, max_size=12).map("".join)


@given(
    st.dictionaries(
        st.sampled_from(["password", "name", "net0", "smb", "env", "header", "body", "keys"]),
        _TEXTS,
    )
)
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


@pytest.mark.parametrize("time", [1000, "1000", "30000"])
def test_the_time_out_of_corosyncs_token_is_a_number_and_no_secret(time: object) -> None:
    totem = {"config": {"token": time, "secauth": "on"}}
    assert redact_resource("corosync-totem", totem, KEY) == totem


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("corosync-totem", {"token": "hunter2"}),
        ("corosync-totem", {"token": "-----BEGIN"}),
        ("corosync-totem", {"token": 10**12}),
        ("corosync-totem", {"token": {"value": "1000"}}),
        ("corosync-totem", {"interface": {"0": {"token": "1000"}}}),
        ("corosync-totem", {"key": 1000}),
        ("corosync-totem", {"tokens": [{"token": 1000}]}),
        ("corosync-node", {"token": 1000}),
        ("gotify", {"token": "123456"}),
        ("metric-server", {"token": 123456}),
        ("token", {"token": "1000"}),
    ],
)
def test_no_other_token_is_shown_for_being_a_number(kind: str, config: dict[str, Any]) -> None:
    shown = canonical_json(redact_resource(kind, {"config": config}, KEY))
    assert shown == canonical_json(redact({"config": config}, KEY))
    assert holds_fingerprint(shown)
    pending = {"config": {}, "pending": {"token": 1000}}
    assert holds_fingerprint(redact_resource(kind, pending, KEY))
