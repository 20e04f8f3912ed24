"""What was refused on this side, so that nothing was sent."""

from __future__ import annotations

import attrs

from proxmox_client.errors.root import PveError, joined_lines


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
class CredentialsInvalid(PveError, ValueError):
    """How to reach or enter a server is not told, or is told in a way that cannot be used.

    Attributes:
        why: What is missing or wrong; never a secret.
        advice: What to do.
    """

    why: str
    advice: str = ""

    def __str__(self) -> str:
        return joined_lines(self.why, self.advice)


@attrs.define(eq=False, str=False, slots=False)
class CredentialsExposed(CredentialsInvalid):
    """A file with credentials is open to others, so it was not read.

    Attributes:
        path: The file.
        mode: Its permission bits.
        owner: Number of the user it belongs to.
    """

    path: str = ""
    mode: int = 0
    owner: int = 0
