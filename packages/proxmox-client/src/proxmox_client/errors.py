"""What can go wrong, as a tree: a class exists where a caller would branch.

    PveError
      RequestInvalid            refused here, nothing was sent
        VersionUnsupported      this PVE does not have it
      ConnectError              the server cannot be reached, or gives no answer to a read
        TlsError
          CertificateNotTrusted
          FingerprintMismatch
      AmbiguousWrite            a write was sent and nobody said what became of it
      ApiError                  the server answered, and refused
        AuthenticationFailed  PermissionDenied  ParameterInvalid  NotFound  AlreadyExists
        OperationNotImplemented  DigestMismatch  GuestLocked  LockTimeout  NoQuorum
        WrongState  NodeUnreachable
      TaskError                 a task did not end well (raised only on request)

Attributes carry the data; `str(error)` is for people: what could not be done, why, what to do
next. No attribute and no message ever holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from proxmox_client.values.fingerprint import Fingerprint

if TYPE_CHECKING:
    from proxmox_client.values.taskresult import TaskResult

_NO_ERRORS: Mapping[str, str] = {}


class PveError(Exception):
    """Root of everything this package raises on purpose."""


@attrs.define(eq=False, str=False, slots=False)
class RequestInvalid(PveError):
    """The request cannot be right, so it was not sent.

    Attributes:
        operation: The operation's id, or method and path.
        why: What is wrong with it.
    """

    operation: str
    why: str

    def __str__(self) -> str:
        return f"cannot call {self.operation}: {self.why}. Nothing was sent."


class VersionUnsupported(RequestInvalid):
    """The server's version of PVE lacks the operation or a parameter, so it was not sent.

    A client made with `check_version=False` sends it all the same.
    """


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
        return _lines(f"cannot reach {self.host}:{self.port}: {self.why}", self.advice)


@attrs.define(eq=False, str=False, slots=False)
class TlsError(ConnectError):
    """The server was reached, but no trustworthy connection to it came about."""

    def __str__(self) -> str:
        return _lines(f"cannot trust {self.host}:{self.port}: {self.why}", self.advice)


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
        return _lines(super().__str__(), f"{seen}; {pin}" if seen else pin)


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
        return _lines(
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
    """

    operation: str
    method: str
    address: str
    why: str
    sent: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    sent_at: float = 0.0

    def __str__(self) -> str:
        return _lines(
            f"cannot tell whether {self.method} {self.address} took effect: {self.why}",
            "It was sent once and not again. `client.resolve(error)` looks for its task and its "
            "effect; do that before repeating it.",
        )


@attrs.define(eq=False, str=False, slots=False)
class ApiError(PveError):
    """The server answered with an error.

    Attributes:
        operation: The operation's id, or method and path.
        method: HTTP method.
        address: Path below `/api2/json` with its placeholders filled.
        node: Node named by the path, None where the path names none.
        status: HTTP status; PVE uses 595-599 for nodes it cannot reach.
        reason: PVE's own sentence, first line.
        message: PVE's whole text.
        errors: What PVE says of single parameters.
        upid: Task concerned, where there is one.
    """

    operation: str
    method: str
    address: str
    node: str | None
    status: int
    reason: str
    message: str = ""
    errors: Mapping[str, str] = _NO_ERRORS
    upid: str | None = None

    def __str__(self) -> str:
        rest = self.message.strip().splitlines()[1:]
        fields = (f"  {name}: {' '.join(text.split())}" for name, text in self.errors.items())
        shown = (f"  {line.strip()}" for line in rest if line.strip())
        return _lines(
            f"cannot {_verb(self.method)} {self.address}: {self.reason} ({self.status})",
            *fields,
            *shown,
            self.advice(),
        )

    def advice(self) -> str:
        """Return what to do next, empty where the sentence says it all."""
        return ""


@attrs.define(eq=False, str=False, slots=False)
class AuthenticationFailed(ApiError):
    """401: the server does not know who is asking."""

    def advice(self) -> str:
        """Say what to check."""
        if self.address.startswith("/access/ticket"):
            return (
                "Check the user (name@realm), the password and the second factor, and that the "
                "account is enabled and has not expired."
            )
        return (
            "Check the token's name (user@realm!name) and secret, and that the user and the "
            "token exist, are enabled and have not expired."
        )


