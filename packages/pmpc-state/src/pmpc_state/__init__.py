"""The complete state of Proxmox VE clusters in a database, now and at any moment before.

Belongs here: what was seen, what was asked for and what was done, in SQLite or PostgreSQL, and
how a cluster is looked at. Does not belong here: deciding what should change (pmpc_reconcile) and
talking to people (the front doors). Importing this package imports nothing heavy; each name below
is loaded when it is first used.

The layers, from the outside in: `syncing` and `state` use `discovery` and `repositories`, which use
`schema`, `diff` and `values`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for True; importing typing costs as much as Python
if TYPE_CHECKING:
    from pmpc_state.canonical import SecretKey as SecretKey
    from pmpc_state.canonical import canonical_json as canonical_json
    from pmpc_state.canonical import holds_fingerprint as holds_fingerprint
    from pmpc_state.canonical import is_fingerprint as is_fingerprint
    from pmpc_state.checking import Problem as Problem
    from pmpc_state.checking import check as check
    from pmpc_state.database.moving import Migration as Migration
    from pmpc_state.database.moving import migrate as migrate
    from pmpc_state.discovery import COLLECTIONS as COLLECTIONS
    from pmpc_state.discovery import Collection as Collection
    from pmpc_state.discovery import discover as discover
    from pmpc_state.discovery import sync_problem as sync_problem
    from pmpc_state.dumping import backup as backup
    from pmpc_state.dumping import dump as dump
    from pmpc_state.dumping import load as load
    from pmpc_state.errors import AlreadyRecorded as AlreadyRecorded
    from pmpc_state.errors import DumpInvalid as DumpInvalid
    from pmpc_state.errors import FilterInvalid as FilterInvalid
    from pmpc_state.errors import LeaseHeld as LeaseHeld
    from pmpc_state.errors import LeaseLost as LeaseLost
    from pmpc_state.errors import NotRecorded as NotRecorded
    from pmpc_state.errors import SecretKeyProblem as SecretKeyProblem
    from pmpc_state.errors import StaleStatus as StaleStatus
    from pmpc_state.errors import StateError as StateError
    from pmpc_state.errors import StateMissing as StateMissing
    from pmpc_state.errors import StateOutdated as StateOutdated
    from pmpc_state.errors import StateTooNew as StateTooNew
    from pmpc_state.errors import StateUnreachable as StateUnreachable
    from pmpc_state.errors import StateUrlInvalid as StateUrlInvalid
    from pmpc_state.filters import FIELDS as FIELDS
    from pmpc_state.filters import parse_filter as parse_filter
    from pmpc_state.filters import parse_sort as parse_sort
    from pmpc_state.freshness import Sweep as Sweep
    from pmpc_state.kinds import KINDS as KINDS
    from pmpc_state.kinds import SETTINGS as SETTINGS
    from pmpc_state.logtext import edit_told as edit_told
    from pmpc_state.reader import StateReader as StateReader
    from pmpc_state.repositories.holders import this_process as this_process
    from pmpc_state.retention import Forgotten as Forgotten
    from pmpc_state.retention import Retention as Retention
    from pmpc_state.retention import forget_old as forget_old
    from pmpc_state.state import State as State
    from pmpc_state.syncing.measuring import measure as measure
    from pmpc_state.syncing.run import sync as sync
    from pmpc_state.values.changes import ChangeKind as ChangeKind
    from pmpc_state.values.changes import FieldChange as FieldChange
    from pmpc_state.values.changes import RecordedChange as RecordedChange
    from pmpc_state.values.changes import ResourceChange as ResourceChange
    from pmpc_state.values.control import ConditionRecord as ConditionRecord
    from pmpc_state.values.control import Control as Control
    from pmpc_state.values.desired import ManagedObject as ManagedObject
    from pmpc_state.values.desired import OwnedField as OwnedField
    from pmpc_state.values.desired import Release as Release
    from pmpc_state.values.desired import Revision as Revision
    from pmpc_state.values.desired import RevisionStatus as RevisionStatus
    from pmpc_state.values.execution import AuditEntry as AuditEntry
    from pmpc_state.values.execution import JournalRun as JournalRun
    from pmpc_state.values.execution import JournalStep as JournalStep
    from pmpc_state.values.execution import Lease as Lease
    from pmpc_state.values.execution import PlanRecord as PlanRecord
    from pmpc_state.values.execution import PlanStatus as PlanStatus
    from pmpc_state.values.execution import RunStatus as RunStatus
    from pmpc_state.values.execution import StepPhase as StepPhase
    from pmpc_state.values.freshness import Freshness as Freshness
    from pmpc_state.values.inventory import Cause as Cause
    from pmpc_state.values.inventory import Inventory as Inventory
    from pmpc_state.values.inventory import SectionFailure as SectionFailure
    from pmpc_state.values.observed import Cluster as Cluster
    from pmpc_state.values.observed import Found as Found
    from pmpc_state.values.observed import LogEntry as LogEntry
    from pmpc_state.values.observed import LogLine as LogLine
    from pmpc_state.values.observed import Observation as Observation
    from pmpc_state.values.observed import Resource as Resource
    from pmpc_state.values.observed import Snapshot as Snapshot
    from pmpc_state.values.observed import SyncRun as SyncRun
    from pmpc_state.values.observed import TaskRecord as TaskRecord
    from pmpc_state.values.page import Choice as Choice
    from pmpc_state.values.page import Page as Page
    from pmpc_state.values.report import Figures as Figures
    from pmpc_state.values.report import GuestsRead as GuestsRead
    from pmpc_state.values.report import SectionRead as SectionRead
    from pmpc_state.values.report import SectionReport as SectionReport
    from pmpc_state.values.report import SectionWritten as SectionWritten
    from pmpc_state.values.report import SyncEvent as SyncEvent
    from pmpc_state.values.report import SyncFinished as SyncFinished
    from pmpc_state.values.report import SyncMode as SyncMode
    from pmpc_state.values.report import SyncReport as SyncReport
    from pmpc_state.values.report import SyncStarted as SyncStarted
    from pmpc_state.values.samples import Point as Point
    from pmpc_state.values.samples import Sample as Sample
    from pmpc_state.values.samples import SampleRetention as SampleRetention
    from pmpc_state.values.samples import Tier as Tier
    from pmpc_state.writer import StateWriter as StateWriter

_HOMES = {
    "canonical": ("SecretKey", "canonical_json", "holds_fingerprint", "is_fingerprint"),
    "checking": ("Problem", "check"),
    "database.moving": ("Migration", "migrate"),
    "discovery": ("COLLECTIONS", "Collection", "discover", "sync_problem"),
    "dumping": ("backup", "dump", "load"),
    "errors": (
        "AlreadyRecorded",
        "DumpInvalid",
        "FilterInvalid",
        "LeaseHeld",
        "LeaseLost",
        "NotRecorded",
        "SecretKeyProblem",
        "StaleStatus",
        "StateError",
        "StateMissing",
        "StateOutdated",
        "StateTooNew",
        "StateUnreachable",
        "StateUrlInvalid",
    ),
    "filters": ("FIELDS", "parse_filter", "parse_sort"),
    "freshness": ("Sweep",),
    "kinds": ("KINDS", "SETTINGS"),
    "logtext": ("edit_told",),
    "reader": ("StateReader",),
    "repositories.holders": ("this_process",),
    "retention": ("Forgotten", "Retention", "forget_old"),
    "state": ("State",),
    "syncing.measuring": ("measure",),
    "syncing.run": ("sync",),
    "values.changes": ("ChangeKind", "FieldChange", "RecordedChange", "ResourceChange"),
    "values.control": ("ConditionRecord", "Control"),
    "values.desired": ("ManagedObject", "OwnedField", "Release", "Revision", "RevisionStatus"),
    "values.execution": (
        "AuditEntry",
        "JournalRun",
        "JournalStep",
        "Lease",
        "PlanRecord",
        "PlanStatus",
        "RunStatus",
        "StepPhase",
    ),
    "values.freshness": ("Freshness",),
    "values.inventory": ("Cause", "Inventory", "SectionFailure"),
    "values.observed": (
        "Cluster",
        "Found",
        "LogEntry",
        "LogLine",
        "Observation",
        "Resource",
        "Snapshot",
        "SyncRun",
        "TaskRecord",
    ),
    "values.page": ("Choice", "Page"),
    "values.report": (
        "Figures",
        "GuestsRead",
        "SectionRead",
        "SectionReport",
        "SectionWritten",
        "SyncEvent",
        "SyncFinished",
        "SyncMode",
        "SyncReport",
        "SyncStarted",
    ),
    "values.samples": ("Point", "Sample", "SampleRetention", "Tier"),
    "writer": ("StateWriter",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
