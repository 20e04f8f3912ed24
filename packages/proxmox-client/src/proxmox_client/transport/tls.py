"""Whom to trust: the system, a CA file, one certificate by its fingerprint, or whom we met before.

There is no way to trust everybody, and no fallback from one to another.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import attrs

from proxmox_client.errors import ConnectError
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.values.fingerprint import Fingerprint


@attrs.frozen
class SystemTrust:
    """Trust the certificate authorities this system trusts."""


@attrs.frozen
class CaFile:
    """Trust the authorities in a PEM file, such as a copy of PVE's `/etc/pve/pve-root-ca.pem`.

    Attributes:
        path: The file.
    """

    path: Path = attrs.field(converter=Path)


def _as_fingerprint(value: Fingerprint | str) -> Fingerprint:
    return value if isinstance(value, Fingerprint) else Fingerprint.parse(value)


@attrs.frozen
class Pin:
    """Trust exactly one certificate, whoever signed it and whatever name it carries.

    Attributes:
        fingerprint: Its SHA-256, as `pvenode cert info` or the web interface show it.
    """

    fingerprint: Fingerprint = attrs.field(converter=_as_fingerprint)


def _default_store() -> Path:
    """Return where certificates met are remembered: `$PMPC_KNOWN_SERVERS`, or below `~/.config`."""
    named = os.environ.get("PMPC_KNOWN_SERVERS")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "pmpc" / "known_servers"


@attrs.frozen
class FirstUse:
    """Trust the certificate a server shows when it is met first, and only that one from then on.

    Attributes:
        store: File of the certificates met, readable and writable for its owner only.
        confirm: Shown the address and the fingerprint of a server met first; False refuses it.
            None accepts it.
    """

    store: Path = attrs.field(factory=_default_store, converter=Path)
    confirm: Callable[[str, Fingerprint], bool] | None = None


KnownTrust: TypeAlias = SystemTrust | CaFile | Pin
Trust: TypeAlias = KnownTrust | FirstUse


class PinMismatchError(ssl.SSLError):
    """The handshake brought another certificate than the pinned one."""

    def __init__(self, expected: Fingerprint, got: Fingerprint) -> None:
        super().__init__(1, "the certificate is not the pinned one")
        self.expected = expected
        self.got = got


class _PinnedSocket(ssl.SSLSocket):
    """For blocking clients: the check is part of the handshake, before any byte of a request."""

    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        _check_pin(self.context, self.getpeercert(binary_form=True))


class _PinnedObject(ssl.SSLObject):
    """For asyncio: the same check in memory."""

    def do_handshake(self) -> None:
        super().do_handshake()
        _check_pin(self.context, self.getpeercert(binary_form=True))


class _PinnedContext(ssl.SSLContext):
    sslsocket_class = _PinnedSocket
    sslobject_class = _PinnedObject
    expected: Fingerprint


def _check_pin(context: ssl.SSLContext, certificate: bytes | None) -> None:
    if not isinstance(context, _PinnedContext) or certificate is None:
        raise ssl.SSLError(1, "there is no pin or no certificate to compare")
    got = Fingerprint.of(certificate)
    if got != context.expected:
        raise PinMismatchError(context.expected, got)


def build_context(trust: KnownTrust) -> ssl.SSLContext:
    """Build the TLS context of one client.

    Raises:
        OSError: A CA file cannot be read, or holds no certificate (ssl.SSLError).
    """
    match trust:
        case SystemTrust():
            return ssl.create_default_context()
        case CaFile(path):
            context = ssl.create_default_context(cafile=os.fspath(path))
            # PVE's own CA lacks the key identifiers that Python 3.13 asks for by default
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            return context
        case Pin(fingerprint):
            pinned = _PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
            pinned.check_hostname = False
            pinned.verify_mode = ssl.CERT_NONE  # the pin is the verification
            pinned.expected = fingerprint
            return pinned


def fetch_fingerprint(url: str, *, timeout: float = 10.0) -> Fingerprint:
    """Shake hands with a server, send nothing, and return its certificate's fingerprint.

    For trust on first use: show it to somebody who can compare it, then use `Pin`.

    Args:
        url: The server, as for `Client`.
        timeout: Seconds to wait for the connection and the handshake.

    Raises:
        ConnectError: The server cannot be reached or does not speak TLS.
        ValueError: The address is none.
    """
    return see_fingerprint(Endpoint.parse(url), timeout)


def see_fingerprint(endpoint: Endpoint, timeout: float) -> Fingerprint:
    """Return the fingerprint of the certificate at an endpoint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent over this connection
    try:
        with (
            socket.create_connection((endpoint.host, endpoint.port), timeout) as plain,
            context.wrap_socket(plain, server_hostname=endpoint.host) as secure,
        ):
            certificate = secure.getpeercert(binary_form=True)
    except OSError as error:
        why = error.strerror or str(error) or type(error).__name__
        raise ConnectError(endpoint.host, endpoint.port, why, "Is this the API's port?") from error
    if certificate is None:
        raise ConnectError(endpoint.host, endpoint.port, "it shows no certificate")
    return Fingerprint.of(certificate)
