"""Sending one request once, blocking."""

from __future__ import annotations

import threading

import httpx

from proxmox_client.errors import CertificateNotTrusted
from proxmox_client.flows.effects import Lost
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.exchange import IDLE_SECONDS, Limits, to_httpx, to_response
from proxmox_client.transport.failures import (
    add_fingerprint,
    explain,
    stage_of,
    usable_context,
)
from proxmox_client.transport.tls import Trust
from proxmox_client.wire.request import Request, Response


class BlockingSender:
    """Sends requests to one endpoint; safe to use from several threads.

    Args:
        endpoint: Where to.
        trust: Whom to trust.
        limits: Time-outs and connections.
        transport: An httpx transport to use instead of the network.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        trust: Trust,
        limits: Limits,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._trust = trust
        self._limits = limits
        self._transport = transport
        self._building = threading.Lock()

    def send(self, request: Request) -> Response | Lost:
        """Send a request once.

        Raises:
            TlsError: The trust given cannot be set up.
        """
        transport = self._transport or self._build()
        try:
            response = transport.handle_request(to_httpx(request, self._endpoint, self._limits))
            try:
                body = _read(response)
            finally:
                response.close()
        except httpx.HTTPError as error:
            return self._with_fingerprint(explain(error, self._endpoint, stage_of(error)))
        return to_response(response, body)

    def close(self) -> None:
        """Close all connections."""
        if self._transport is not None:
            self._transport.close()

    def _build(self) -> httpx.BaseTransport:
        with self._building:
            if self._transport is None:
                self._transport = httpx.HTTPTransport(
                    verify=usable_context(self._endpoint, self._trust),
                    trust_env=False,
                    limits=httpx.Limits(
                        max_connections=self._limits.connections, keepalive_expiry=IDLE_SECONDS
                    ),
                    proxy=self._limits.proxy,
                )
            return self._transport

    def _with_fingerprint(self, lost: Lost) -> Lost:
        if isinstance(lost.error, CertificateNotTrusted) and self._limits.proxy is None:
            return add_fingerprint(lost, self._endpoint, self._limits)
        return lost


def _read(response: httpx.Response) -> bytes:
    """Return the body. An error's status says enough if PVE closes before its body."""
    try:
        return response.read()
    except httpx.HTTPError:
        if response.status_code < 400:
            raise
        return b""
