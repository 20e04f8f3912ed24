"""Telling watchers what becomes of one request."""

from __future__ import annotations

from typing import Final

from proxmox_client.flows.effects import Flow, Lost, now, send
from proxmox_client.observing.events import Finished, RetryPlanned, Sending
from proxmox_client.observing.watch import Watch, tell_after, tell_before, tell_retry
from proxmox_client.wire.answer import failure_name, node_of
from proxmox_client.wire.request import Request, Response

CANCELLED: Final = "cancelled"
_UNKNOWN: Final = "/…"


class Report:
    """The story of one request, told to whoever watches; costs nothing where nobody does.

    Args:
        watch: The client's watchers.
        request: What is sent, before it gets its credentials.
    """

    def __init__(self, watch: Watch, request: Request) -> None:
        self._observers = watch.wanted()
        self._home = watch.home
        self._request = request
        self._attempt = 0
        self._last: Finished | None = None

    def sent(self, request: Request) -> Flow[Response | Lost]:
        """Send the request, and tell of it."""
        if not self._observers:
            return (yield from send(request))
        sending = self._sending(request)
        started = yield from now()
        tell_before(self._observers, sending)
        finished = Finished(sending, None, 0.0, 0, CANCELLED)
        try:
            outcome = yield from send(request)
            seconds = (yield from now()) - started
            finished = self._finished(sending, outcome, seconds)
            return outcome
        finally:  # also where the caller gave up in between
            self._last = finished
            tell_after(self._observers, finished)

    def again(self, pause: float) -> None:
        """Tell that the request will be sent again."""
        if self._last is not None:
            last = self._last
            tell_retry(self._observers, RetryPlanned(last.sending, pause, last.error))

    def _sending(self, request: Request) -> Sending:
        self._attempt += 1
        template = request.template or _template(request)
        return Sending(
            operation=request.operation if request.template else f"{request.method} {template}",
            method=request.method,
            template=template,
            node=node_of(request.address),
            server=request.server or self._home,
            attempt=self._attempt,
            size=len(request.body or b"") if request.file is None else request.file.size,
        )

    def _finished(self, sending: Sending, outcome: Response | Lost, seconds: float) -> Finished:
        if isinstance(outcome, Lost):
            return Finished(sending, None, seconds, 0, type(outcome.error).__name__)
        name = failure_name(self._request, outcome)
        date = outcome.headers.get("date", "")
        return Finished(sending, outcome.status, seconds, len(outcome.body), name, date)


def _template(request: Request) -> str:
    """Return the template of a path given as text: its values belong in no log's key."""
    from proxmox_client import schema  # loads its facts: only where somebody watches

    found = schema.find(request.method, request.address)
    if found is not None:
        return found[0].path
    first = request.address.strip("/").partition("/")[0]
    known = any(facts.path.startswith(f"/{first}/") for facts in schema.operations())
    return f"/{first}{_UNKNOWN}" if known else _UNKNOWN
