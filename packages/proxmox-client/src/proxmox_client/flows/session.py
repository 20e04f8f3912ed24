"""Who asks, which server, and how patiently."""

from __future__ import annotations

from urllib.parse import quote

import attrs

from proxmox_client.flows.retry import RetryPolicy
from proxmox_client.observing.watch import Watch
from proxmox_client.values.login import Login, OpenIdLogin, Ticket
from proxmox_client.values.token import ApiToken
from proxmox_client.wire.request import Request


@attrs.define(eq=False)
class Account:
    """A login and the ticket it has at the moment: the part of a session that changes.

    Attributes:
        login: How to get a ticket.
        ticket: The ticket; None before the first login.
    """

    login: Login
    ticket: Ticket | None = None

    @classmethod
    def of(cls, login: Login) -> Account:
        """Return the account of a login."""
        return cls(login, login if isinstance(login, Ticket) else None)

    @property
    def user(self) -> str:
        """Who it is, as far as known."""
        if self.ticket is not None:
            return self.ticket.user
        return (
            f"somebody@{self.login.realm}"
            if isinstance(self.login, OpenIdLogin)
            else self.login.user
        )


@attrs.define(eq=False)
class Route:
    """Which of several servers is asked. It stays with one until that one cannot be reached.

    Attributes:
        servers: Their addresses, best first.
        unlearnt: The cluster is still to be asked for its other servers, before the first call.
        current: The one asked at the moment.
    """

    servers: tuple[str, ...] = ("",)
    unlearnt: bool = False
    current: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.current = self.servers[0]

    def leave(self, server: str, tried: set[str]) -> bool:
        """Go to the next server that has not been tried; False where there is none.

        Args:
            server: The one that could not be reached; it counts as tried from now on.
            tried: Servers that this request has been refused by.
        """
        tried.add(server)
        if self.current not in tried:  # somebody else has gone on already
            return True
        start = self.servers.index(server) if server in self.servers else 0
        for other in self.servers[start:] + self.servers[:start]:
            if other not in tried:
                self.current = other
                return True
        return False

    def add(self, server: str) -> None:
        """Take up another server, behind those known."""
        if server not in self.servers:
            self.servers = (*self.servers, server)


@attrs.define(eq=False)
class KnownServer:
    """What is known of the server so far.

    Attributes:
        version: Its PVE version, such as `9.2`; None before it was asked for.
    """

    version: str | None = None


@attrs.frozen
class Session:
    """Who asks, which server, and how patiently.

    Attributes:
        token: The API token; None where somebody logs in.
        retry: When to send again.
        account: The login; None with a token.
        route: The servers.
        timeout: Seconds without a byte of an answer; None is the client's own.
        server: What is known of the server; None where its version is not checked.
        resolve_writes: Look by itself what became of a write whose answer never came.
        watch: Who watches.
    """

    token: ApiToken | None
    retry: RetryPolicy
    account: Account | None = None
    route: Route = attrs.field(factory=Route)
    timeout: float | None = None
    server: KnownServer | None = None
    resolve_writes: bool = False
    watch: Watch = attrs.field(factory=Watch)

    @property
    def who(self) -> str:
        """Name of the token or user: no secret."""
        if self.token is not None:
            return self.token.id
        return self.account.user if self.account is not None else "nobody"

    @property
    def curious(self) -> bool:
        """Whether other servers are to be learnt first, and there is somebody who can ask."""
        if self.account is None or self.account.ticket is not None:
            return self.route.unlearnt
        return self.route.unlearnt and not isinstance(self.account.login, OpenIdLogin)

    def authorised(self, request: Request) -> Request:
        """Return the request with its credentials."""
        if self.token is not None:
            return request.with_headers({"Authorization": self.token.authorization})
        ticket = self.account.ticket if self.account is not None else None
        if ticket is None:
            return request
        headers = {"Cookie": f"PVEAuthCookie={quote(ticket.secret, safe='')}"}
        if request.method != "GET":
            headers["CSRFPreventionToken"] = ticket.csrf
        return request.with_headers(headers)
