"""Logging in, staying logged in, and logging in again: one at a time for each client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import attrs

from proxmox_client.errors import (
    AmbiguousWrite,
    AuthenticationFailed,
    ConnectError,
    RequestInvalid,
    SecondFactorRequired,
)
from proxmox_client.flows.delivery import deliver
from proxmox_client.flows.effects import Flow, hold, now
from proxmox_client.flows.session import Account, Session
from proxmox_client.values.login import (
    RENEW_AFTER,
    TICKET_LIFETIME,
    OpenIdLogin,
    PasswordLogin,
    Ticket,
    read_redirect,
    second_factor,
)
from proxmox_client.wire.answer import Answer
from proxmox_client.wire.params import build_raw_request
from proxmox_client.wire.request import Request

_MARGIN: Final = 60.0
_TICKET: Final = "/access/ticket"


def ready(session: Session, account: Account) -> Flow[None]:
    """Make sure that there is a ticket, and that it is not about to end.

    Raises:
        AuthenticationFailed: PVE refuses the login.
        RequestInvalid: An OpenID login is not finished.
    """
    ticket = account.ticket
    if ticket is not None and (yield from now()) - ticket.obtained < RENEW_AFTER:
        return
    yield from hold(True)
    if account.ticket is ticket:  # nobody else has done it while we waited
        yield from _refresh(session, account)
    yield from hold(False)


def again(session: Session, account: Account, refused: Ticket | None) -> Flow[None]:
    """Log in once more after PVE has refused a ticket.

    Raises:
        AuthenticationFailed: There is no password to log in with, or PVE refuses it.
    """
    yield from hold(True)
    if account.ticket is refused:
        account.ticket = None if isinstance(account.login, PasswordLogin) else refused
        account.ticket = yield from _log_in(session, account)
    yield from hold(False)


def start_openid(session: Session, login: OpenIdLogin) -> Flow[str]:
    """Ask for the address to send a browser to (POST /access/openid/auth-url)."""
    params = {"realm": login.realm, "redirect-url": login.redirect_url}
    request = _request("/access/openid/auth-url", params, replayable=True)
    return str((yield from deliver(_anonymous(session), request)).data)


def openid_of(session: Session) -> OpenIdLogin:
    """Return the OpenID login of a session.

    Raises:
        RequestInvalid: It has a token or another login.
    """
    login = session.account.login if session.account is not None else None
    if not isinstance(login, OpenIdLogin):
        raise RequestInvalid("access.openid", "this client was not made with an OpenIdLogin")
    return login


def finish_openid(session: Session, login: OpenIdLogin, answer: str) -> Flow[Ticket]:
    """Exchange the provider's answer for a ticket (POST /access/openid/login).

    Args:
        session: Who asks; its account gets the ticket.
        login: The login that was started.
        answer: The whole address the provider sent the browser to.

    Raises:
        ValueError: The address carries no code.
        AuthenticationFailed: PVE does not accept it.
    """
    code, state = read_redirect(answer)
    params = {"code": code, "state": state, "redirect-url": login.redirect_url}
    data = yield from _post(session, "/access/openid/login", params, replayable=False)
    ticket = _read_ticket(data, (yield from now()))
    if session.account is not None:
        session.account.ticket = ticket
    return ticket


def _refresh(session: Session, account: Account) -> Flow[None]:
    """Exchange the ticket for a new one while it is good, else log in."""
    ticket = account.ticket
    moment = yield from now()
    if ticket is not None and moment - ticket.obtained < TICKET_LIFETIME - _MARGIN:
        params = {"username": ticket.user, "password": ticket.secret}
        try:
            data = yield from _post(session, _TICKET, params, replayable=True)
            account.ticket = _read_ticket(data, moment)
            return
        except AuthenticationFailed:
            if not isinstance(account.login, PasswordLogin):
                raise
        except ConnectError:
            return  # it still is good for a while; the call itself will tell
    account.ticket = yield from _log_in(session, account)


def _log_in(session: Session, account: Account) -> Flow[Ticket]:
    login = account.login
    if isinstance(login, OpenIdLogin) and account.ticket is None:
        raise RequestInvalid("access.openid", "the OpenID login is not finished: see openid_start")
    if not isinstance(login, PasswordLogin):
        raise AuthenticationFailed(
            "access.ticket.post", "POST", _TICKET, None, 401, "the ticket has ended; log in anew"
        )
    moment = yield from now()
    params = {"username": login.user, "password": login.password}
    data = yield from _post(session, _TICKET, params, replayable=True)
    if not data.get("NeedTFA"):
        return _read_ticket(data, moment)
    if login.otp is None:
        why = f"{login.user} needs a second factor"
        raise SecondFactorRequired("access.ticket.post", "POST", _TICKET, None, 401, why)
    answer = {
        "username": login.user,
        "password": second_factor(login.otp()),
        "tfa-challenge": str(data.get("ticket")),
    }
    data = yield from _post(session, _TICKET, answer, replayable=False)
    return _read_ticket(data, moment)


def _post(
    session: Session, path: str, params: Mapping[str, str], *, replayable: bool
) -> Flow[dict[str, Any]]:
    request = _request(path, params, replayable=replayable)
    outcome: Answer | ConnectError
    try:
        outcome = yield from deliver(_anonymous(session), request)
    except AmbiguousWrite as error:
        # a login changes nothing: that its answer was lost is all there is to say
        if not isinstance(error.__cause__, ConnectError):
            raise
        outcome = error.__cause__
    if isinstance(outcome, ConnectError):  # out here, or the two would be each other's context
        raise outcome
    data: object = outcome.data
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


def _request(path: str, params: Mapping[str, str], *, replayable: bool) -> Request:
    return attrs.evolve(build_raw_request("POST", path, params), replayable=replayable)


def _anonymous(session: Session) -> Session:
    return attrs.evolve(session, token=None, account=None)


def _read_ticket(data: Mapping[str, Any], moment: float) -> Ticket:
    if not data.get("ticket"):
        raise AuthenticationFailed(
            "access.ticket.post", "POST", _TICKET, None, 401, "the server gave no ticket"
        )
    return Ticket(
        str(data.get("username", "")),
        str(data["ticket"]),
        str(data.get("CSRFPreventionToken", "")),
        moment,
    )
