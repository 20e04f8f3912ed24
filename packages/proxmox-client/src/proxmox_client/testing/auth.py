"""Who is calling: API tokens and tickets."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

import attrs

if TYPE_CHECKING:
    from proxmox_client.testing.access import AccessControl

TICKET_LIFETIME = 7200.0
UNAUTHORISED_DELAY = 3.0


@attrs.frozen
class Identity:
    """Somebody who proved who he is; empty for nobody.

    Attributes:
        userid: ``root@pam``.
        tokenid: Name of the token, None with a ticket.
        trusted: A call from within the test: privileges are not asked for.
    """

    userid: str = ""
    tokenid: str | None = None
    trusted: bool = False

    @property
    def authid(self) -> str:
        """``root@pam`` or ``root@pam!name``, as in UPIDs."""
        return self.userid if self.tokenid is None else f"{self.userid}!{self.tokenid}"

    @property
    def is_root(self) -> bool:
        """Whether everything is allowed: to root itself, but not to root's tokens."""
        return self.trusted or self.authid == "root@pam"


NOBODY = Identity()


class Unauthorised(Exception):
    """Status 401 with an empty body; the message is the reason phrase."""


class Authenticator:
    """Reads credentials from requests and makes tickets."""

    def __init__(self, access: AccessControl, key: bytes) -> None:
        self._access = access
        self._key = key
        self.lifetime = TICKET_LIFETIME
        self._ended: dict[str, int] = {}

    def identify(self, method: str, headers: Mapping[str, str], now: float) -> Identity:
        """Find out who sent a request; nobody if it carries no credentials.

        Raises:
            Unauthorised: There are credentials and they are not good.
        """
        authorization = headers.get("authorization", "")
        if authorization.startswith("PVEAPIToken"):
            return self._token(authorization[len("PVEAPIToken") + 1 :], now)
        ticket = self._ticket_in(authorization, headers.get("cookie", ""))
        if ticket is None:
            return NOBODY
        identity = self._ticket(ticket, now)
        if method != "GET" and not self.is_csrf(
            headers.get("csrfpreventiontoken", ""), identity.userid
        ):
            raise Unauthorised("Permission denied - invalid csrf token")
        return identity

    def ticket(self, userid: str, now: float) -> str:
        """Make a ticket."""
        plain = f"PVE:{userid}:{int(now):08X}"
        return f"{plain}::{self._sign(self._era(userid) + plain)}"

    def challenge_ticket(self, userid: str, challenge: str, now: float) -> str:
        """Make the ticket that asks for a second factor; it is good for nothing else."""
        # Only colons are escaped, as they end the ticket's fields.
        plain = f"PVE:!tfa!{challenge.replace(':', '%3A')}:{int(now):08X}"
        return f"{plain}::{self._sign(f'{self._era(userid)}{plain}:{userid}')}"

    def is_challenge(self, ticket: str, userid: str, now: float) -> bool:
        """Whether a ticket asks this user for a second factor, and still does."""
        plain, _, signature = ticket.partition("::")
        if not plain.startswith("PVE:!tfa!"):
            return False
        expected = self._sign(f"{self._era(userid)}{plain}:{userid}")
        return hmac.compare_digest(signature, expected) and _in_time(plain, now, self.lifetime)

    def expire_tickets(self, userid: str = "") -> None:
        """End all tickets made so far: everybody's, or one user's."""
        self._ended[userid] = self._ended.get(userid, 0) + 1

    def csrf(self, userid: str, now: float) -> str:
        """Make the token that writing with a ticket needs."""
        stamp = f"{int(now):08X}"
        return f"{stamp}:{self._sign(f'{stamp}:{userid}')}"

    def is_csrf(self, token: str, userid: str) -> bool:
        """Whether a CSRF token belongs to a user."""
        stamp, _, signature = token.partition(":")
        return hmac.compare_digest(signature, self._sign(f"{stamp}:{userid}"))

    def ticket_user(self, ticket: str, now: float) -> str | None:
        """Return whose valid ticket this is."""
        plain, _, signature = ticket.partition("::")
        if plain.count(":") < 2:
            return None
        _, userid, _ = plain.rsplit(":", 2)
        if not hmac.compare_digest(signature, self._sign(self._era(userid) + plain)):
            return None
        return userid if _in_time(plain, now, self.lifetime) else None

    def _era(self, userid: str) -> str:
        """What is signed besides the ticket: changes whenever tickets are ended."""
        eras = self._ended.get("", 0), self._ended.get(userid, 0)
        return f"{eras[0]}.{eras[1]} " if any(eras) else ""

    def _sign(self, text: str) -> str:
        return base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()

    def _token(self, text: str, now: float) -> Identity:
        full, _, secret = text.partition("=")
        userid, _, tokenid = full.partition("!")
        user = self._access.users.get(userid)
        token = user.tokens.get(tokenid) if user else None
        if user is None or token is None or not self._access.may_log_in(user, now):
            raise Unauthorised("Authentication failed!")
        expired = token.expire and token.expire < now
        if expired or not hmac.compare_digest(token.secret.encode(), secret.encode()):
            raise Unauthorised("Authentication failed!")
        return Identity(userid, tokenid)

    def _ticket(self, ticket: str, now: float) -> Identity:
        userid = self.ticket_user(ticket, now)
        user = self._access.users.get(userid or "")
        if user is None or not self._access.may_log_in(user, now):
            raise Unauthorised("Authentication failed!")
        return Identity(user.userid)

    @staticmethod
    def _ticket_in(authorization: str, cookies: str) -> str | None:
        name = "PVEAuthCookie="
        if authorization.startswith(name):
            return unquote(authorization[len(name) :])
        for part in cookies.split(";"):
            if part.strip().startswith(name):
                return unquote(part.strip()[len(name) :])
        return None


def _in_time(plain: str, now: float, lifetime: float) -> bool:
    age = now - int(plain.rpartition(":")[2], 16)
    return -300 <= age <= lifetime