@attrs.define(eq=False, str=False, slots=False)
class PermissionDenied(ApiError):
    """The server knows who is asking, and refuses.

    Attributes:
        needs: Privilege PVE names, as `VM.Audit`; empty where it names none.
        path: ACL path it is needed on.
    """

    needs: str = ""
    path: str = ""

    def advice(self) -> str:
        """Say which privilege is missing where."""
        if self.needs and self.path:
            return (
                f"The token needs {self.needs} on {self.path}. A token with privilege "
                "separation has only what is granted to itself."
            )
        if "root@pam" in self.message:
            return "Only root@pam with a password ticket may do this; no token can."
        if "ticket" in self.message:
            return "PVE wants a password login for this; no token can do it."
        return ""


@attrs.define(eq=False, str=False, slots=False)
class ParameterInvalid(ApiError):
    """PVE refuses parameters; `errors` says which and why."""


@attrs.define(eq=False, str=False, slots=False)
class NotFound(ApiError):
    """The object, or one it refers to, does not exist there."""

    def advice(self) -> str:
        """Point at the guest's node, the usual reason."""
        if "onfiguration file" in self.message:
            return "The guest is gone or lives on another node: see GET /cluster/resources."
        return ""


@attrs.define(eq=False, str=False, slots=False)
class AlreadyExists(ApiError):
    """Something of that name or id is there already."""


@attrs.define(eq=False, str=False, slots=False)
class OperationNotImplemented(ApiError):
    """501: this server has no such method on this path."""

    def advice(self) -> str:
        """Point at the version."""
        return "The server's version may not have it: see GET /version."


@attrs.define(eq=False, str=False, slots=False)
class DigestMismatch(ApiError):
    """Somebody changed the object since it was read. Nothing was changed."""

    def advice(self) -> str:
        """Say how to go on."""
        return "Nothing was changed. Read it again, compare, and write with the new digest."


@attrs.define(eq=False, str=False, slots=False)
class GuestLocked(ApiError):
    """A lock in the guest's configuration forbids this.

    Attributes:
        lock: `backup`, `migrate`, `snapshot`, …
    """

    lock: str = ""

    def advice(self) -> str:
        """Say what ends the lock."""
        if self.lock == "suspended":
            return "The guest is suspended to disk; starting it resumes it and lifts the lock."
        return f"Wait until its {self.lock or 'running'} task has ended, then try again."


@attrs.define(eq=False, str=False, slots=False)
class WrongState(ApiError):
    """The guest runs where it must not, or does not run where it must."""


@attrs.define(eq=False, str=False, slots=False)
class LockTimeout(ApiError):
    """Somebody else held a lock for too long (PVE waits ten seconds)."""

    def advice(self) -> str:
        """Say that it passes."""
        return "Nothing was changed. Somebody else is writing the same thing; try again."


@attrs.define(eq=False, str=False, slots=False)
class NoQuorum(ApiError):
    """The cluster has no quorum, so its configuration cannot be written."""

    def advice(self) -> str:
        """Point at the cluster's status."""
        return "Too few nodes see each other: see GET /cluster/status before any write."


@attrs.define(eq=False, str=False, slots=False)
class NodeUnreachable(ApiError):
    """The node asked cannot reach the node the path names (595, 596 and their kin).

    Attributes:
        sent: False where the request surely never reached that node.
    """

    sent: bool = True

    def advice(self) -> str:
        """Say what is known of the effect."""
        target = f"node {self.node}" if self.node else "the node"
        if not self.sent:
            return f"{target} was never reached, so nothing was changed there."
        return f"The connection to {target} broke while it was being asked."


@attrs.define(eq=False, str=False, slots=False)
class TaskError(PveError):
    """A task did not end well. Raised by `raise_for_result`, never by waiting.

    Attributes:
        result: How it ended.
        why: One line about it.
        tail: Last lines of its log.
    """

    result: TaskResult | None
    why: str
    tail: tuple[str, ...] = ()

    def __str__(self) -> str:
        return _lines(self.why, *(f"  {line}" for line in self.tail))


_VERBS = {"GET": "read", "POST": "post to", "PUT": "change", "DELETE": "delete"}


def _verb(method: str) -> str:
    return _VERBS.get(method, method)


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
