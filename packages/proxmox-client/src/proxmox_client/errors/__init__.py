"""What can go wrong, as a tree: a class exists where a caller would branch.

    PveError
      RequestInvalid            refused here, nothing was sent
        VersionUnsupported      this PVE does not have it
      CredentialsInvalid        nobody said how to enter the server, or not in a usable way
        CredentialsExposed      a file of credentials is open to others
      ConnectError              the server cannot be reached, or gives no answer to a read
        TlsError
          CertificateNotTrusted
          FingerprintMismatch
      AmbiguousWrite            a write was sent and nobody said what became of it
      ApiError                  the server answered, and refused
        AuthenticationFailed    it does not know who asks
          SecondFactorRequired  it wants a code beside the password
        PermissionDenied  ParameterInvalid  NotFound  AlreadyExists  OperationNotImplemented
        DigestMismatch  GuestLocked  LockTimeout  LockTokenInvalid  NoQuorum  NodeUnreachable
        WrongState              running or not, a template or not
          AgentNotRunning
        InUse  Protected  FeatureUnavailable  StorageUnavailable
      TaskError                 a task did not end well (raised only on request)
      CommandError              a command inside a guest did not end well (likewise)

Attributes carry the data; `str(error)` is for people: what could not be done, why, what to do
next. No attribute and no message ever holds a secret.
"""

from __future__ import annotations

from proxmox_client.errors.circumstances import (
    AgentNotRunning,
    DigestMismatch,
    FeatureUnavailable,
    GuestLocked,
    InUse,
    LockTimeout,
    LockTokenInvalid,
    NodeUnreachable,
    NoQuorum,
    Protected,
    StorageUnavailable,
    WrongState,
)
from proxmox_client.errors.commandfailure import CommandError
from proxmox_client.errors.refusals import (
    AlreadyExists,
    ApiError,
    AuthenticationFailed,
    NotFound,
    OperationNotImplemented,
    ParameterInvalid,
    PermissionDenied,
    SecondFactorRequired,
)
from proxmox_client.errors.root import PveError
from proxmox_client.errors.taskfailure import TaskError
from proxmox_client.errors.unanswered import (
    AmbiguousWrite,
    CertificateNotTrusted,
    ConnectError,
    FingerprintMismatch,
    TlsError,
)
from proxmox_client.errors.unsent import (
    CredentialsExposed,
    CredentialsInvalid,
    RequestInvalid,
    VersionUnsupported,
)

__all__ = [
    "AgentNotRunning",
    "AlreadyExists",
    "AmbiguousWrite",
    "ApiError",
    "AuthenticationFailed",
    "CertificateNotTrusted",
    "CommandError",
    "ConnectError",
    "CredentialsExposed",
    "CredentialsInvalid",
    "DigestMismatch",
    "FeatureUnavailable",
    "FingerprintMismatch",
    "GuestLocked",
    "InUse",
    "LockTimeout",
    "LockTokenInvalid",
    "NoQuorum",
    "NodeUnreachable",
    "NotFound",
    "OperationNotImplemented",
    "ParameterInvalid",
    "PermissionDenied",
    "Protected",
    "PveError",
    "RequestInvalid",
    "SecondFactorRequired",
    "StorageUnavailable",
    "TaskError",
    "TlsError",
    "VersionUnsupported",
    "WrongState",
]
