"""The error tree of the state: one class per thing a caller would branch on."""

from __future__ import annotations


class StateError(Exception):
    """Root of every error this package raises on purpose."""


class StateUrlInvalid(StateError):
    """The database URL is not one of the two forms we support."""


class StateMissing(StateError):
    """There is no state database at the URL and the caller asked not to create one."""


class StateUnreachable(StateError):
    """The database exists but cannot be opened (server down, not a database, read-only …)."""


class StateOutdated(StateError):
    """The database is older than this version of pmpc; `pmpc state migrate` brings it up."""


class StateTooNew(StateError):
    """The database was written by a newer pmpc; nothing is read from it or written to it."""


class SecretKeyProblem(StateError):
    """The key for secret fingerprints is missing, readable by others, or not this database's."""


class NotRecorded(StateError):
    """What was asked for is not in the database (unknown cluster, release, plan, snapshot …)."""


class AlreadyRecorded(StateError):
    """A name that must be unique is taken (snapshot name, release, journal step …)."""


class StaleStatus(StateError):
    """A plan or a step is not in the status the change requires; somebody else moved it on."""


class LeaseHeld(StateError):
    """Somebody else holds the lease.

    Attributes:
        name: The lease that was asked for.
        holder: Who holds it.
        expires: When it ends unless it is renewed, as ISO text in UTC.
    """

    def __init__(self, name: str, holder: str, expires: str) -> None:
        super().__init__(
            f"cannot acquire {name}: {_as_people_say(holder)} holds it until {expires}; "
            "wait for it to finish, or for the lease to expire"
        )
        self.name = name
        self.holder = holder
        self.expires = expires


class LeaseLost(StateError):
    """The fencing token is not the newest any more: another holder took over; stop writing."""

    def __init__(self, name: str, token: int) -> None:
        super().__init__(
            f"cannot write under {name}: token {token} was superseded by another holder; "
            "nothing was written, start again"
        )
        self.name = name
        self.token = token


class DumpInvalid(StateError):
    """A document cannot be loaded: not a dump, cut off, another version, another key."""


class FilterInvalid(StateError):
    """A filter or a sort order is not well formed.

    Attributes:
        text: What was given.
        column: Where the mistake is, counted from 1.
        reason: What is wrong.
    """

    def __init__(self, text: str, column: int, reason: str) -> None:
        pointer = " " * (column - 1) + "^"
        super().__init__(
            f"cannot read the filter at column {column}: {reason}\n  {text}\n  {pointer}"
        )
        self.text = text
        self.column = column
        self.reason = reason


def _as_people_say(holder: str) -> str:
    """Return who holds a lease: of a process its host and number, anything else as it is."""
    match holder.split(":"):
        case [host, _, pid, _] if pid.isdigit():
            return f"process {pid} on {host}"
        case _:
            return holder
