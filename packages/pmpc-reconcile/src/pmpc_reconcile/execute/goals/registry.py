"""Which goal a step has."""

from __future__ import annotations

from pmpc_reconcile.execute.drive import Goal
from pmpc_reconcile.execute.goals.cloud_init import RegenerateGoal
from pmpc_reconcile.execute.goals.configuration import ConfigureGoal, DiskGoal
from pmpc_reconcile.execute.goals.creation import CloneGoal, CreateGoal
from pmpc_reconcile.execute.goals.deletion import DeleteGuestGoal
from pmpc_reconcile.execute.goals.firewall import FIREWALL, FirewallGoal
from pmpc_reconcile.execute.goals.hooks import GateGoal, RunGoal, UnpluggedGoal, WaitGoal
from pmpc_reconcile.execute.goals.keeping import (
    BackupGoal,
    DropBackupsGoal,
    ForgetGoal,
    SnapshotGoal,
)
from pmpc_reconcile.execute.goals.network import NODE_NETWORK, NodeNetworkGoal
from pmpc_reconcile.execute.goals.placement import MigrateGoal, SetPoolGoal
from pmpc_reconcile.execute.goals.pools import ConfigurePoolGoal, CreatePoolGoal, DeletePoolGoal
from pmpc_reconcile.execute.goals.power import RestartGoal, ShutdownGoal, StartGoal
from pmpc_reconcile.execute.goals.sdn import SDN, SdnGoal
from pmpc_reconcile.execute.goals.storages import (
    STORAGE,
    ConfigureStorageGoal,
    CreateStorageGoal,
    DeleteStorageGoal,
    FetchImageGoal,
    is_image,
)
from pmpc_reconcile.plans import steps


def goal_for(step: steps.Step) -> Goal:
    """Return the goal of a step.

    Raises:
        TypeError: The type of step is not known.
    """
    found = _existing(step) or _making(step) or _hook(step)
    if found is None:
        raise TypeError(f"no goal for steps of type {type(step).__name__}")
    return found


def _making(step: steps.Step) -> Goal | None:
    match step:
        case steps.CreatePool():
            return CreatePoolGoal()
        case steps.CreateStorage():
            return CreateStorageGoal()
        case steps.DeleteStorage():
            return DeleteStorageGoal()
        case steps.CloneGuest():
            return CloneGoal(step)
        case steps.CreateGuest():
            return CreateGoal(step)
        case steps.DeleteGuest():
            return DeleteGuestGoal(step)
        case steps.DeletePool():
            return DeletePoolGoal()
        case steps.ForgetObject():
            return ForgetGoal()
        case _:
            return None


def _hook(step: steps.Step) -> Goal | None:
    match step:
        case steps.SnapshotGuest():
            return SnapshotGoal(step)
        case steps.BackupGuest():
            return BackupGoal(step)
        case steps.DropBackups():
            return DropBackupsGoal(step)
        case steps.StartByHook():
            return StartGoal()
        case steps.ShutdownByHook():
            return UnpluggedGoal() if step.hard else ShutdownGoal()
        case steps.WaitForGuest():
            return WaitGoal(step)
        case steps.RunInGuest():
            return RunGoal(step)
        case steps.Gate():
            return GateGoal()
        case _:
            return None


def _existing(step: steps.Step) -> Goal | None:
    match step:
        case steps.Configure() if step.address.startswith("Pool/"):
            return ConfigurePoolGoal(step)
        case steps.Configure() if step.address.startswith(FIREWALL):
            return FirewallGoal(step)
        case steps.Configure() if step.address.startswith(SDN):
            return SdnGoal(step)
        case steps.Configure() if step.address.startswith(NODE_NETWORK):
            return NodeNetworkGoal(step)
        case steps.Configure() if step.address.startswith(STORAGE):
            return ConfigureStorageGoal(step)
        case steps.Configure() if is_image(step):
            return FetchImageGoal(step)
        case steps.Configure():
            return ConfigureGoal(step)
        case steps.ResizeDisk() | steps.MoveDisk():
            return DiskGoal(step)
        case steps.MigrateGuest():
            return MigrateGoal(step)
        case steps.RegenerateCloudInit():
            return RegenerateGoal(step)
        case steps.SetPool():
            return SetPoolGoal(step)
        case steps.StartGuest():
            return StartGoal()
        case steps.ShutdownGuest():
            return ShutdownGoal()
        case steps.RestartGuest():
            return RestartGoal(step)
        case _:
            return None
