"""A small TLS server whose every byte can be watched."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from proxmox_client import Fingerprint


@attrs.frozen
class Certificate:
    """A self-signed certificate for 127.0.0.1."""

    path: Path
    fingerprint: Fingerprint


@attrs.frozen
class Received:
    """One request as the server read it."""

    method: str
    target: str
    headers: dict[str, str]
    body: str


_CLIENT_HELLO = 0x16
Behaviour = Callable[[Received, int], bytes | None]
"""Gets the request and its number on this server; None drops the connection."""


def make_certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pve-test")])
    today = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return Certificate(path, Fingerprint(certificate.fingerprint(hashes.SHA256()).hex()))


def answer(data: Any, *, status: str = "200 OK", headers: str = "") -> bytes:
    """Build an answer as PVE would send it."""
    body = json.dumps({"data": data}).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json;charset=UTF-8\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class WatchedServer:
    """A TLS server on loopback that records what arrives after each handshake."""

    def __init__(self, certificate: Certificate, *, tls: bool = True) -> None:
        self.certificate = certificate
        self.received: list[Received] = []
        self.bytes_received = 0
        self.connections = 0
        self.closing = False
        self.arrived = threading.Event()
        self.behave: Behaviour = lambda request, number: answer({"target": request.target})
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self._context is not None:
            self._context.load_cert_chain(certificate.path)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.settle(close=True)
        self._acceptor.join(5)

    def settle(self, *, close: bool = False) -> None:
        """Wait until every connection is over, so that what was recorded is all there is."""
        if close:
            for sock in tuple(self._open):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in tuple(self._threads):
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(plain,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(10)
        with contextlib.suppress(OSError), plain:
            sock = self._context.wrap_socket(plain, server_side=True) if self._context else plain
            with sock:
                self._open.add(sock)
                try:
                    self._converse(sock)
                finally:
                    self._open.discard(sock)

    def _converse(self, sock: socket.socket) -> None:
        buffer = b""
        while True:
            while b"\r\n\r\n" not in buffer:
                chunk = sock.recv(65536)
                self.bytes_received += len(chunk)
                if not chunk:
                    return
                buffer += chunk
                if buffer[0] == _CLIENT_HELLO:
                    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                    return
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            method, target, _ = lines[0].split(" ")
            headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
            length = int(headers.get("content-length", "0"))
            while len(buffer) < length:
                chunk = sock.recv(65536)
                self.bytes_received += len(chunk)
                buffer += chunk
            body, buffer = buffer[:length], buffer[length:]
            request = Received(method, target, headers, body.decode())
            self.received.append(request)
            self.arrived.set()
            reply = self.behave(request, len(self.received))
            if reply is None:
                return
            sock.sendall(reply)
            if self.closing:
                return
