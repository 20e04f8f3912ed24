"""The snapshots of a guest, in both colours."""

# ruff: noqa: ASYNC109  # timeouts are counted by the flow's own clock, which may be a virtual one

from __future__ import annotations

from typing import TYPE_CHECKING

from proxmox_client.flows import snapshots
from proxmox_client.flows.acting import Waiting

if TYPE_CHECKING:
    from proxmox_client.aclient import AsyncClient
    from proxmox_client.client import Client
    from proxmox_client.flows.taskflow import LogReceiver
    from proxmox_client.values.snapshot import Snapshot
    from proxmox_client.values.taskresult import TaskResult


class GuestSnapshots:
    """The snapshots of a guest: `guest.snapshots`."""

    def __init__(self, client: Client, vmid: int) -> None:
        self._client = client
        self._vmid = vmid

    def list(self) -> tuple[Snapshot, ...]:
        """List them, oldest first (GET …/snapshot), without PVE's pseudo entry `current`.

        Privileges: VM.Audit. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere.
        """
        return self._client.run(snapshots.snapshots(self._client.session, self._vmid))

    def create(
        self,
        name: str,
        description: str = "",
        *,
        memory: bool = False,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Take one and wait for it (POST …/snapshot).

        Privileges: VM.Snapshot. Since 7.4.

        Args:
            name: Name of the snapshot: letters, digits, `-`, `_`, beginning with a letter.
            description: Free text.
            memory: Save a running machine's memory too; containers have none to save.
            timeout: Seconds to wait; None waits for ever.
            on_log: Gets each line of the task's log.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        flow = snapshots.create(
            self._client.session,
            self._vmid,
            name,
            description,
            memory=memory,
            waiting=Waiting(timeout, on_log),
        )
        return self._client.run(flow)

    def rollback(
        self,
        name: str,
        *,
        start: bool = False,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Return to one and wait for it (POST …/snapshot/{name}/rollback).

        Privileges: VM.Snapshot or VM.Snapshot.Rollback. Since 7.4.

        What the guest wrote since then is lost.

        Args:
            name: Name of the snapshot.
            start: Start the guest afterwards; with a snapshot of its memory it runs on anyway.
            timeout: Seconds to wait; None waits for ever.
            on_log: Gets each line of the task's log.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        waiting = Waiting(timeout, on_log)
        flow = snapshots.rollback(
            self._client.session, self._vmid, name, start=start, waiting=waiting
        )
        return self._client.run(flow)

    def delete(
        self,
        name: str,
        *,
        force: bool = False,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Delete one and wait for it (DELETE …/snapshot/{name}).

        Privileges: VM.Snapshot. Since 7.4.

        Args:
            name: Name of the snapshot.
            force: Take it out of the configuration even where a disk's snapshot stays.
            timeout: Seconds to wait; None waits for ever.
            on_log: Gets each line of the task's log.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        waiting = Waiting(timeout, on_log)
        flow = snapshots.delete(
            self._client.session, self._vmid, name, force=force, waiting=waiting
        )
        return self._client.run(flow)

    def __repr__(self) -> str:
        return f"<GuestSnapshots {self._vmid}>"


class AsyncGuestSnapshots:
    """The snapshots of a guest: `guest.snapshots`."""

    def __init__(self, client: AsyncClient, vmid: int) -> None:
        self._client = client
        self._vmid = vmid

    async def list(self) -> tuple[Snapshot, ...]:
        """List them, oldest first (GET …/snapshot), without PVE's pseudo entry `current`.

        Privileges: VM.Audit. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere.
        """
        return await self._client.run(snapshots.snapshots(self._client.session, self._vmid))

    async def create(
        self,
        name: str,
        description: str = "",
        *,
        memory: bool = False,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Take one and wait for it (POST …/snapshot). See `GuestSnapshots.create`.

        Privileges: VM.Snapshot. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        flow = snapshots.create(
            self._client.session,
            self._vmid,
            name,
            description,
            memory=memory,
            waiting=Waiting(timeout, on_log),
        )
        return await self._client.run(flow)

    async def rollback(
        self,
        name: str,
        *,
        start: bool = False,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Return to one and wait for it (POST …/snapshot/{name}/rollback).

        Privileges: VM.Snapshot or VM.Snapshot.Rollback. Since 7.4.

        See `GuestSnapshots.rollback`.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        waiting = Waiting(timeout, on_log)
        flow = snapshots.rollback(
            self._client.session, self._vmid, name, start=start, waiting=waiting
        )
        return await self._client.run(flow)

    async def delete(
        self,
        name: str,
        *,
        force: bool = False,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Delete one and wait for it (DELETE …/snapshot/{name}). See `GuestSnapshots.delete`.

        Privileges: VM.Snapshot. Since 7.4.

        Raises:
            RequestInvalid: There is no such guest.
            PveError: As everywhere; how the task ended is the result.
        """
        waiting = Waiting(timeout, on_log)
        flow = snapshots.delete(
            self._client.session, self._vmid, name, force=force, waiting=waiting
        )
        return await self._client.run(flow)

    def __repr__(self) -> str:
        return f"<AsyncGuestSnapshots {self._vmid}>"
