"""A guest, for `AsyncClient`; the twins of `blocking`, where everything is explained."""

# ruff: noqa: ASYNC109  # timeouts are counted by the flow's own clock, which may be a virtual one

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from proxmox_client.flows import acting, cloning, disks, guests
from proxmox_client.flows.acting import Waiting
from proxmox_client.flows.updating import update_guest
from proxmox_client.guest.agent import AsyncGuestAgent
from proxmox_client.guest.snapshots import AsyncGuestSnapshots

if TYPE_CHECKING:
    from proxmox_client.aclient import AsyncClient
    from proxmox_client.flows.taskflow import LogReceiver
    from proxmox_client.values.guestplace import GuestPlace
    from proxmox_client.values.taskresult import TaskResult

_NO_PARAMS: Mapping[str, object] = {}
TIMEOUT = 180.0


class AsyncGuest:
    """A guest of the cluster. It is looked up before every call, so it may move.

    Attributes:
        vmid: Its number.
    """

    def __init__(self, client: AsyncClient, vmid: int) -> None:
        self._client = client
        self.vmid = vmid

    @property
    def snapshots(self) -> AsyncGuestSnapshots:
        """Its snapshots."""
        return AsyncGuestSnapshots(self._client, self.vmid)

    @property
    def agent(self) -> AsyncGuestAgent:
        """The agent inside a virtual machine."""
        return AsyncGuestAgent(self._client, self.vmid)

    async def place(self) -> GuestPlace:
        """Look where it is now (GET /cluster/resources).

        Privileges: VM.Audit. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere.
        """
        return await self._client.run(guests.locate(self._client.session, self.vmid))

    async def request(
        self, method: str, suffix: str = "", params: Mapping[str, object] = _NO_PARAMS
    ) -> Any:
        """Call a path below the guest: `guest.request("GET", "/config")`.

        Privileges: those of the call. Since: as the call.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere.
        """
        flow = guests.ask_guest(self._client.session, self.vmid, method, suffix, params)
        return await self._client.run(flow)

    async def update(self, changes: Mapping[str, object]) -> bool:
        """Change its configuration; somebody else's change is never overwritten.

        Calls GET …/config, PUT …/config. Privileges: VM.Config.* for the options changed. Since
        7.4.

        See `Guest.update`.

        Raises:
            PveError: As everywhere.
        """
        return await self._client.run(update_guest(self._client.session, self.vmid, changes))

    async def start(
        self, timeout: float = TIMEOUT, on_log: LogReceiver | None = None
    ) -> TaskResult:
        """Start it and wait until it runs, HA or not (POST …/status/start).

        Privileges: VM.PowerMgmt. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        return await self._switch("start", {}, "running", timeout, on_log)

    async def stop(self, timeout: float = TIMEOUT, on_log: LogReceiver | None = None) -> TaskResult:
        """Switch it off and wait until it has stopped (POST …/status/stop).

        Privileges: VM.PowerMgmt. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        return await self._switch("stop", {}, "stopped", timeout, on_log)

    async def shutdown(
        self, timeout: float = TIMEOUT, *, force: bool = False, on_log: LogReceiver | None = None
    ) -> TaskResult:
        """Ask it to shut down and wait until it has; `force` switches off what does not obey.

        Calls POST …/status/shutdown. Privileges: VM.PowerMgmt. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        params = {"timeout": int(timeout), "forceStop": force}
        return await self._switch("shutdown", params, "stopped", timeout, on_log)

    async def clone(
        self,
        params: Mapping[str, object] = _NO_PARAMS,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> tuple[AsyncGuest, TaskResult]:
        """Clone it and wait (POST …/clone); rivals who take the same number do no harm.

        Privileges: VM.Clone, VM.Allocate for the new guest, Datastore.AllocateSpace. Since 7.4.

        See `Guest.clone`.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        flow = cloning.clone(self._client.session, self.vmid, params, Waiting(timeout, on_log))
        vmid, result = await self._client.run(flow)
        return AsyncGuest(self._client, vmid), result

    async def migrate(
        self,
        target: str,
        params: Mapping[str, object] = _NO_PARAMS,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Move it to a node and wait until it is there, HA or not (POST …/migrate).

        Privileges: VM.Migrate. Since 7.4.

        See `Guest.migrate`.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        waiting = Waiting(timeout, on_log)
        flow = acting.migrate(self._client.session, self.vmid, target, params, waiting)
        return await self._client.run(flow)

    async def delete(
        self,
        *,
        purge: bool = False,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Delete it with its disks and wait until it is gone (DELETE …/{vmid}).

        Privileges: VM.Allocate. Since 7.4.

        See `Guest.delete`.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        waiting = Waiting(timeout, on_log)
        flow = acting.delete(self._client.session, self.vmid, purge=purge, waiting=waiting)
        return await self._client.run(flow)

    async def resize_disk(
        self,
        disk: str,
        size: str,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Grow a disk and wait (PUT …/resize); PVE shrinks none. See `Guest.resize_disk`.

        Privileges: VM.Config.Disk. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        waiting = Waiting(timeout, on_log)
        flow = disks.resize(self._client.session, self.vmid, disk, size, waiting)
        return await self._client.run(flow)

    async def move_disk(
        self,
        disk: str,
        storage: str,
        *,
        format: str | None = None,  # noqa: A002  # PVE's own word
        keep: bool = False,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Move a disk to another storage and wait (POST …/move_disk, …/move_volume).

        Privileges: VM.Config.Disk, Datastore.AllocateSpace. Since 7.4.

        See `Guest.move_disk`.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        waiting = Waiting(timeout, on_log)
        flow = disks.move(
            self._client.session,
            self.vmid,
            disk,
            storage,
            form=format,
            keep=keep,
            waiting=waiting,
        )
        return await self._client.run(flow)

    async def _switch(
        self,
        verb: str,
        params: Mapping[str, object],
        wanted: str,
        timeout: float,
        on_log: LogReceiver | None,
    ) -> TaskResult:
        flow = guests.switch(
            self._client.session,
            self.vmid,
            verb,
            params,
            wanted=wanted,
            timeout=timeout,
            on_log=on_log,
        )
        return await self._client.run(flow)

    def __repr__(self) -> str:
        return f"<AsyncGuest {self.vmid}>"
