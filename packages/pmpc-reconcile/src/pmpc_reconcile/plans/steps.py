"""The typed steps of a plan.

A step says what shall be true afterwards, not which request to send: the executor reads the object,
does what is missing and verifies. So a step may be begun again after a crash or a lost answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from pmpc_reconcile.plans.hook_steps import BackupGuest as BackupGuest
from pmpc_reconcile.plans.hook_steps import DropBackups as DropBackups
from pmpc_reconcile.plans.hook_steps import Gate as Gate
from pmpc_reconcile.plans.hook_steps import HookStep as HookStep
from pmpc_reconcile.plans.hook_steps import RunInGuest as RunInGuest
from pmpc_reconcile.plans.hook_steps import ShutdownByHook as ShutdownByHook
from pmpc_reconcile.plans.hook_steps import SnapshotGuest as SnapshotGuest
from pmpc_reconcile.plans.hook_steps import StartByHook as StartByHook
from pmpc_reconcile.plans.hook_steps import WaitForGuest as WaitForGuest
from pmpc_reconcile.plans.step import Step as Step
from pmpc_reconcile.risk import Risk

if TYPE_CHECKING:
    from pmpc_reconcile.diff import FieldChange


@attrs.frozen(kw_only=True)
class CreatePool(Step):
    """Make a pool. Undone by deleting it."""

    type: ClassVar[str] = "create-pool"


@attrs.frozen(kw_only=True)
class CloneGuest(Step):
    """Make a guest by cloning a template, marker and pool set in the same call.

    Attributes:
        template: vmid of the template.
        template_node: Where the template was; it is looked up again.
        template_name: For people.
        target: Node for the guest, None to leave it on the template's.
        full: A full clone rather than a linked one.
        storage: Where a full clone's disks go, None for the template's storage.
        vmid: The vmid asked for, None to take a free one.
        pool: Pool to put it in.
    """

    type: ClassVar[str] = "clone"

    template: int
    template_node: str
    template_name: str
    target: str | None = None
    full: bool = True
    storage: str | None = None
    vmid: int | None = None
    pool: str | None = None


@attrs.frozen(kw_only=True)
class CreateGuest(Step):
    """Make a guest from nothing or, for a container, from a template archive.

    Attributes:
        node: Where.
        vmid: The vmid asked for, None to take a free one.
        pool: Pool to put it in.
    """

    type: ClassVar[str] = "create"

    node: str
    vmid: int | None = None
    pool: str | None = None


@attrs.frozen(kw_only=True)
class Configure(Step):
    """Bring options to their desired values with one guarded write.

    Attributes:
        changes: Fields to write, each with the live value that was reviewed; for a fresh guest what
            it is expected to lack, empty where nobody can tell before it exists.
        fresh: The guest was made by this plan: everything declared is brought to its value.
        mark: The marker is missing from the description and is put back.
        lenient: Leave a field alone that is not as reviewed any more, instead of failing.
        along: Changes of other objects that PVE commits with these; whichever of their steps comes
            first makes them all.
    """

    type: ClassVar[str] = "configure"

    changes: tuple[FieldChange, ...] = ()
    fresh: bool = False
    mark: bool = False
    lenient: bool = False
    along: tuple[FieldChange, ...] = ()

    @property
    def together(self) -> tuple[FieldChange, ...]:
        """Return everything that is committed at once, each field once."""
        own = {change.path for change in self.changes}
        return (*self.changes, *(change for change in self.along if change.path not in own))


@attrs.frozen(kw_only=True)
class ReloadNetwork(Configure):
    """Stage changes of a node's interfaces and reload its network once."""

    type: ClassVar[str] = "reload-network"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE


@attrs.frozen(kw_only=True)
class FetchImage(Configure):
    """Fetch an image to a node's storage, or remove one that we fetched.

    Attributes:
        node: Which node.
    """

    type: ClassVar[str] = "fetch-image"

    node: str = ""


@attrs.frozen(kw_only=True)
class CreateStorage(Step):
    """Configure a new storage. Undone by deleting it; what lies on it stays."""

    type: ClassVar[str] = "create-storage"


