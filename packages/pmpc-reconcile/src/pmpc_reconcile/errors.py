"""The errors of this package: one class wherever a caller would branch.

A user's mistake in a manifest is a diagnostic (`pmpc_reconcile.diagnostics`) and a failed step is
data in an `ApplyReport`; exceptions are for what stops the verb that was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxmox_client.errors import CredentialsExposed


class ReconcileError(Exception):
    """Root of every error this package raises."""


class ContextError(ReconcileError):
    """Something is wrong with the file of named clusters."""


class ContextNotFound(ContextError):
    """The named cluster is not in the file, or none is chosen.

    Attributes:
        name: The name asked for; None when no context is current.
        known: The names the file has.
    """

    def __init__(self, name: str | None, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        if not self.known:
            text = "there is no context yet; add one with `pmpc context add NAME URL`"
        elif name is None:
            text = f"no context is chosen; `pmpc context use NAME` with one of {', '.join(known)}"
        else:
            text = f"cannot find context {name!r}; known are {', '.join(known)}"
        super().__init__(text)


class ContextFileExposed(ContextError):
    """Other users can read the file, which holds secrets.

    Attributes:
        path: The file.
        mode: Its permission bits.
    """

    def __init__(self, error: CredentialsExposed) -> None:
        self.path = error.path
        self.mode = error.mode
        super().__init__(str(error))


class ContextInvalid(ContextError):
    """The file cannot be understood or a context lacks something."""


class ActionUnknown(ReconcileError):
    """No action of that name is in the catalogue."""


class InputInvalid(ReconcileError):
    """An action got an input it cannot work with."""


class ClientRequired(ReconcileError):
    """The action talks to the cluster, but no connection was given."""


class ObjectNotFound(ReconcileError):
    """The observed state has no such object.

    Attributes:
        candidates: What matched, when the name was not unique.
    """

    def __init__(self, message: str, candidates: Sequence[str] = ()) -> None:
        self.candidates = tuple(candidates)
        super().__init__(message)


class PlanError(ReconcileError):
    """A plan cannot be read, found or applied."""


class PlanNotFound(PlanError):
    """No plan of that id is stored."""


class PlanVersionUnsupported(PlanError):
    """The plan file was written by a version of the format this code does not read."""


class PlanRefused(PlanError):
    """The plan must not be applied as it is.

    Attributes:
        reasons: One line per reason.
    """

    def __init__(self, message: str, reasons: Sequence[str] = ()) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n  - ".join((message, *self.reasons)))


class PlanStale(PlanRefused):
    """The release got another revision after the plan was made."""


class RunCutOff(ReconcileError):
    """The application of a plan was cut off by a crash, and that plan is to be gone on with."""


class PlanTooRisky(PlanRefused):
    """The plan has steps that are riskier than the caller allows."""


class ReleaseNotFound(ReconcileError):
    """No release, or no revision of it, of that name."""


class QueueUnreachable(ReconcileError):
    """The database with the queue cannot be reached for now."""


class QueueInUse(ReconcileError):
    """The queue's tables belong to another version that workers are using."""


class ExtraMissing(ReconcileError):
    """An optional part is asked for and not installed."""
