"""What a step has at hand while it runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import attrs

from pmpc_reconcile.events import EventSink
from pmpc_reconcile.execute.journal import StepJournal
from pmpc_reconcile.execute.lanes import Lane
from pmpc_reconcile.execute.schedule import Brake
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.execute.trouble import Call, StepFailure, Wait
from pmpc_reconcile.identity import Evidence, Marker
from pmpc_reconcile.identity.disks import Disk
from pmpc_reconcile.live import GuestObject, LiveCluster, SharedInventory
from pmpc_reconcile.plans.model import ObjectPlan, Plan
from pmpc_reconcile.plans.steps import HookStep, Step
from pmpc_reconcile.plans.withheld import manifest_in

if TYPE_CHECKING:
    from pmpc_reconcile.kinds import Kind
    from pmpc_reconcile.manifests import Manifest


@attrs.define(eq=False)
class ObjectRun:
    """What the steps of one object share while a plan runs.

    Attributes:
        item: The object's entry in the plan.
        vmid: Its vmid, as soon as it is known.
        node: Where it was seen last.
        seen: The guest as last read.
        written: Paths of secrets that were sent; they cannot be read back.
        fresh: It was made by this plan.
        disks: Disks of a guest this plan made, as recorded last.
        traits: What an object that is no guest is recognised by, as read last.
    """

    item: ObjectPlan
    vmid: int | None = None
    node: str | None = None
    seen: GuestObject | None = None
    written: set[str] = attrs.field(factory=set[str])
    fresh: bool = False
    disks: frozenset[Disk] = frozenset()
    traits: dict[str, str] = attrs.field(factory=dict[str, str])


@attrs.define(eq=False)
class StepRun:
    """One step under way.

    Attributes:
        step: The step.
        plan: Its plan.
        target: What the steps of its object share.
        others: The same for every object, by address.
        live: The cluster.
        inventory: Its inventory, shared by the steps that run beside each other.
        journal: Its journal.
        emit: Gets events.
        now: Wall clock in seconds.
        sleep: How to wait.
        patience: Deadlines.
        reserved: vmids this process has chosen for guests that may not exist yet.
        keep: Renews the lease; raises `LeaseLost` when another process took over.
        brake: Tells when nothing more shall begin.
        lane: The steps that go on beside it on its node.
        unanswered: A call was sent whose answer was lost, so its effect may be there unseen.
        answers: What calls asked to keep of their answers.
    """

    step: Step
    plan: Plan
    target: ObjectRun
    others: dict[str, ObjectRun]
    live: LiveCluster
    inventory: SharedInventory
    journal: StepJournal
    emit: EventSink
    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    patience: Patience
    reserved: set[int]
    keep: Callable[[], Awaitable[None]]
    brake: Brake
    lane: Lane
    upids: list[str] = attrs.field(factory=list[str])
    warnings: list[str] = attrs.field(factory=list[str])
    wrote: int = 0
    resumed: bool = False
    unanswered: bool = False
    answers: dict[str, Any] = attrs.field(factory=dict[str, Any])

    @property
    def item(self) -> ObjectPlan:
        """Return the object's entry in the plan."""
        return self.target.item

    @property
    def kind(self) -> Kind:
        """Return the definition of the object's kind."""
        from pmpc_reconcile.kinds import kind

        return kind(self.item.kind)

    @property
    def family(self) -> str:
        """Return `qemu` or `lxc`."""
        return self.kind.guest or ""

    @property
    def marker(self) -> Marker:
        """Return the marker the object has or shall have."""
        return Marker(self.plan.release, self.item.address, self.item.marker_id or "")

    def manifest(self) -> Manifest:
        """Return the object's manifest, with its secrets where the plan still has them."""
        found = manifest_in(self.plan, self.item.address)
        if found is None:
            raise StepFailure(f"the plan has no manifest for {self.item.address}")
        return found

    async def announce(self, call: Call) -> str:
        """Write down that a request is about to leave; return the name of its entry.

        Raises:
            LeaseLost: Another process took over; nothing was sent.
        """
        entry = await self.journal.intend(call)
        began = self.now()
        await self.journal.called(entry)
        if self.now() - began > self.patience.lease / 3:
            await self.keep()  # held up for so long, the right to write may be another's by now
        self.wrote += 1
        return entry

    async def guest(self, *, sure: bool = True) -> GuestObject | None:
        """Read the guest where it is now; None if it is nowhere.

        Args:
            sure: None must be true at this moment; else it may be a second old, which is enough
                before a write that the server refuses when there is such a guest.

        Raises:
            Wait: Its node does not answer.
        """
        from proxmox_client import NodeUnreachable, NotFound

        vmid = self.target.vmid
        if vmid is None:
            return None
        try:
            if self.target.node is not None:
                try:
                    return self._saw(await self._read(self.target.node, vmid))
                except (NotFound, NodeUnreachable):  # the listing tells whether it is elsewhere
                    self.target.node = None
            listed = await (self.inventory.fresh() if sure else self.inventory.recent())
            entry = listed.guests.get(vmid)
            if entry is None or entry.guest != self.family:
                return None
            return self._saw(await self._read(entry.node, vmid))
        except NotFound as error:
            raise Wait(f"guest {vmid} is on its way between nodes") from error
        except NodeUnreachable as error:
            raise Wait(f"its node does not answer: {error.reason}") from error

    async def own_guest(self) -> GuestObject:
        """Read the guest and prove it ours.

        Raises:
            StepFailure: It is gone or is not ours.
            Wait: Its node does not answer.
        """
        guest = await self.guest()
        if guest is None:
            raise StepFailure(f"guest {self.target.vmid} does not exist any more; plan again")
        if not self.is_ours(guest):
            raise StepFailure(
                f"guest {guest.vmid} on {guest.node} is not {self.item.address} any more: "
                "its marker is missing or another's; it is left alone"
            )
        return guest

    def is_ours(self, guest: GuestObject) -> bool:
        """Return whether a guest is the object, by marker or, if that is gone, by its traits."""
        marker = guest.marker
        if marker is not None:
            former = self.step.former if isinstance(self.step, HookStep) else ""
            return marker == (attrs.evolve(self.marker, id=former) if former else self.marker)
        return Evidence.from_record(self.item.evidence).proves(guest.evidence)

    async def _read(self, node: str, vmid: int) -> GuestObject:
        return await self.live.guest(node, self.family, vmid)

    def _saw(self, guest: GuestObject) -> GuestObject:
        self.target.node = guest.node
        self.target.seen = guest
        return guest
