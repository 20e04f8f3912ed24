"""Sessions against the simulator over HTTPS: second factors, OpenID, tickets that end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from proxmox_client import (
    AsyncClient,
    AuthenticationFailed,
    Client,
    OpenIdLogin,
    PasswordLogin,
    Pin,
    SecondFactorRequired,
    Ticket,
)
from proxmox_client.observing import Finished, RetryPlanned, Sending
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.outside import IdentityProvider
from proxmox_client.testing.secondfactors import one_time_password
from proxmox_client.testing.server import SimulatorServer
from proxmox_client.values.login import Login

URI = "otpauth://totp/pve:op@pve?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=30&digits=6"
PASSWORD = "oppass123"
ISSUER = "https://id.example.com"
BACK = "https://me.example/back"


@attrs.define
class Calls:
    """A watcher that writes down what was sent and what came back."""

    told: list[str] = attrs.field(factory=list[str])

    def before(self, event: Sending) -> None: ...

    def after(self, event: Finished) -> None:
        self.told.append(f"{event.sending.method} {event.sending.template} {event.status}")

    def retry(self, event: RetryPlanned) -> None: ...


@attrs.define
class Site:
    """A served cluster and a way to call it, blocking or not."""

    cluster: SimulatedCluster
    server: SimulatorServer
    blocking: bool
    calls: Calls = attrs.field(factory=Calls)
    now: Callable[[], float] | None = None

    def _options(self, login: Login) -> dict[str, Any]:
        return {
            "login": login,
            "tls": Pin(self.server.fingerprint),
            "now": self.now or self.cluster.clock.now,
            "observers": [self.calls],
        }

    async def use(self, login: Login, *steps: Any) -> list[Any]:
        """Make a client and take steps: a method and path is a call, the rest is done as said."""
        found: list[Any] = []
        if self.blocking:
            with Client(self.server.url, **self._options(login)) as pve:
                for step in steps:
                    found.append(await asyncio.to_thread(_take, pve, step))
            return found
        async with AsyncClient(self.server.url, **self._options(login)) as apve:
            for step in steps:
                made = _take(apve, step)
                found.append(await made if asyncio.iscoroutine(made) else made)
        return found

    def code(self) -> str:
        return one_time_password(URI, self.cluster.clock.now())

    def logins(self) -> list[str]:
        return [told for told in self.calls.told if "/access/" in told]


def _take(pve: Any, step: Any) -> Any:
    return pve.request(*step) if isinstance(step, tuple) else step(pve)


@pytest.fixture(params=[True, False], ids=["sync", "async"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    cluster = SimulatedCluster()
    cluster.call("POST", "/access/users", {"userid": "op@pve", "password": PASSWORD})
    cluster.call("PUT", "/access/acl", {"path": "/", "users": "op@pve", "roles": "Administrator"})
    with cluster.serve(speed=10) as server:
        yield Site(cluster, server, request.param)


def add_totp(site: Site) -> None:
    params = {"type": "totp", "description": "phone", "totp": URI, "value": site.code()}
    site.cluster.call("POST", "/access/tfa/op@pve", params)
    site.cluster.clock.advance(60)  # a code works once


WRITE = ("POST", "/pools", {"poolid": "made"})


async def test_a_code_of_an_app_opens_a_session(site: Site) -> None:
    add_totp(site)
    await site.use(PasswordLogin("op@pve", PASSWORD, site.code), ("GET", "/version"), WRITE)
    assert "made" in site.cluster.pools
    assert site.logins() == ["POST /access/ticket 200"] * 2


async def test_a_recovery_code_opens_a_session(site: Site) -> None:
    codes = site.cluster.call("POST", "/access/tfa/op@pve", {"type": "recovery"})["recovery"]
    await site.use(PasswordLogin("op@pve", PASSWORD, lambda: codes[3]), WRITE)
    assert "made" in site.cluster.pools
    with pytest.raises(AuthenticationFailed):
        await site.use(PasswordLogin("op@pve", PASSWORD, lambda: codes[3]), ("GET", "/version"))


async def test_a_missing_and_a_wrong_code_are_told_apart(site: Site) -> None:
    add_totp(site)
    with pytest.raises(SecondFactorRequired, match="second factor"):
        await site.use(PasswordLogin("op@pve", PASSWORD), ("GET", "/version"))
    with pytest.raises(AuthenticationFailed) as caught:
        await site.use(PasswordLogin("op@pve", PASSWORD, lambda: "000000"), ("GET", "/version"))
    assert type(caught.value) is AuthenticationFailed
    assert len([told for told in site.logins() if told.endswith("401")]) == 1


async def test_a_ticket_is_renewed_without_another_code(site: Site) -> None:
    add_totp(site)
    asked: list[str] = []

    def otp() -> str:
        asked.append(site.code())
        return asked[-1]

    def later(pve: Any) -> None:
        site.cluster.clock.advance(3700)

    again = ("GET", "/version")
    await site.use(PasswordLogin("op@pve", PASSWORD, otp), again, later, again, later, again)
    assert len(asked) == 1
    assert site.logins() == ["POST /access/ticket 200"] * 4


async def test_a_ticket_that_ended_unnoticed_costs_one_login_and_no_write(site: Site) -> None:
    frozen = site.cluster.clock.now()

    def sleep_over_it(pve: Any) -> None:
        site.cluster.clock.advance(8000)

    site.now = lambda: frozen  # a machine that slept does not notice
    await site.use(PasswordLogin("op@pve", PASSWORD), ("GET", "/version"), sleep_over_it, WRITE)
    assert [told for told in site.calls.told if told.startswith("POST")] == [
        "POST /access/ticket 200",
        "POST /pools 401",
        "POST /access/ticket 200",
        "POST /pools 200",
    ]


async def test_openid_starts_here_and_finishes_here(site: Site) -> None:
    provider = IdentityProvider()
    site.cluster.outside.providers[ISSUER] = provider
    realm = {"realm": "sso", "type": "openid", "issuer-url": ISSUER, "client-id": "pve"}
    site.cluster.call(
        "POST", "/access/domains", {**realm, "autocreate": 1, "username-claim": "username"}
    )
    started: list[str] = []

    def start(pve: Any) -> Any:
        made = pve.openid_start()
        return _then(made, started.append) if asyncio.iscoroutine(made) else started.append(made)

    def browse(pve: Any) -> Any:
        query = parse_qs(urlsplit(started[0]).query)
        assert query["redirect_uri"] == [BACK]
        provider.codes["c1"] = {"sub": "77", "preferred_username": "cid"}
        return pve.openid_finish(f"{BACK}?code=c1&state={query['state'][0]}")

    _, ticket = await site.use(OpenIdLogin("sso", BACK), start, browse)
    assert isinstance(ticket, Ticket)
    assert ticket.user == "cid@sso"
    await site.use(ticket, ("GET", "/access/permissions"))
    assert site.calls.told[-1] == "GET /access/permissions 200"


async def _then(made: Coroutine[Any, Any, str], do: Callable[[str], None]) -> None:
    do(await made)
