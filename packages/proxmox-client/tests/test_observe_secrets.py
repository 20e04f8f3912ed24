"""No secret in any log, error, repr or span, whatever the other side answers."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from proxmox_client import (
    AsyncClient,
    Client,
    PasswordLogin,
    Pin,
    PveError,
    RetryPolicy,
    Ticket,
    schema,
)
from proxmox_client.api.models.access import AccessTicket, AccessUsersTokenTokenidPost
from proxmox_client.observing import SpanObserver
from proxmox_client.wire.params import build_raw_request
from proxmox_client.wire.results import Results
from proxmox_client.wire.secrets import hide, is_secret, secrets_of

if TYPE_CHECKING:
    from tests.lab.watched_server import Received, WatchedServer

# No two of them share a part, and none has a part that others use.
MARK = "MARKED"
TOKEN = f"root@pam!test={MARK}-token-0b7c"
PASSWORD = f"{MARK} pass/word+%&ü"
CODE = f"{MARK}-recovery-code"
TICKET = f"PVE:root@pam:6B03::{MARK}+ticket/=="
CSRF = f"6B03:{MARK}+csrf/="
SECRETS = {
    "password": f"{MARK} p w",
    "cipassword": f"{MARK}'quoted\"",
    "encryption-key": f"{MARK}-first\n{MARK}-second",
    "secret": f"name=x,value={MARK}",
    "data": f"{MARK}-acme-credentials",
    "tfa-challenge": f"{MARK}!challenge",
    "client-key": f"{MARK}-client-key",
}
PLAIN = {"description": f"{MARK}-in-a-plain-value", "comment": "fine"}
Answer = Callable[["Received"], bytes | None]


def _say(status: str, body: bytes, kind: str = "application/json;charset=UTF-8") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode("utf-8", "replace") + body


def _echo(request: Received) -> str:
    """Return everything the request held, on one line, as it came and decoded."""
    query = request.target.partition("?")[2]
    params = [value for _, value in parse_qsl(request.body) + parse_qsl(query)]
    cookie = unquote(request.headers.get("cookie", ""))
    came = (json.dumps(request.headers), request.body, request.target, cookie)
    return " ".join((*came, *params, *map(repr, params)))


def _refused(status: str) -> Answer:
    def behave(request: Received) -> bytes:
        said = _echo(request)
        errors = {"password": f"value '{said}' is bad", said: "no such option"}
        document = {"data": None, "message": f"{said}\nmore {said}\n", "errors": errors}
        return _say(status, json.dumps(document).encode())

    return behave


def _word(request: Received) -> str:
    """Return a secret of the request that fits into a status line."""
    headers = request.headers
    said = headers.get("authorization") or headers.get("cookie")
    return unquote(said) if said else dict(parse_qsl(request.body))["tfa-challenge"]


ANSWERS: dict[str, Answer] = {
    "refused": _refused("500 no"),
    "bad parameters": _refused("400 Parameter verification failed."),
    "forbidden": _refused("403 no"),
    "unreachable node": _refused("595 No route to host"),
    "authentication": _refused("401 no"),
    "in the reason": lambda r: _say(f"500 {_word(r)} x", b""),
    "plain text": lambda r: _say("500 no", _echo(r).encode(), "text/plain"),
    "no JSON of PVE's": lambda r: _say("200 OK", json.dumps([_echo(r)]).encode()),
    "nothing": lambda r: None,
    "no HTTP": lambda r: f"{_echo(r)}\r\n\r\n".encode(),
}
WAYS = ("token", "password", "second factor", "ticket")


def _login_answer(form: str, way: str) -> bytes:
    data: dict[str, Any] = {"ticket": TICKET, "CSRFPreventionToken": CSRF, "username": "root@pam"}
    if way == "second factor" and "tfa-challenge" not in form:
        data = {"ticket": f"PVE:!tfa!{MARK}", "NeedTFA": 1}
    return _say("200 OK", json.dumps({"data": data}).encode())


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    made = InMemorySpanExporter()
    yield made
    made.shutdown()


def _options(server: WatchedServer, way: str, exporter: InMemorySpanExporter) -> dict[str, Any]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    options: dict[str, Any] = {
        "url": server.url,
        "tls": Pin(server.certificate.fingerprint),
        "retry": RetryPolicy(attempts=2, first_delay=0.0),
        "observers": [SpanObserver(provider.get_tracer("x"))],
    }
    match way:
        case "token":
            options["token"] = TOKEN
        case "ticket":
            options["login"] = Ticket("root@pam", TICKET, CSRF, 9e12)
        case _:
            options["login"] = PasswordLogin("root@pam", PASSWORD, lambda: CODE)
    return options


def _shown(error: BaseException) -> str:
    """Return everything that can be seen of an error."""
    seen: list[str] = []
    link: BaseException | None = error
    while link is not None:
        seen += [str(link), repr(link), repr(link.args), repr(vars(link))]
        link = link.__cause__ or link.__context__
    return "\n".join((*seen, *traceback.format_exception(error)))


async def _blocking(options: dict[str, Any], calls: list[tuple[str, str]]) -> list[str]:
    def work() -> list[str]:
        with Client(**options) as pve:
            seen = [repr(pve), repr(pve.session)]
            for method, path in calls:
                try:
                    pve.request(method, path, {**SECRETS, **PLAIN})
                except PveError as error:
                    seen.append(_shown(error))
            return [*seen, repr(pve.session), repr(pve.session.account)]

    return await asyncio.to_thread(work)


async def _awaiting(options: dict[str, Any], calls: list[tuple[str, str]]) -> list[str]:
    async with AsyncClient(**options) as pve:
        seen = [repr(pve), repr(pve.session)]
        for method, path in calls:
            try:
                await pve.request(method, path, {**SECRETS, **PLAIN})
            except PveError as error:
                seen.append(_shown(error))
        return [*seen, repr(pve.session), repr(pve.session.account)]


Run = Callable[[dict[str, Any], list[tuple[str, str]]], Awaitable[list[str]]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("run", [_blocking, _awaiting], ids=["sync", "async"])
async def test_no_secret_is_shown(
    server: WatchedServer,
    caplog: pytest.LogCaptureFixture,
    exporter: InMemorySpanExporter,
    way: str,
    answer: str,
    run: Run,
) -> None:
    def behave(request: Received, number: int) -> bytes | None:
        if request.target.endswith("/access/ticket"):
            return _login_answer(request.body, way)
        return ANSWERS[answer](request)

    server.behave = behave
    server.closing = True
    calls = [("GET", "/storage"), ("POST", "/storage"), ("DELETE", "/storage/x")]
    with caplog.at_level(logging.DEBUG):
        seen = await run(_options(server, way, exporter), calls)
    assert len(seen) == 7, "each call ended with an error"
    _judge(seen, caplog, exporter)


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("run", [_blocking, _awaiting], ids=["sync", "async"])
async def test_no_secret_of_a_login_is_shown(
    server: WatchedServer,
    caplog: pytest.LogCaptureFixture,
    exporter: InMemorySpanExporter,
    answer: str,
    run: Run,
) -> None:
    server.behave = lambda request, number: (
        _login_answer(request.body, "second factor")
        if "tfa-challenge" not in request.body
        else ANSWERS[answer](request)
    )
    server.closing = True
    with caplog.at_level(logging.DEBUG):
        seen = await run(_options(server, "second factor", exporter), [("GET", "/nodes")])
    assert len(seen) == 5
    _judge(seen, caplog, exporter)


async def test_no_secret_of_a_proxy_is_shown(
    plain_server: WatchedServer, caplog: pytest.LogCaptureFixture, exporter: InMemorySpanExporter
) -> None:
    plain_server.behave = lambda r, n: _say("407 no", _echo(r).encode(), "text/plain")
    options = _options(plain_server, "token", exporter)
    options |= {"url": "pve1", "proxy": f"http://me:{MARK}@127.0.0.1:{plain_server.port}"}
    with caplog.at_level(logging.DEBUG):
        for run in (_blocking, _awaiting):
            _judge(await run(options, [("GET", "/nodes")]), caplog, exporter)


OPEN = ["hotplug", "tokens", "tokenid", "lock-token", "sshkeys", "keyboard", "state", "description"]
CLOSED = [
    *("password", "confirmation-password", "cipassword", "secret", "token", "key", "client-key"),
    *("encryption-key", "keyring", "totp", "tfa-challenge", "ticket", "data", "header", "keys"),
]


def test_names_tell_secrets_from_the_rest() -> None:
    known = {name for facts in schema.operations() for name in facts.parameters}
    assert [name for name in OPEN if is_secret(name)] == []
    assert [name for name in CLOSED if not is_secret(name)] == []
    assert {*OPEN, *CLOSED} <= known


@given(
    secret=st.text(st.characters(codec="utf-8"), min_size=4, max_size=20),
    around=st.text(max_size=20),
    method=st.sampled_from(["GET", "POST"]),
    form=st.sampled_from([str, quote, quote_plus, repr]),
)
def test_whatever_a_secret_is_it_is_blotted_out(
    secret: str, around: str, method: str, form: Callable[[str], str]
) -> None:
    request = build_raw_request(method, "/x", {"password": secret})
    shown = hide(f"<{form(secret)}>{around}", secrets_of(request))
    # what stands around it may hold it by chance: then that is blotted out as well
    assert shown.startswith(("<***>", "<'***'>", '<"***">'))
    assert secret not in shown or secret in "<***>"


def test_results_that_hold_a_secret_show_none() -> None:
    made = AccessUsersTokenTokenidPost.from_wire(
        {"full-tokenid": "root@pam!x", "value": MARK, "info": {}, "password": MARK}
    )
    ticket = AccessTicket.from_wire({"ticket": MARK, "CSRFPreventionToken": MARK})
    values: list[Any] = [made, ticket, Results([made]), Results([made, ticket])]
    for shown in (*map(repr, values), *(value._repr_html_() for value in values)):
        assert MARK not in shown
        assert "***" in shown
    assert made.value == made.to_dict()["value"] == MARK


def _judge(
    seen: list[str], caplog: pytest.LogCaptureFixture, exporter: InMemorySpanExporter
) -> None:
    logged = [
        f"{record.getMessage()} {vars(record)!r}"
        for record in caplog.records
        # httpcore logs the head of an answer as it came; no PVE puts a secret there
        if "receive_response_headers" not in record.getMessage()
    ]
    spans = [span.to_json() for span in exporter.get_finished_spans()]
    assert spans
    assert any("pve_method" in line for line in logged)
    for text in (*seen, *logged, *spans):
        for form in (MARK, quote(MARK)):
            # what is no secret may be repeated where somebody asked for it: never in logs
            left = text if text in logged or text in spans else _without_plain(text)
            place = left.find(form)
            assert place < 0, f"{left[:200]} ... {left[max(0, place - 60) : place + 60]}"


def _without_plain(text: str) -> str:
    plain = PLAIN["description"]
    for form in (plain, quote(plain, safe="")):
        text = text.replace(form, "")
    return text
