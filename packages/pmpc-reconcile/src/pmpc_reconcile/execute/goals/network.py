"""The goal about a node's network: everything staged, one reload, or nothing of it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from pmpc_reconcile.diff import FieldChange
from pmpc_reconcile.execute.goals.base import ExistingGuestGoal
from pmpc_reconcile.execute.retreat import send
from pmpc_reconcile.execute.reviewed import still_missing, valued
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure
from pmpc_reconcile.groups.network.management import cut_off
from pmpc_reconcile.groups.network.staging import Staging, next_staging
from pmpc_reconcile.groups.network.state import (
    PORTS,
    Interfaces,
    NetworkState,
    network_live,
    network_target,
    touched,
    with_generated,
)
from pmpc_reconcile.live.network import management_addresses, network_path, read_network
from pmpc_reconcile.plans.settings import KEY
from pmpc_reconcile.plans.steps import Configure
from pmpc_reconcile.values import Absent, FieldValue
from pmpc_state import StepPhase

if TYPE_CHECKING:
    from pmpc_reconcile.live import LiveCluster
    from pmpc_state import JournalStep

NODE_NETWORK: Final = "NodeNetwork/"
_RELOAD: Final = "reload"
_NODE: Final = "network"
_FAILED: Final = StepPhase.FAILED
_UNDER_WAY: Final = (StepPhase.UPID, StepPhase.DONE, StepPhase.VERIFIED)


class NodeNetworkGoal(ExistingGuestGoal):
    """The interfaces are as declared and nothing waits for a reload."""

    def __init__(self, step: Configure) -> None:
        self.step = attrs.evolve(step, changes=step.together, along=())
        self._before: Interfaces | None = None
        self._target: Interfaces = {}
        self._staged = False
        self._reloaded = False

    def resume(self, run: StepRun, entry: JournalStep) -> None:
        """Learn that what waits for a reload was staged by us."""
        self._staged = True

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the next call: staging by staging, then the one reload."""
        node = _node(run)
        state = await read_network(run.live, node)
        if self._before is None:
            self._before, self._target = await self._begin(run, node, state)
        ours = touched(self._before, self._target)
        self._target = with_generated(self._target, state.interfaces, self._before, ours)
        if not state.pending and not touched(state.interfaces, self._target):
            return None
        if self._reloaded and not state.pending:
            raise StepFailure("the network was reloaded and is not as declared; look at its task")
        self._refuse_foreign(state)
        staging = next_staging(state.interfaces, self._target)
        if staging is not None:
            self._staged = True
            return _staging_call(node, staging)
        self._reloaded = True
        return Call(_RELOAD, "PUT", network_path(node), {}, _intent(node))

    async def take_back(self, run: StepRun) -> str:
        """Drop what was staged; after a reload that failed, reload what was there before."""
        if not self._staged or self._before is None:
            return ""
        node = _node(run)
        state = await read_network(run.live, node)
        if state.pending and not self._foreign(state):
            await send(run, Call("revert", "DELETE", network_path(node), {}, _intent(node)))
            return "what was staged is reverted"
        stranger = bool(state.pending)
        await self._stage_back(run, node, state)
        if stranger:
            return "what was staged is taken back; what somebody else staged stays"
        return await self._reload_before(run, node)

    async def _begin(
        self, run: StepRun, node: str, state: NetworkState
    ) -> tuple[Interfaces, Interfaces]:
        """Return what is there before anything is staged, and where to go from there.

        Raises:
            StepFailure: Somebody staged something, changed a field, or we would cut ourselves off.
        """
        if state.pending and not self._staged:
            raise StepFailure(
                f"somebody staged changes of the network of {node} and has not reloaded it: they "
                "would be committed along; reload or revert them, then plan again"
            )
        changes = self.step.changes
        live = network_live(state.interfaces, valued(changes))
        before = state.interfaces
        if state.pending:  # staged by a process that died: then it was as reviewed
            before = network_target(before, [attrs.evolve(c, desired=c.live) for c in changes])
            missing = still_missing("NodeNetwork", self.step, live, _given_up)
        else:
            missing = still_missing("NodeNetwork", self.step, live)
        if not missing and not state.pending and run.journal.phases.get(_RELOAD) is _FAILED:
            self._before = network_target(
                before, [attrs.evolve(c, desired=c.live) for c in changes]
            )
            self._target = before
            raise StepFailure("the reload that an earlier process began failed; look at its task")
        target = network_target(state.interfaces, missing)
        addresses = await management_addresses(run.live, node)
        reasons = cut_off(before, target, addresses)
        if reasons:
            raise StepFailure("; ".join(reasons))
        return before, target

    def _foreign(self, state: NetworkState) -> list[str]:
        """Return interfaces that are neither as before nor on the way to where we want them."""
        ours = set(touched(self._before or {}, self._target))
        return [name for name in touched(state.interfaces, self._target) if name not in ours]

    def _refuse_foreign(self, state: NetworkState) -> None:
        strange = self._foreign(state)
        if strange:
            raise StepFailure(
                f"somebody staged changes of {', '.join(strange)} meanwhile: they would be "
                "committed along"
            )

    async def _stage_back(self, run: StepRun, node: str, state: NetworkState) -> None:
        """Stage our interfaces as they were before, call by call; others' stay."""
        ours = touched(self._before or {}, self._target)
        while True:
            wanted = {name: opts for name, opts in state.interfaces.items() if name not in ours}
            wanted |= {name: opts for name, opts in (self._before or {}).items() if name in ours}
            staging = next_staging(state.interfaces, wanted)
            if staging is None:
                return
            call = _staging_call(node, staging)
            await send(run, Call(f"take back: {call.name}", call.method, call.path, call.params,
                                 call.intent))  # fmt: skip
            state = await read_network(run.live, node)

    async def _reload_before(self, run: StepRun, node: str) -> str:
        from proxmox_client import TaskFailed

        if not (await read_network(run.live, node)).pending:
            return ""
        path = network_path(node)
        upid: Any = await send(run, Call("reload as before", "PUT", path, {}, _intent(node)))
        result = await run.live.client.task(str(upid)).wait(timeout=run.patience.task)
        if isinstance(result, TaskFailed):
            again = "the network before is configured again, but it did not reload either"
            return f"{again}: {result.message}"
        return "the network is reloaded as it was before"


