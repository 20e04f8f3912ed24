"""Logins: password, second factor, renewal, one more login after a refusal, OpenID."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import parse_qs

import attrs
import httpx
import pytest

from proxmox_client import (
    AsyncClient,
    AuthenticationFailed,
    Client,
    ConnectError,
    OpenIdLogin,
    PasswordLogin,
    RequestInvalid,
    RetryPolicy,
    Ticket,
)
from proxmox_client.flows.call import Session, perform_raw
from proxmox_client.flows.drivers import SyncDriver
from proxmox_client.flows.effects import Flow, Lost, Stage
from proxmox_client.flows.login import finish_openid, start_openid
from proxmox_client.flows.session import Account
from proxmox_client.testing import SimulatedCluster
from proxmox_client.values.login import read_redirect, second_factor
from proxmox_client.wire.request import Request, Response

T = TypeVar("T")
PASSWORD = "correct horse battery staple"
LOGIN = PasswordLogin("root@pam", PASSWORD)


def answered(data: Any, status: int = 200, reason: str = "OK", **beside: Any) -> Response:
    return Response(status, reason, json.dumps({"data": data, **beside}).encode())


REFUSED = Response(401, "permission denied - invalid PVE ticket")


@attrs.define
class Front:
    """A server that knows tickets by number: each login gives the next one."""

    time: float = 1_000_000.0
    logins: list[dict[str, str]] = attrs.field(factory=list[dict[str, str]])
    calls: list[Request] = attrs.field(factory=list[Request])
    respond: Callable[[Request, int], Response | Lost] = lambda request, number: answered(number)
    log_in: Callable[[dict[str, str], int], Response | Lost] = lambda form, number: answered(
        {"username": form["username"], "ticket": f"PVE:{number}", "CSRFPreventionToken": "C"}
    )

    def send(self, request: Request) -> Response | Lost:
        if request.address.startswith("/access/"):
            form = {
                key: values[0] for key, values in parse_qs((request.body or b"").decode()).items()
            }
            self.logins.append(form)
            return self.log_in(form, len(self.logins))
        self.calls.append(request)
        return self.respond(request, len(self.calls))

    def run(self, flow: Flow[T]) -> T:
        return SyncDriver(self.send, lambda s: None, lambda: self.time, lambda: 0.0).run(flow)

    def tickets(self) -> list[str]:
        return [call.headers.get("Cookie", "") for call in self.calls]


def session(login: PasswordLogin | OpenIdLogin | Ticket = LOGIN) -> Session:
    return Session(None, RetryPolicy(first_delay=0.0), account=Account.of(login))


def test_login_comes_before_the_first_call_and_only_there() -> None:
    front, who = Front(), session()
    for method in ("GET", "GET", "POST", "DELETE"):
        front.run(perform_raw(who, method, "/pools", {}))
    assert front.logins == [{"username": "root@pam", "password": PASSWORD}]
    assert set(front.tickets()) == {"PVEAuthCookie=PVE%3A1"}
    carried = [call.headers.get("CSRFPreventionToken") for call in front.calls]
    assert carried == [None, None, "C", "C"]


def test_ticket_is_renewed_with_itself_after_an_hour() -> None:
    front, who = Front(), session()
    front.run(perform_raw(who, "GET", "/pools", {}))
    front.time += 3700
    front.run(perform_raw(who, "GET", "/pools", {}))
    assert front.logins[1] == {"username": "root@pam", "password": "PVE:1"}
    assert front.tickets()[1] == "PVEAuthCookie=PVE%3A2"


def test_ended_ticket_means_the_password_again() -> None:
    front, who = Front(), session()
    front.run(perform_raw(who, "GET", "/pools", {}))
    front.time += 7300
    front.run(perform_raw(who, "GET", "/pools", {}))
    assert front.logins[1]["password"] == PASSWORD


def test_refused_renewal_means_the_password_again() -> None:
    front, who = Front(), session()
    front.run(perform_raw(who, "GET", "/pools", {}))
    front.time += 3700
    allow = front.log_in
    front.log_in = lambda form, number: (
        allow(form, number)
        if form["password"] == PASSWORD
        else answered(None, 401, "authentication failure", message="authentication failure\n")
    )
    front.run(perform_raw(who, "GET", "/pools", {}))
    assert [form["password"] for form in front.logins] == [PASSWORD, "PVE:1", PASSWORD]


def test_renewal_out_of_reach_uses_the_ticket_while_it_is_good() -> None:
    front, who = Front(), session()
    front.run(perform_raw(who, "GET", "/pools", {}))
    front.time += 3700
    front.log_in = lambda form, number: Lost(Stage.NOT_SENT, ConnectError("pve1", 8006, "gone"))
    front.run(perform_raw(who, "GET", "/pools", {}))
    assert set(front.tickets()) == {"PVEAuthCookie=PVE%3A1"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_refused_ticket_logs_in_once_and_sends_again(method: str) -> None:
    front, who = Front(), session()
    front.respond = lambda request, number: REFUSED if number == 1 else answered(number)
    assert front.run(perform_raw(who, method, "/pools", {})) == 2
    assert len(front.logins) == 2
    assert front.tickets() == ["PVEAuthCookie=PVE%3A1", "PVEAuthCookie=PVE%3A2"]


def test_second_refusal_stands() -> None:
    front, who = Front(), session()
    front.respond = lambda request, number: REFUSED
    with pytest.raises(AuthenticationFailed):
        front.run(perform_raw(who, "POST", "/pools", {}))
    assert len(front.calls) == len(front.logins) == 2


def test_refusal_by_the_operation_itself_is_not_sent_again() -> None:
    """PUT /access/password with a wrong confirmation answers 401 with a message."""
    front, who = Front(), session()
    front.respond = lambda request, number: answered(None, 401, "no", message="wrong password\n")
    with pytest.raises(AuthenticationFailed, match="no"):
        front.run(perform_raw(who, "PUT", "/pools", {}))
    assert len(front.calls) == len(front.logins) == 1


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        ("123456", "totp:123456"),
        ("123 456", "totp:123456"),
        ("ab12-cd34-ef56-7890", "recovery:ab12-cd34-ef56-7890"),
        ("totp:12345678", "totp:12345678"),
    ],
)
def test_second_factor_answers_the_challenge(code: str, sent: str) -> None:
    front, who = Front(), session(attrs.evolve(LOGIN, otp=lambda: code))
    finish = front.log_in
    challenge = {"username": "root@pam", "ticket": "PVE:!tfa!x", "NeedTFA": 1}
    front.log_in = lambda form, number: (
        finish(form, number) if "tfa-challenge" in form else answered(challenge)
    )
    front.run(perform_raw(who, "GET", "/pools", {}))
    assert front.logins[1] == {
        "username": "root@pam",
        "password": sent,
        "tfa-challenge": "PVE:!tfa!x",
    }
    assert front.tickets() == ["PVEAuthCookie=PVE%3A2"]
    assert second_factor(code) == sent


def test_missing_second_factor_is_told() -> None:
    front = Front()
    front.log_in = lambda form, number: answered({"ticket": "PVE:!tfa!x", "NeedTFA": 1})
    with pytest.raises(AuthenticationFailed, match="needs a second factor"):
        front.run(perform_raw(session(), "GET", "/pools", {}))
    assert front.calls == []


def test_code_of_a_second_factor_is_never_sent_twice() -> None:
    front, who = Front(), session(attrs.evolve(LOGIN, otp=lambda: "123456"))
    lost = Lost(Stage.MAYBE_SENT, ConnectError("pve1", 8006, "gone"))
    front.log_in = lambda form, number: (
        lost if "tfa-challenge" in form else answered({"ticket": "PVE:!tfa!x", "NeedTFA": 1})
    )
    with pytest.raises(ConnectError, match="gone"):
        front.run(perform_raw(who, "GET", "/pools", {}))
    assert len([form for form in front.logins if "tfa-challenge" in form]) == 1


def test_given_ticket_is_renewed_but_cannot_be_replaced() -> None:
    given = Ticket("alice@sso", "PVE:given", "C", 1_000_000.0)
    front, who = Front(), session(given)
    front.run(perform_raw(who, "GET", "/pools", {}))
    front.time += 3700
    front.run(perform_raw(who, "GET", "/pools", {}))
    assert front.logins == [{"username": "alice@sso", "password": "PVE:given"}]
    front.time += 9000
    with pytest.raises(AuthenticationFailed, match="log in anew"):
        front.run(perform_raw(who, "GET", "/pools", {}))


def test_openid_in_two_steps() -> None:
    login = OpenIdLogin("sso", "https://me.example/back")
    front, who = Front(), session(login)
    with pytest.raises(RequestInvalid, match="not finished"):
        front.run(perform_raw(who, "GET", "/pools", {}))
    front.log_in = lambda form, number: (
        answered("https://provider.example/?state=S")
        if "realm" in form
        else answered({"username": "alice@sso", "ticket": "PVE:T", "CSRFPreventionToken": "C"})
    )
    assert front.run(start_openid(who, login)) == "https://provider.example/?state=S"
    back = "https://me.example/back?code=C0DE&state=S"
    ticket = front.run(finish_openid(who, login, back))
    assert front.logins[-1] == {"code": "C0DE", "state": "S", "redirect-url": login.redirect_url}
    assert who.who == ticket.user == "alice@sso"
    front.run(perform_raw(who, "GET", "/pools", {}))
    assert front.tickets() == ["PVEAuthCookie=PVE%3AT"]


def test_openid_answer_without_a_code() -> None:
    with pytest.raises(ValueError, match="access_denied"):
        read_redirect("https://me.example/back?error=access_denied")


def test_secrets_never_show() -> None:
    front, who = Front(), session(attrs.evolve(LOGIN, otp=lambda: "123456"))
    front.log_in = lambda form, number: answered(
        None, 401, "authentication failure", message="authentication failure\n"
    )
    with pytest.raises(AuthenticationFailed, match="password and the second factor") as caught:
        front.run(perform_raw(who, "GET", "/pools", {}))
    shown = "".join(traceback.format_exception(caught.value))
    for text in (shown, str(caught.value), repr(caught.value), repr(who), str(LOGIN), repr(LOGIN)):
        assert PASSWORD not in text
    ticket = Ticket("root@pam", "SECRET-TICKET", "SECRET-CSRF")
    assert "SECRET" not in f"{ticket!r} {ticket} {session(ticket)!r}"


@pytest.mark.parametrize("user", ["root", "", "root@", "a b@pam"])
def test_user_needs_a_realm(user: str) -> None:
    with pytest.raises(ValueError, match=r"name@realm"):
        PasswordLogin(user, "x")


class Counted(httpx.BaseTransport):
    """A simulator's transport that remembers what was asked."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._inner = cluster.transport()
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path.removeprefix('/api2/json')}")
        return self._inner.handle_request(request)


