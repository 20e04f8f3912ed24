"""OpenTelemetry spans, one for each sending, named as its semantic conventions for HTTP say.

OpenTelemetry is no dependency: whoever wants spans has it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from proxmox_client.observing.events import Finished, RetryPlanned, Sending

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer


class SpanObserver:
    """Makes a span of each sending, below the span that is current where the call is made.

    Args:
        tracer: Where spans go; None takes the global provider's.
    """

    def __init__(self, tracer: Tracer | None = None) -> None:
        from opentelemetry import trace

        self._trace = trace
        self._tracer = tracer or trace.get_tracer("proxmox_client")
        self._open: dict[Sending, Span] = {}
        self._lock = threading.Lock()

    def before(self, event: Sending) -> None:
        """Begin a span."""
        server = urlsplit(event.server)
        attributes: dict[str, str | int] = {
            "http.request.method": event.method,
            "url.template": event.template,
            "server.address": server.hostname or "",
            "server.port": server.port or 0,
            "http.request.body.size": event.size,
            "pve.operation": event.operation,
        }
        if event.node is not None:
            attributes["pve.node"] = event.node
        if event.attempt > 1:
            attributes["http.request.resend_count"] = event.attempt - 1
        span = self._tracer.start_span(
            f"{event.method} {event.template}",
            kind=self._trace.SpanKind.CLIENT,
            attributes=attributes,
        )
        with self._lock:
            self._open[event] = span

    def after(self, event: Finished) -> None:
        """End it."""
        with self._lock:
            span = self._open.pop(event.sending, None)
        if span is None:
            return
        if event.status is not None:
            span.set_attribute("http.response.status_code", event.status)
            span.set_attribute("http.response.body.size", event.size)
        if event.error:
            span.set_attribute("error.type", event.error)
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()

    def retry(self, event: RetryPlanned) -> None:
        """Note on the caller's own span that it will be sent again."""
        self._trace.get_current_span().add_event(
            "pve.retry",
            {
                "http.request.method": event.sending.method,
                "url.template": event.sending.template,
                "error.type": event.error,
                "pve.pause": event.pause,
            },
        )
