"""What to tell people about an error: one sentence why, one what to do, one exit code.

The packages below word their own errors; this module adds what only the command line knows, the
command that helps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from pmpc_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic


@attrs.frozen
class Explanation:
    """An error in words.

    Attributes:
        message: `cannot <verb> <what>: <reason>`.
        hint: What to do next, None if the message says it all.
        code: Exit code of the process.
        diagnostics: Mistakes in manifests, each with its place; shown instead of the message.
    """

    message: str
    hint: str | None = None
    code: int = ExitCode.ERROR
    diagnostics: tuple[Diagnostic, ...] = ()


class CommandRefused(Exception):
    """A command line that is well-formed and yet cannot be carried out.

    Attributes:
        hint: What to do instead.
        code: Exit code of the process.
    """

    def __init__(self, message: str, hint: str | None = None, code: int = ExitCode.ERROR) -> None:
        self.hint = hint
        self.code = code
        super().__init__(message)


def explain(error: Exception) -> Explanation:
    """Return what to tell a person about an error."""
    if isinstance(error, CommandRefused):
        return Explanation(str(error), error.hint, error.code)
    package = type(error).__module__.partition(".")[0]
    known = _BY_PACKAGE.get(package)
    explanation = known(error) if known else None
    if explanation is not None:
        return explanation
    if isinstance(error, OSError):
        return Explanation(_os_error(error))
    return Explanation(
        f"unexpected {type(error).__name__}: {error}",
        "this is a defect of pmpc; run the command again with PMPC_DEBUG=1 to see where",
    )


def _os_error(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"cannot open {error.filename}: {reason}" if error.filename else reason


def _from_client(error: Exception) -> Explanation | None:
    """Say what the SDK's errors say, with the command's options in place of Python's."""
    from proxmox_client import errors

    if isinstance(error, errors.CertificateNotTrusted):
        seen = str(error.fingerprint) if error.fingerprint else "AA:BB:…"
        return Explanation(
            f"cannot trust {error.host}:{error.port}: {error.why}",
            f"if the node itself shows the SHA-256 fingerprint {seen} (System → Certificates, or "
            f"`pvenode cert info`), pin it: `pmpc context add NAME URL --fingerprint {seen}`; "
            "--ca FILE trusts a CA instead",
        )
    if isinstance(error, errors.FingerprintMismatch):
        return Explanation(
            f"cannot trust {error.host}:{error.port}: the certificate is not the pinned one\n"
            f"  pinned    {error.expected}\n  received  {error.got}",
            "either it was renewed (compare with `pvenode cert info` on the node, then run "
            "`pmpc context add` with the new one) or something else answers at this address",
        )
    if isinstance(error, errors.ConnectError):
        return Explanation(
            f"cannot reach {error.host}:{error.port}: {error.why}",
            error.advice or "check address and port (PVE listens on 8006) and that the node is up",
        )
    if isinstance(error, errors.ApiError):
        advice = error.advice()
        return Explanation(str(error).removesuffix(advice).rstrip(), advice or None)
    return Explanation(str(error)) if isinstance(error, errors.PveError) else None


def _from_state(error: Exception) -> Explanation | None:
    from pmpc_state import errors

    return Explanation(str(error)) if isinstance(error, errors.StateError) else None


def _from_reconcile(error: Exception) -> Explanation | None:
    from pmpc_reconcile import errors
    from pmpc_reconcile.manifests import ManifestInvalid

    if isinstance(error, ManifestInvalid):
        return Explanation(str(error), code=ExitCode.USAGE, diagnostics=tuple(error.diagnostics))
    if isinstance(error, (errors.InputInvalid, errors.ActionUnknown)):
        return Explanation(str(error), code=ExitCode.USAGE)
    if isinstance(error, errors.PlanStale):
        return Explanation(str(error), "make a new plan with `pmpc plan`")
    return Explanation(str(error)) if isinstance(error, errors.ReconcileError) else None


_BY_PACKAGE: dict[str, Callable[[Exception], Explanation | None]] = {
    "proxmox_client": _from_client,
    "pmpc_state": _from_state,
    "pmpc_reconcile": _from_reconcile,
}
