"""What is secret in a request, and keeping it out of what others say about the request.

PVE repeats values in its sentences now and then, and so do proxies. An error's words are shown and
logged; so whatever secret a request held is blotted out of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl, quote, unquote

from proxmox_client.errors import PveError
from proxmox_client.wire.request import Request

HIDDEN: Final = "***"
_NAME: Final = re.compile(
    r"password|passwd|secret|(?<!lock-)token$|key$|totp|ticket|^tfa"
    r"|^(?:otp|keys|keyring|data|header|otel-headers|input-data|code|value|recovery|challenge)$",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"(?:totp|recovery|yubico):")
_HEADERS: Final = ("Authorization", "Cookie", "CSRFPreventionToken")
_SHORT: Final = 4
"""Shorter values would blot out half the sentence."""


def is_secret(name: str) -> bool:
    """Say whether a parameter of that name holds a secret."""
    return _NAME.search(name) is not None


def parameters_of(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of a request as they were sent, secrets included."""
    text = request.target.partition("?")[2] if request.body is None else request.body.decode()
    return parse_qsl(text, keep_blank_values=True)


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these secrets."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def secrets_of(request: Request) -> tuple[str, ...]:
    """Return what must not be shown of a request: longest first, encoded forms included."""
    plain = {secret for secret in _plain(request) if len(secret) >= _SHORT}
    forms = {form for secret in plain for form in _forms(secret)}
    return tuple(sorted(forms, key=len, reverse=True))


def purge(error: PveError, secrets: Iterable[str]) -> None:
    """Blot secrets out of an error's attributes, in place."""
    kept = tuple(secrets)
    for name, value in vars(error).items():
        setattr(error, name, _hidden(value, kept))
    error.args = tuple(_hidden(value, kept) for value in error.args)


def _hidden(value: object, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return hide(value, secrets)
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return {hide(key, secrets): _hidden(entry, secrets) for key, entry in entries.items()}
    return value


def _plain(request: Request) -> Iterator[str]:
    for name in _HEADERS:
        value = request.headers.get(name, "")
        # PVEAPIToken=user@realm!name=SECRET, PVEAuthCookie=TICKET, or the CSRF token itself
        yield value.rpartition("=")[2] if name == "Authorization" else value
        if name == "Cookie":
            ticket = value.partition("=")[2]
            yield from (ticket, unquote(ticket))
    for name, value in parameters_of(request):
        if is_secret(name):
            yield value
            yield value.rpartition(":")[2] if _CODE.match(value) else ""
            yield from (line for line in value.splitlines() if line.strip())


def _forms(secret: str) -> Iterator[str]:
    encoded = quote(secret, safe="")
    yield from (secret, encoded, quote(secret), encoded.replace("%20", "+"), repr(secret)[1:-1])