@attrs.frozen(kw_only=True)
class DeleteStorage(Step):
    """Take a storage out of the configuration; what lies on it stays."""

    type: ClassVar[str] = "delete-storage"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE


@attrs.frozen(kw_only=True)
class ResizeDisk(Step):
    """Grow a disk. Cannot be undone.

    Attributes:
        disk: Its slot, such as `scsi0`.
        size: The new size as PVE writes it: `32G`.
        changes: The field behind it.
    """

    type: ClassVar[str] = "resize"

    disk: str
    size: str
    changes: tuple[FieldChange, ...] = ()


@attrs.frozen(kw_only=True)
class MoveDisk(Step):
    """Move a disk to another storage, deleting the old copy.

    Attributes:
        disk: Its slot.
        storage: Where to.
        changes: The field behind it.
        lenient: As with `Configure`.
    """

    type: ClassVar[str] = "move-disk"

    disk: str
    storage: str
    changes: tuple[FieldChange, ...] = ()
    lenient: bool = False


@attrs.frozen(kw_only=True)
class RegenerateCloudInit(Step):
    """Write a running guest's cloud-init drive anew, from its present options.

    Attributes:
        keys: The options the drive lacks.
    """

    type: ClassVar[str] = "cloud-init"

    keys: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class MigrateGuest(Step):
    """Move a guest to a node its placement allows.

    Attributes:
        targets: Nodes that are allowed; the first that can take it.
    """

    type: ClassVar[str] = "migrate"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    targets: tuple[str, ...]


@attrs.frozen(kw_only=True)
class SetPool(Step):
    """Put a guest into a pool or take it out.

    Attributes:
        pool: The pool it shall be in, None for none.
        previous: The pool it was in when reviewed.
        lenient: Leave it where it is when that is not as reviewed any more.
    """

    type: ClassVar[str] = "set-pool"

    pool: str | None
    previous: str | None = None
    lenient: bool = False


@attrs.frozen(kw_only=True)
class StartGuest(Step):
    """Start a guest. Undone by shutting it down."""

    type: ClassVar[str] = "start"


@attrs.frozen(kw_only=True)
class ShutdownGuest(Step):
    """Shut a guest down in good order."""

    type: ClassVar[str] = "shutdown"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE


@attrs.frozen(kw_only=True)
class RestartGuest(Step):
    """Restart a guest so that pending values take effect.

    Attributes:
        keys: The options that wait.
        until: Until when it may be restarted, ISO 8601; None for any time.
    """

    type: ClassVar[str] = "restart"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    keys: tuple[str, ...] = ()
    until: str | None = None


@attrs.frozen(kw_only=True)
class DeleteGuest(Step):
    """Delete a guest with its disks, after proving once more that it is ours.

    Attributes:
        fresh: The plan that deletes it has made it, so what it holds is ours.
        former: The id in its marker, where another guest takes its place and address.
    """

    type: ClassVar[str] = "delete"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    fresh: bool = False
    former: str = ""


@attrs.frozen(kw_only=True)
class DeletePool(Step):
    """Delete a pool. It must be empty by then."""

    type: ClassVar[str] = "delete-pool"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE


@attrs.frozen(kw_only=True)
class ForgetObject(Step):
    """Take our marker out of an object, so that it stays and is nobody's."""

    type: ClassVar[str] = "forget"


HOOK_STEPS = (HookStep,)
"""Acts of a moment rather than states of an object: once done they are not looked at again."""

STEP_TYPES: tuple[type[Step], ...] = (
    CreatePool,
    CloneGuest,
    CreateGuest,
    Configure,
    ReloadNetwork,
    FetchImage,
    CreateStorage,
    DeleteStorage,
    ResizeDisk,
    MoveDisk,
    RegenerateCloudInit,
    MigrateGuest,
    SetPool,
    StartGuest,
    ShutdownGuest,
    RestartGuest,
    DeleteGuest,
    DeletePool,
    ForgetObject,
    SnapshotGuest,
    BackupGuest,
    DropBackups,
    StartByHook,
    ShutdownByHook,
    WaitForGuest,
    RunInGuest,
    Gate,
)