class CountedAsync(httpx.AsyncBaseTransport):
    def __init__(self, cluster: SimulatedCluster) -> None:
        self._inner = cluster.async_transport()
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path.removeprefix('/api2/json')}")
        return await self._inner.handle_async_request(request)


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.access.users["root@pam"].password = PASSWORD
    return made


def test_threads_share_one_login(cluster: SimulatedCluster) -> None:
    transport = Counted(cluster)
    now = cluster.clock.now
    with Client("pve1", login=LOGIN, transport=transport, now=now) as pve:
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(pve.version.get) for _ in range(16)]
            found = [answer.result().release for answer in asked]
        assert set(found) == {"9.2"}
        pve.pools.post(poolid="made")
        assert repr(pve) == "<Client https://pve1:8006 as root@pam>"
    assert transport.asked.count("POST /access/ticket") == 1
    assert "made" in cluster.pools


async def test_tasks_share_one_login(cluster: SimulatedCluster) -> None:
    transport = CountedAsync(cluster)
    now = cluster.clock.now
    async with AsyncClient("pve1", login=LOGIN, transport=transport, now=now) as pve:
        await asyncio.gather(*(pve.version.get() for _ in range(16)))
        await pve.pools.post(poolid="made")
    assert transport.asked.count("POST /access/ticket") == 1
    assert "made" in cluster.pools


def test_ended_ticket_of_a_sleeping_clock(cluster: SimulatedCluster) -> None:
    """A machine that slept does not notice that two hours are over; the server does."""
    transport = Counted(cluster)
    with Client("pve1", login=LOGIN, transport=transport, now=lambda: 0.0) as pve:
        pve.pools.post(poolid="first")
        cluster.clock.advance(8000)
        pve.pools.post(poolid="second")
    assert {"first", "second"} <= set(cluster.pools)
    assert transport.asked.count("POST /access/ticket") == 2
    assert transport.asked.count("POST /pools") == 3


def test_token_and_login_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="either token= or login="):
        Client("pve1")
    with pytest.raises(ValueError, match="either token= or login="):
        AsyncClient("pve1", token="root@pam!x=y", login=LOGIN)