async def abandon_staged(live: LiveCluster, steps: Sequence[JournalStep]) -> None:
    """Revert what a run left staged that nobody goes on with."""
    from proxmox_client import PveError

    staged: dict[str, bool] = {}
    for step in steps:
        node = step.intent.get(_NODE)
        if node is not None:
            reloaded = step.step.endswith(f"|{_RELOAD}") and step.phase in _UNDER_WAY
            staged[str(node)] = staged.get(str(node), True) and not reloaded
    for node, left in staged.items():
        with contextlib.suppress(PveError):  # then planning says what waits there
            if left and (await read_network(live, node)).pending:
                await live.write("DELETE", network_path(node))


def _given_up(change: FieldChange, now: FieldValue | Absent) -> bool:
    """Return whether an interface gave up ports that another one shall get."""
    if change.path.rpartition(".")[2] not in PORTS:
        return False
    left = "" if isinstance(now, Absent) else str(now)
    return set(left.split()) < set(str(change.live).split())


def _node(run: StepRun) -> str:
    return run.item.evidence[KEY].partition("/")[2]


def _staging_call(node: str, staging: Staging) -> Call:
    path = network_path(node) + (f"/{staging.iface}" if staging.iface else "")
    return Call(staging.name, staging.method, path, staging.params, _intent(node))


def _intent(node: str) -> dict[str, Any]:
    return {"node": node, "task_ids": ["networking"], _NODE: node}
