"""Who may call: whoever holds the access token that the server printed when it started.

The server listens on loopback only. That keeps other machines out, not other users of this one and
not web pages in a browser (which can reach loopback); the token keeps out both.
"""

from __future__ import annotations

import hmac
import secrets

import attrs
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
PUBLIC = frozenset({"/api/v1/health"})


def _hidden(value: str) -> str:
    return "***"


@attrs.frozen
class AccessToken:
    """The secret a caller must show as `Authorization: Bearer …`.

    Attributes:
        value: The secret; hidden in `repr`.
    """

    value: str = attrs.field(repr=_hidden)

    @classmethod
    def generate(cls) -> AccessToken:
        """Return a token nobody can guess."""
        return cls(secrets.token_urlsafe(32))

    def admits(self, authorization: str | None) -> bool:
        """Tell whether an Authorization header carries this token, in constant time."""
        scheme, _, given = (authorization or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            given.strip().encode(), self.value.encode()
        )


class RequireToken:
    """Middleware that answers 401 to whoever does not hold the token."""

    def __init__(self, app: ASGIApp, token: AccessToken) -> None:
        """Wrap `app`."""
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let public paths and token holders through."""
        if scope["type"] == "http" and scope["path"] not in PUBLIC:
            if not self._token.admits(Headers(scope=scope).get("authorization")):
                answer = JSONResponse(
                    {"error": "send the access token `pmpc web` printed: Authorization: Bearer …"},
                    status_code=401,
                    headers={"WWW-Authenticate": "Bearer"},
                )
                await answer(scope, receive, send)
                return
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._app(scope, receive, send)
