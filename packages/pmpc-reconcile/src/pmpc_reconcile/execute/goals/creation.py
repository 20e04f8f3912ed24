"""Goals that make a guest: with our marker in the same call, so it is never without an owner."""

from __future__ import annotations

import random

from pmpc_reconcile.execute.goals.base import need_quorum
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure, Wait
from pmpc_reconcile.identity import with_marker
from pmpc_reconcile.live import GuestEntry
from pmpc_reconcile.live.cluster import guest_path
from pmpc_reconcile.plans.steps import CloneGuest, CreateGuest
from pmpc_reconcile.values import SecretMark
from pmpc_state import JournalStep

_BEING_MADE = ("create", "clone")


class _NewGuest:
    """Chooses a vmid and knows the guest by its marker."""

    def __init__(self, vmid: int | None) -> None:
        self._asked = vmid
        self._contested = False
        self._collisions = 0

    def resume(self, run: StepRun, entry: JournalStep) -> None:
        """Take up the vmid that was chosen before."""
        chosen = entry.intent.get("vmid")
        if chosen is not None:
            run.target.vmid = int(chosen)
            run.reserved.add(int(chosen))

    def taken(self, run: StepRun, call: Call) -> None:
        """Look who has the vmid before another one is chosen."""
        self._contested = True

    async def moved(self, run: StepRun, call: Call) -> bool:
        """Look whether the template is at another node than the call was sent to."""
        template = getattr(self, "step", None)
        if not isinstance(template, CloneGuest):
            return False
        entry = (await run.inventory.fresh()).guests.get(template.template)
        return entry is not None and entry.node != call.intent.get("node")

    async def _exists(self, run: StepRun) -> bool:
        """Return whether our guest is there; choose a vmid when it is not.

        Raises:
            Wait: Somebody, maybe we, is just making a guest with that vmid.
            StepFailure: The vmid asked for is a stranger's.
        """
        if run.target.vmid is None:
            await self._choose(run)
            return False
        if self._contested and not run.unanswered and not run.resumed:
            await self._give_up(run)  # never sent without an answer: whoever has it is not us
            return False
        sent = self._contested or run.resumed or run.wrote > 0
        guest = await run.guest(sure=sent)
        if guest is None:
            if self._contested:  # its owner may be a kind of guest we do not look for, or be gone
                await self._give_up(run)
            return False
        if guest.marker == run.marker:
            if guest.lock in _BEING_MADE:
                raise Wait(f"guest {guest.vmid} is being made")
            run.target.fresh = True
            return True
        if guest.lock in _BEING_MADE:
            raise Wait(f"a guest with vmid {guest.vmid} is being made")
        await self._give_up(run)
        return False

    def _expect(self, run: StepRun, node: str) -> None:
        """Look there first afterwards, instead of listing the cluster for every new guest."""
        run.target.node = node

    async def _give_up(self, run: StepRun) -> None:
        if self._asked is not None:
            raise StepFailure(
                f"vmid {self._asked} belongs to another guest, which is left alone; "
                "choose another spec.vmid or leave it out"
            )
        run.target.vmid = None
        run.target.node = None
        await self._choose(run)

    async def _choose(self, run: StepRun) -> None:
        if self._contested:
            self._collisions += 1
        self._contested = False
        run.unanswered = False
        chosen = self._asked
        if chosen is None:
            listed = (await run.inventory.recent()).guests
            chosen = await run.live.next_vmid()
            # Who collides again and again is one of many; they spread out.
            chosen += random.randrange(2 ** min(self._collisions, 8))  # noqa: S311 (no secret)
            # From here to the reservation nothing waits: steps beside this one choose others.
            while chosen in run.reserved or chosen in listed:
                chosen += 1
        run.target.vmid = chosen
        run.reserved.add(chosen)


class CloneGoal(_NewGuest):
    """The guest exists as a clone of the template."""

    def __init__(self, step: CloneGuest) -> None:
        super().__init__(step.vmid)
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the clone request until the guest with our marker is there."""
        await need_quorum(run)
        if await self._exists(run):
            return None
        step = self.step
        template = await self._template(run)
        self._expect(run, step.target or template.node)
        return Call(
            "clone",
            "POST",
            f"{guest_path(template.node, run.family, step.template)}/clone",
            self._params(run, template.node),
            {
                "vmid": run.target.vmid,
                "node": template.node,
                "task_ids": [str(step.template), str(run.target.vmid)],
                "marker": run.marker.id,
            },
        )

    async def _template(self, run: StepRun) -> GuestEntry:
        """Return where the template is; that it cannot be cloned has to be seen freshly."""
        step = self.step
        template = (await run.inventory.recent()).guests.get(step.template)
        if not self._is_free(run, template):
            template = (await run.inventory.fresh()).guests.get(step.template)
        if template is None or template.guest != run.family:
            raise StepFailure(f"template {step.template_name} ({step.template}) is gone")
        if not self._is_free(run, template):
            raise Wait(f"template {step.template_name} is locked ({template.lock})")
        return template

    @staticmethod
    def _is_free(run: StepRun, template: GuestEntry | None) -> bool:
        if template is None or template.guest != run.family:
            return False
        return not template.lock or template.lock == "clone"

    def _params(self, run: StepRun, node: str) -> dict[str, object]:
        step, desired = self.step, run.item.desired
        name = "name" if run.family == "qemu" else "hostname"
        own = desired.get("config.description")
        params: dict[str, object] = {
            "newid": run.target.vmid,
            name: desired.get(f"config.{name}", run.item.name),
            "description": with_marker(None if own is None else str(own), run.marker),
            "full": int(step.full),
        }
        if step.pool:
            params["pool"] = step.pool
        if step.storage and step.full:
            params["storage"] = step.storage
        if step.target and step.target != node:
            params["target"] = step.target
        return params


class CreateGoal(_NewGuest):
    """The guest exists, made from nothing or from a container image."""

    def __init__(self, step: CreateGuest) -> None:
        super().__init__(step.vmid)
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the create request until the guest with our marker is there."""
        await need_quorum(run)
        if await self._exists(run):
            return None
        node = self.step.node
        self._expect(run, node)
        return Call(
            "create",
            "POST",
            f"/nodes/{node}/{run.family}",
            self._params(run),
            {
                "vmid": run.target.vmid,
                "node": node,
                "task_ids": [str(run.target.vmid)],
                "marker": run.marker.id,
            },
        )

    def _params(self, run: StepRun) -> dict[str, object]:
        from pmpc_reconcile.diff import create_options

        manifest = run.manifest()
        lacking = [path for path, value in manifest.fields.items() if isinstance(value, SecretMark)]
        lacking += [key for key, value in manifest.create_only.items() if _is_mark(value)]
        if lacking:
            raise StepFailure(
                f"the stored plan has no secrets, and {', '.join(lacking)} needs one: "
                "apply the manifests instead of the plan's id"
            )
        wire = create_options(run.kind, manifest)
        if wire.refused:
            raise StepFailure("; ".join(item.message for item in wire.refused))
        options: dict[str, object] = dict(wire.parameters())
        own = options.get("description")
        options["description"] = with_marker(None if own is None else str(own), run.marker)
        options["vmid"] = run.target.vmid
        if self.step.pool:
            options["pool"] = self.step.pool
        return options


def _is_mark(value: object) -> bool:
    return isinstance(value, SecretMark)
