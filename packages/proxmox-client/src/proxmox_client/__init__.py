"""Typed sync and async client for the Proxmox VE API, with a simulator to test against.

Belongs here: everything needed to talk to PVE and to read what it says. Does not belong here:
databases, manifests, plans, user interfaces. Importing this package imports nothing heavy; each
name below is loaded when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for True; importing typing costs as much as Python
if TYPE_CHECKING:
    from proxmox_client.aclient import AsyncClient as AsyncClient
    from proxmox_client.client import Client as Client
    from proxmox_client.console.handles import AsyncConsole as AsyncConsole
    from proxmox_client.console.handles import Console as Console
    from proxmox_client.console.streams import TerminalStream as TerminalStream
    from proxmox_client.console.streams import VncStream as VncStream
    from proxmox_client.errors import AgentNotRunning as AgentNotRunning
    from proxmox_client.errors import AlreadyExists as AlreadyExists
    from proxmox_client.errors import AmbiguousWrite as AmbiguousWrite
    from proxmox_client.errors import ApiError as ApiError
    from proxmox_client.errors import AuthenticationFailed as AuthenticationFailed
    from proxmox_client.errors import CertificateNotTrusted as CertificateNotTrusted
    from proxmox_client.errors import CommandError as CommandError
    from proxmox_client.errors import ConnectError as ConnectError
    from proxmox_client.errors import CredentialsExposed as CredentialsExposed
    from proxmox_client.errors import CredentialsInvalid as CredentialsInvalid
    from proxmox_client.errors import DigestMismatch as DigestMismatch
    from proxmox_client.errors import FeatureUnavailable as FeatureUnavailable
    from proxmox_client.errors import FingerprintMismatch as FingerprintMismatch
    from proxmox_client.errors import GuestLocked as GuestLocked
    from proxmox_client.errors import InUse as InUse
    from proxmox_client.errors import LockTimeout as LockTimeout
    from proxmox_client.errors import LockTokenInvalid as LockTokenInvalid
    from proxmox_client.errors import NodeUnreachable as NodeUnreachable
    from proxmox_client.errors import NoQuorum as NoQuorum
    from proxmox_client.errors import NotFound as NotFound
    from proxmox_client.errors import OperationNotImplemented as OperationNotImplemented
    from proxmox_client.errors import ParameterInvalid as ParameterInvalid
    from proxmox_client.errors import PermissionDenied as PermissionDenied
    from proxmox_client.errors import Protected as Protected
    from proxmox_client.errors import PveError as PveError
    from proxmox_client.errors import RequestInvalid as RequestInvalid
    from proxmox_client.errors import SecondFactorRequired as SecondFactorRequired
    from proxmox_client.errors import StorageUnavailable as StorageUnavailable
    from proxmox_client.errors import TaskError as TaskError
    from proxmox_client.errors import TlsError as TlsError
    from proxmox_client.errors import VersionUnsupported as VersionUnsupported
    from proxmox_client.errors import WrongState as WrongState
    from proxmox_client.flows.privileges import MissingPrivilege as MissingPrivilege
    from proxmox_client.flows.retry import RetryPolicy as RetryPolicy
    from proxmox_client.guest import AsyncGuest as AsyncGuest
    from proxmox_client.guest import AsyncGuestAgent as AsyncGuestAgent
    from proxmox_client.guest import AsyncGuestSnapshots as AsyncGuestSnapshots
    from proxmox_client.guest import Guest as Guest
    from proxmox_client.guest import GuestAgent as GuestAgent
    from proxmox_client.guest import GuestSnapshots as GuestSnapshots
    from proxmox_client.tasks import AsyncTask as AsyncTask
    from proxmox_client.tasks import Task as Task
    from proxmox_client.transport.tls import CaFile as CaFile
    from proxmox_client.transport.tls import FirstUse as FirstUse
    from proxmox_client.transport.tls import Pin as Pin
    from proxmox_client.transport.tls import SystemTrust as SystemTrust
    from proxmox_client.transport.tls import fetch_fingerprint as fetch_fingerprint
    from proxmox_client.values.command import CommandEnded as CommandEnded
    from proxmox_client.values.command import CommandLost as CommandLost
    from proxmox_client.values.command import CommandResult as CommandResult
    from proxmox_client.values.command import CommandRunning as CommandRunning
    from proxmox_client.values.consoleticket import ConsoleTicket as ConsoleTicket
    from proxmox_client.values.consoleticket import SpiceTicket as SpiceTicket
    from proxmox_client.values.fingerprint import Fingerprint as Fingerprint
    from proxmox_client.values.guestplace import GuestPlace as GuestPlace
    from proxmox_client.values.login import OpenIdLogin as OpenIdLogin
    from proxmox_client.values.login import PasswordLogin as PasswordLogin
    from proxmox_client.values.login import Ticket as Ticket
    from proxmox_client.values.propstring import PropertyString as PropertyString
    from proxmox_client.values.resolution import Resolution as Resolution
    from proxmox_client.values.resolution import Verdict as Verdict
    from proxmox_client.values.snapshot import Snapshot as Snapshot
    from proxmox_client.values.taskentry import FoundTasks as FoundTasks
    from proxmox_client.values.taskentry import TaskEntry as TaskEntry
    from proxmox_client.values.taskresult import TaskFailed as TaskFailed
    from proxmox_client.values.taskresult import TaskLost as TaskLost
    from proxmox_client.values.taskresult import TaskOk as TaskOk
    from proxmox_client.values.taskresult import TaskResult as TaskResult
    from proxmox_client.values.taskresult import TaskRunning as TaskRunning
    from proxmox_client.values.taskresult import TaskWarnings as TaskWarnings
    from proxmox_client.values.token import ApiToken as ApiToken
    from proxmox_client.values.upid import Upid as Upid
    from proxmox_client.values.volid import Volid as Volid
    from proxmox_client.volumes import AsyncVolumes as AsyncVolumes
    from proxmox_client.volumes import Volumes as Volumes

_HOMES = {
    "aclient": ("AsyncClient",),
    "client": ("Client",),
    "console.handles": ("AsyncConsole", "Console"),
    "console.streams": ("TerminalStream", "VncStream"),
    "errors": (
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
    ),
    "flows.privileges": ("MissingPrivilege",),
    "flows.retry": ("RetryPolicy",),
    "guest": (
        "AsyncGuest",
        "AsyncGuestAgent",
        "AsyncGuestSnapshots",
        "Guest",
        "GuestAgent",
        "GuestSnapshots",
    ),
    "tasks": ("AsyncTask", "Task"),
    "transport.tls": ("CaFile", "FirstUse", "Pin", "SystemTrust", "fetch_fingerprint"),
    "values.command": ("CommandEnded", "CommandLost", "CommandResult", "CommandRunning"),
    "values.consoleticket": ("ConsoleTicket", "SpiceTicket"),
    "values.fingerprint": ("Fingerprint",),
    "values.guestplace": ("GuestPlace",),
    "values.login": ("OpenIdLogin", "PasswordLogin", "Ticket"),
    "values.propstring": ("PropertyString",),
    "values.resolution": ("Resolution", "Verdict"),
    "values.snapshot": ("Snapshot",),
    "values.taskentry": ("FoundTasks", "TaskEntry"),
    "values.taskresult": (
        "TaskFailed",
        "TaskLost",
        "TaskOk",
        "TaskResult",
        "TaskRunning",
        "TaskWarnings",
    ),
    "values.token": ("ApiToken",),
    "values.upid": ("Upid",),
    "values.volid": ("Volid",),
    "volumes": ("AsyncVolumes", "Volumes"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "__all__":  # `import *` asks for it; nobody else pays for it
        return sorted(_HOME_OF)
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
