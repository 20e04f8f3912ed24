"""The journal of one step: every phase is in the database before the next thing happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.execute.trouble import Call
from pmpc_reconcile.records import Records
from pmpc_state import JournalStep, StepPhase

if TYPE_CHECKING:
    from pmpc_state import StateWriter

SEPARATOR = "|"


class StepJournal:
    """What was intended, called and done for one step of a run.

    A step may need several calls; each has an entry named `step|call`.
    """

    def __init__(
        self, records: Records, run_id: str, step_id: str, address: str, position: int
    ) -> None:
        self._records = records
        self._run_id = run_id
        self._step_id = step_id
        self._address = address
        self._position = position
        self.phases: dict[str, StepPhase] = {}

    def adopt(self, entries: Iterable[JournalStep]) -> tuple[JournalStep, ...]:
        """Take over what an earlier process wrote about this step and return it."""
        prefix = self._step_id + SEPARATOR
        ours = tuple(entry for entry in entries if entry.step.startswith(prefix))
        for entry in ours:
            self.phases[entry.step.removeprefix(prefix)] = entry.phase
        return ours

    @property
    def ended(self) -> bool:
        """Return whether the effect of everything that was called has been seen."""
        phases = set(self.phases.values())
        return StepPhase.VERIFIED in phases <= {StepPhase.VERIFIED, StepPhase.FAILED}

    async def intend(self, call: Call) -> str:
        """Write down what is about to be called; return the name of the entry."""
        entry = call.name
        while self.phases.get(entry) is StepPhase.VERIFIED:
            entry += " again"
        if self.phases.get(entry) in (StepPhase.CALLED, StepPhase.UPID, StepPhase.DONE):
            await self.failed(entry, "its effect was not there; it is called again")

        def write(writer: StateWriter, name: str) -> None:
            writer.journal.intend(
                self._run_id,
                name,
                position=self._position,
                address=self._address,
                intent={"method": call.method, "path": call.path, **call.intent},
            )

        name = self._name(entry)
        await self._records.run(lambda: write(self._records.state.writer(), name))
        self.phases[entry] = StepPhase.INTENT
        return entry

    async def called(self, name: str) -> None:
        """Write down that the request may have left."""
        entry = self._name(name)
        await self._records.run(
            lambda: self._records.state.writer().journal.called(self._run_id, entry)
        )
        self.phases[name] = StepPhase.CALLED

    async def upid(self, name: str, upid: str) -> None:
        """Write down the task the call started."""
        entry = self._name(name)
        await self._records.run(
            lambda: self._records.state.writer().journal.upid(self._run_id, entry, upid)
        )
        self.phases[name] = StepPhase.UPID

    async def done(self, name: str, result: Mapping[str, Any] | None = None) -> None:
        """Write down that the call or its task ended well, and what of its answer is needed."""
        entry = self._name(name)
        await self._records.run(
            lambda: self._records.state.writer().journal.done(self._run_id, entry, result)
        )
        self.phases[name] = StepPhase.DONE

    async def failed(self, name: str, reason: str) -> None:
        """Write down that the call failed, and why."""
        entry = self._name(name)
        await self._records.run(
            lambda: self._records.state.writer().journal.failed(self._run_id, entry, reason)
        )
        self.phases[name] = StepPhase.FAILED

    async def reached(self) -> None:
        """Write down that the effect was seen: everything that was called is verified."""
        for name, phase in tuple(self.phases.items()):
            if phase is StepPhase.INTENT:
                await self.failed(name, "not needed any more")
                continue
            if phase in (StepPhase.CALLED, StepPhase.UPID):
                await self.done(name)
            if phase not in (StepPhase.FAILED, StepPhase.VERIFIED):
                await self._verified(name)

    async def _verified(self, name: str) -> None:
        entry = self._name(name)
        await self._records.run(
            lambda: self._records.state.writer().journal.verified(self._run_id, entry)
        )
        self.phases[name] = StepPhase.VERIFIED

    def _name(self, call: str) -> str:
        return f"{self._step_id}{SEPARATOR}{call}"
