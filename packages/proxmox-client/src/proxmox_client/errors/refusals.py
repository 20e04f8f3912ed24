"""What the server refuses because of who asks, for what, and how."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from proxmox_client.errors.root import PveError, joined_lines

_NO_ERRORS: Mapping[str, str] = {}


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
        return joined_lines(
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
class SecondFactorRequired(AuthenticationFailed):
    """The password is right, and the account wants a code of its second factor beside it."""

    def advice(self) -> str:
        """Say how to give a code."""
        return "Give PasswordLogin an otp: a function that returns a fresh code."


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


_VERBS = {"GET": "read", "POST": "post to", "PUT": "change", "DELETE": "delete"}


def _verb(method: str) -> str:
    return _VERBS.get(method, method)
