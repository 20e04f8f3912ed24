"""Certificates met before: one line for each server, in a file only its owner may read or write."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from pathlib import Path
from typing import Final

from proxmox_client.errors import CertificateNotTrusted, TlsError
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.tls import FirstUse, KnownTrust, Pin, Trust, see_fingerprint
from proxmox_client.values.fingerprint import Fingerprint

_PRIVATE: Final = 0o600
_OTHERS_MAY_WRITE: Final = 0o022
_writing: Final = threading.Lock()


def settle(trust: Trust, endpoint: Endpoint, timeout: float) -> KnownTrust:
    """Turn trust on first use into a pin: the one remembered, or the certificate met now.

    Args:
        trust: Whom to trust; anything but `FirstUse` is returned as it is.
        endpoint: Where.
        timeout: Seconds for looking at the certificate.

    Raises:
        ConnectError: The server cannot be reached.
        CertificateNotTrusted: Somebody looked at the fingerprint and refused it.
        TlsError: The file of known servers cannot be used.
    """
    if not isinstance(trust, FirstUse):
        return trust
    try:
        known = recall(trust.store, endpoint)
        if known is not None:
            return Pin(known)
        met = see_fingerprint(endpoint, timeout)
        if trust.confirm is not None and not trust.confirm(str(endpoint), met):
            why = "its certificate was met for the first time and refused"
            raise CertificateNotTrusted(endpoint.host, endpoint.port, why, fingerprint=met)
        remember(trust.store, endpoint, met)
    except (OSError, ValueError) as error:
        why = f"the file of known servers cannot be used: {error}"
        raise TlsError(endpoint.host, endpoint.port, why) from error
    return Pin(met)


def recall(store: Path, endpoint: Endpoint) -> Fingerprint | None:
    """Return the fingerprint remembered for a server; None where it was never met.

    Raises:
        OSError: The file cannot be read.
        ValueError: Others may write the file, or a line is none.
    """
    for server, text in _lines(store):
        if server == endpoint.authority:
            return Fingerprint.parse(text)
    return None


def remember(store: Path, endpoint: Endpoint, fingerprint: Fingerprint) -> None:
    """Write down a server's fingerprint in place of an older one.

    Raises:
        OSError: The file cannot be written.
        ValueError: Others may write the file, or a line is none.
    """
    with _writing:
        kept = [line for line in _lines(store) if line[0] != endpoint.authority]
        lines = sorted((*kept, (endpoint.authority, str(fingerprint))))
        store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=store.parent, prefix=store.name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), _PRIVATE)
                file.writelines(f"{server} {text}\n" for server, text in lines)
            os.replace(name, store)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise


def _lines(store: Path) -> list[tuple[str, str]]:
    try:
        mode = store.stat().st_mode
        text = store.read_text("utf-8")
    except FileNotFoundError:
        return []
    if os.name == "posix" and mode & _OTHERS_MAY_WRITE:
        raise ValueError(f"others may write {store}: chmod 600 it and check its contents")
    found: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            server, _, fingerprint = line.strip().partition(" ")
            if not fingerprint:
                raise ValueError(f"line {number} of {store} is no server with its fingerprint")
            found.append((server, fingerprint))
    return found
