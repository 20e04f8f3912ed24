"""Logins with a password or through OpenID, and the tickets they give; secrets never show."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, urlsplit

import attrs

TICKET_LIFETIME: Final = 7200.0
"""Seconds PVE honours a ticket."""
RENEW_AFTER: Final = 3600.0
"""Seconds after which a ticket is exchanged for a new one."""
_TOTP: Final = re.compile(r"[0-9]{6,8}")
_USER: Final = re.compile(r"[^\s:/]+@[A-Za-z][A-Za-z0-9._-]+")


def _check_user(instance: object, attribute: object, value: str) -> None:
    if _USER.fullmatch(value) is None:
        raise ValueError(f"not a user: {value!r} (expected name@realm, such as root@pam)")


@attrs.frozen
class PasswordLogin:
    """A user's name and password, with a second factor where the account asks for one.

    Attributes:
        user: `name@realm`.
        password: Its password.
        otp: Called when PVE asks for a second factor; returns a code of an authenticator app, or
            a recovery code. Each login needs a fresh one; renewing a ticket needs none.
    """

    user: str = attrs.field(validator=_check_user)
    password: str = attrs.field(repr=False)
    otp: Callable[[], str] | None = attrs.field(default=None, repr=False)


@attrs.frozen
class OpenIdLogin:
    """A login through an OpenID realm: start it, send somebody to the address, finish it.

    Attributes:
        realm: Name of the realm.
        redirect_url: Where the provider sends the browser afterwards; the provider must know it.
    """

    realm: str
    redirect_url: str


@attrs.frozen
class Ticket:
    """What a login gave: a session of two hours that can be renewed.

    Attributes:
        user: `name@realm`.
        secret: The ticket.
        csrf: The token that writes must carry.
        obtained: When, in seconds since the epoch.
    """

    user: str = attrs.field(validator=_check_user)
    secret: str = attrs.field(repr=False)
    csrf: str = attrs.field(repr=False)
    obtained: float = 0.0


Login = PasswordLogin | OpenIdLogin | Ticket


def second_factor(code: str) -> str:
    """Return a code as PVE wants it: with its kind in front."""
    text = code.strip()
    if text.startswith(("totp:", "recovery:", "yubico:")):
        return text
    digits = text.replace(" ", "")
    return f"totp:{digits}" if _TOTP.fullmatch(digits) else f"recovery:{text}"


def read_redirect(answer: str) -> tuple[str, str]:
    """Return code and state from the address an OpenID provider sent the browser to.

    Raises:
        ValueError: The address carries none. The message does not repeat it.
    """
    fields = parse_qs(urlsplit(answer).query)
    try:
        return fields["code"][0], fields["state"][0]
    except KeyError:
        said = fields.get("error", ["no code and no state in it"])[0]
        raise ValueError(f"the provider's answer cannot be used: {said}") from None
