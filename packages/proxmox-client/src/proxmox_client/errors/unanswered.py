"""What happens between here and the server: no connection, no trust, no answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from proxmox_client.errors.root import PveError, joined_lines
from proxmox_client.values.fingerprint import Fingerprint

if TYPE_CHECKING:
    from proxmox_client.values.resolution import Resolution


@attrs.define(eq=False, str=False, slots=False)
class ConnectError(PveError):
    """The server cannot be reached, or a read stayed without an answer.

    Attributes:
        host: Host name or address asked.
        port: Its port.
        why: What the network said.
        advice: What to check.
    """

    host: str
    port: int
    why: str
    advice: str = ""

    def __str__(self) -> str:
        return joined_lines(f"cannot reach {self.host}:{self.port}: {self.why}", self.advice)


@attrs.define(eq=False, str=False, slots=False)
class TlsError(ConnectError):
    """The server was reached, but no trustworthy connection to it came about."""

    def __str__(self) -> str:
        return joined_lines(f"cannot trust {self.host}:{self.port}: {self.why}", self.advice)


@attrs.define(eq=False, str=False, slots=False)
class CertificateNotTrusted(TlsError):
    """Nobody we trust signed the server's certificate.

    Attributes:
        fingerprint: SHA-256 of the certificate seen; None where it could not be fetched.
    """

    fingerprint: Fingerprint | None = None

    def __str__(self) -> str:
        seen = f"It shows the fingerprint {self.fingerprint}" if self.fingerprint else ""
        pin = (
            f"if that is what the server itself says (pvenode cert info), pin it: "
            f'tls=Pin("{self.fingerprint}")'
            if self.fingerprint
            else "compare the server's fingerprint (pvenode cert info) and pin it: tls=Pin(...)"
        )
        return joined_lines(super().__str__(), f"{seen}; {pin}" if seen else pin)


@attrs.define(eq=False, str=False, slots=False)
class FingerprintMismatch(TlsError):
    """The certificate is not the pinned one. Nothing was sent.

    Attributes:
        expected: The pin.
        got: The fingerprint of the certificate shown.
    """

    expected: Fingerprint | None = None
    got: Fingerprint | None = None

    def __str__(self) -> str:
        return joined_lines(
            super().__str__(),
            f"pinned   {self.expected}",
            f"received {self.got}",
            "Either the certificate was renewed (compare with `pvenode cert info` on the server, "
            "then pin the new one) or something else answers at this address. Nothing was sent.",
        )


@attrs.define(eq=False, str=False, slots=False)
class AmbiguousWrite(PveError):
    """A write left this machine and its answer never came: it may or may not have happened.

    Attributes:
        operation: The operation's id, or method and path.
        method: HTTP method.
        address: Path below `/api2/json` with its placeholders filled.
        why: What was seen instead of an answer.
        sent: Its parameters, without those that hold secrets.
        sent_at: When it was sent, by this machine's clock.
        resolution: What became of it, where a client with `resolve_writes=True` looked for it.
    """

    operation: str
    method: str
    address: str
    why: str
    sent: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    sent_at: float = 0.0
    resolution: Resolution | None = None

    def __str__(self) -> str:
        if self.resolution is not None:
            return joined_lines(
                f"{self.method} {self.address} was sent and not answered: {self.why}",
                f"It is {self.resolution.verdict.value}: {self.resolution.evidence}",
            )
        return joined_lines(
            f"cannot tell whether {self.method} {self.address} took effect: {self.why}",
            "It was sent once and not again. `client.resolve(error)` looks for its task and its "
            "effect; do that before repeating it.",
        )
