"""Addresses people type, and what of a database URL may be shown."""

from __future__ import annotations

import pytest

from pmpc_cli.connecting import Credentials, server_url, without_password
from pmpc_cli.failures import CommandRefused


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("pve1", "https://pve1:8006"),
        ("pve1.example.org:443", "https://pve1.example.org:443"),
        ("https://pve1", "https://pve1:8006"),
        ("https://pve1:8006/", "https://pve1:8006"),
        ("192.0.2.7", "https://192.0.2.7:8006"),
        ("[2001:db8::1]", "https://[2001:db8::1]:8006"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_an_address_becomes_a_url(given: str, url: str) -> None:
    assert server_url(given) == url


@pytest.mark.parametrize("given", ["http://pve1", "ftp://pve1", "https://", "pve1:port", ""])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(CommandRefused):
        server_url(given)


def test_a_database_password_is_blotted_out() -> None:
    url = "postgresql+psycopg://pmpc:hunter2@db.example.org:5432/pmpc"
    assert without_password(url) == "postgresql+psycopg://pmpc:***@db.example.org:5432/pmpc"


def test_a_file_url_is_shown_as_it_is() -> None:
    assert without_password("sqlite:////var/lib/pmpc.db") == "sqlite:////var/lib/pmpc.db"


def test_credentials_never_show_the_token() -> None:
    assert "secret" not in repr(Credentials(token="root@pam!ab=secret"))
