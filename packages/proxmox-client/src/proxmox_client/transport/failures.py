"""What a failed sending means: how far it came, and which error tells it."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import attrs
import httpcore

from proxmox_client.errors import (
    CertificateNotTrusted,
    ConnectError,
    FingerprintMismatch,
    TlsError,
)
from proxmox_client.flows.effects import Lost, Stage
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.exchange import Limits
from proxmox_client.transport.tls import (
    KnownTrust,
    PinMismatchError,
    build_context,
    see_fingerprint,
)

_NOT_SENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "LocalProtocolError",
    }
)
"""What httpcore and httpx, which share these names, raise before a request leaves."""


def stage_of(error: Exception) -> Stage:
    """Say how far a request came before httpcore or httpx gave up."""
    before = any(kind.__name__ in _NOT_SENT for kind in type(error).__mro__)
    return Stage.NOT_SENT if before else Stage.MAYBE_SENT


def explain(error: BaseException, endpoint: Endpoint, stage: Stage) -> Lost:
    """Turn an exception of the transport into an outcome.

    Args:
        error: What the HTTP library raised.
        endpoint: Where the request went.
        stage: How far it came.
    """
    host, port = endpoint.host, endpoint.port
    chain = tuple(_causes(error))  # aiohttp's own errors pose as ssl's, without their attributes
    for cause in chain:
        if isinstance(cause, PinMismatchError):
            mismatch = FingerprintMismatch(
                host,
                port,
                "its certificate is not the pinned one",
                expected=cause.expected,
                got=cause.got,
            )
            return Lost(Stage.NOT_SENT, mismatch, lasting=True)
        if isinstance(cause, ssl.SSLCertVerificationError) and type(cause).__module__ == "ssl":
            why = cause.verify_message or "its certificate cannot be verified"
            return Lost(Stage.NOT_SENT, CertificateNotTrusted(host, port, why), lasting=True)
    if stage is Stage.MAYBE_SENT:
        return Lost(stage, ConnectError(host, port, _why_silent(error), _ADVICE_SILENT))
    for cause in chain:
        if isinstance(cause, socket.gaierror):
            why = f"the name does not resolve ({cause.strerror})"
            return Lost(stage, ConnectError(host, port, why, _ADVICE_NAME), lasting=True)
        if isinstance(cause, ssl.SSLError) and type(cause).__module__ == "ssl":
            why = f"no TLS connection came about ({cause.reason or cause.strerror})"
            return Lost(stage, TlsError(host, port, why, _ADVICE_TLS), lasting=True)
    return Lost(stage, ConnectError(host, port, _why_unreachable(error, chain), _ADVICE_ADDRESS))


def usable_context(endpoint: Endpoint, trust: KnownTrust) -> ssl.SSLContext:
    """Build the TLS context, or say why the trust given cannot be used.

    Raises:
        TlsError: A CA file cannot be read or holds no certificate.
    """
    try:
        return build_context(trust)
    except OSError as error:
        why = f"{trust} cannot be used: {_os_words(error)}"
        raise TlsError(endpoint.host, endpoint.port, why) from error


def refusal(error: ConnectError) -> Lost:
    """Return the outcome of a sending that was given up before there was a connection."""
    return Lost(Stage.NOT_SENT, error, lasting=isinstance(error, TlsError))


def add_fingerprint(lost: Lost, endpoint: Endpoint, limits: Limits) -> Lost:
    """Look at the untrusted certificate once more, sending nothing, to show its fingerprint."""
    error = lost.error
    if not isinstance(error, CertificateNotTrusted):
        return lost
    try:
        error.fingerprint = see_fingerprint(endpoint, limits.connect_timeout)
    except ConnectError:
        return lost
    return attrs.evolve(lost, error=error)


_BYTES: Final = re.compile(r"""\bb\\*['"]""")
_ACCOUNT: Final = re.compile(r"//[^/\s]*@")
_NO_HTTP: Final = "what came back is no HTTP"
_ADVICE_NAME: Final = "Check the spelling of the host and this machine's name servers."
_ADVICE_TLS: Final = "Check that the port is the API's (8006) and nothing sits in between."
_ADVICE_ADDRESS: Final = (
    "Check the address and port (8006), that the server is up (systemctl status pveproxy) "
    "and that no firewall is in between."
)
_ADVICE_SILENT: Final = "The server may be overloaded or restarting; see its journal (pveproxy)."


def _why_silent(error: BaseException) -> str:
    if _is_time_out(error):
        return "no answer within the time-out"
    return f"the connection was lost before the answer ({_name(error)})"


def _why_unreachable(error: BaseException, chain: tuple[BaseException, ...]) -> str:
    for cause in chain:
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return _os_words(cause)
    if any(_is_time_out(cause) for cause in chain):
        return "the connection timed out"
    return _name(error)


def _is_time_out(error: BaseException) -> bool:
    if isinstance(error, (httpcore.TimeoutException, TimeoutError)):
        return True
    return any(kind.__name__ == "TimeoutException" for kind in type(error).__mro__)  # httpx's


def _os_words(error: OSError) -> str:
    """Return the system's words for an error, without addresses and numbers."""
    words = error.strerror or type(error).__name__
    return words if not words.startswith("Connect call failed") else "Connection refused"


def _name(error: BaseException) -> str:
    """Return a library's words, unless they quote what came over the wire; no proxy's password."""
    text = _ACCOUNT.sub("//", str(error) or type(error).__name__)
    return _NO_HTTP if _BYTES.search(text) else text


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]
