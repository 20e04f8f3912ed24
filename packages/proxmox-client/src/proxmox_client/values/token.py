"""API tokens, whose secret never shows."""

from __future__ import annotations

import re
from typing import Self

import attrs

_ID = re.compile(r"(?P<user>[^\s:/!=]+@[^\s:/!=@]+)!(?P<name>[A-Za-z][A-Za-z0-9._-]+)")


@attrs.frozen(str=False)
class ApiToken:
    """A token of a user: `root@pam!automation=SECRET`.

    The secret is in `secret` and `authorization` only; `str` and `repr` leave it out.

    Attributes:
        user: `name@realm`.
        name: The token's name.
        secret: The secret PVE showed once, a UUID.
    """

    user: str
    name: str
    secret: str = attrs.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `user@realm!name=secret`, with or without `PVEAPIToken=` in front.

        Raises:
            ValueError: The text has another shape. The message never repeats it.
        """
        head, separator, secret = text.strip().removeprefix("PVEAPIToken=").partition("=")
        match = _ID.fullmatch(head)
        if match is None or not separator or not secret or any(c.isspace() for c in secret):
            raise ValueError("not an API token: expected user@realm!name=secret")
        return cls(user=match["user"], name=match["name"], secret=secret)

    @property
    def id(self) -> str:
        """The token's full name, `user@realm!name`: no secret."""
        return f"{self.user}!{self.name}"

    @property
    def authorization(self) -> str:
        """The value of the `Authorization` header: holds the secret."""
        return f"PVEAPIToken={self.id}={self.secret}"

    def __str__(self) -> str:
        return f"{self.id}=***"


def as_token(token: ApiToken | str) -> ApiToken:
    """Return the token, read from text where it is one.

    Raises:
        ValueError: The text is not a token.
    """
    return token if isinstance(token, ApiToken) else ApiToken.parse(token)
