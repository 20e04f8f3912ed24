"""What people write again and again, as methods of both clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from proxmox_client.flows import guests, uploading
from proxmox_client.flows.privileges import MissingPrivilege, missing_privileges
from proxmox_client.flows.updating import update
from proxmox_client.tasks import AsyncTask, Task, read_started

if TYPE_CHECKING:
    from proxmox_client.aclient import AsyncClient
    from proxmox_client.client import Client
    from proxmox_client.flows.effects import Flow
    from proxmox_client.flows.session import Session
    from proxmox_client.guest import AsyncGuest, Guest
    from proxmox_client.values.taskresult import TaskResult
    from proxmox_client.wire.upload import Progress

T = TypeVar("T")
_NO_PARAMS: Mapping[str, object] = {}


class Comfort:
    """Helpers of `Client`."""

    if TYPE_CHECKING:

        @property
        def session(self) -> Session:
            """Who asks."""
            ...

        def run(self, flow: Flow[T]) -> T:
            """Run a flow."""
            ...

    def guest(self, guest: int | str) -> Guest:
        """Find a guest by number or name; the handle follows it through the cluster.

        Raises:
            RequestInvalid: There is none of that name, or several.
        """
        from proxmox_client.guest import Guest

        place = self.run(guests.locate(self.session, guest))
        return Guest(cast("Client", self), place.vmid)

    def create_guest(
        self, path: str, params: Mapping[str, object], timeout: float | None = None
    ) -> tuple[int, TaskResult]:
        """Create (`/nodes/pve1/qemu`) or clone (`/nodes/pve1/qemu/9000/clone`) with a free number.

        Safe against others who take numbers at the same time: the next number is taken then.

        Returns:
            The number and how the task ended.
        """
        return self.run(guests.create(self.session, path, params, timeout=timeout))

    def update(self, path: str, changes: Mapping[str, object]) -> bool:
        """Change an object that has a digest; somebody else's change is never overwritten.

        Args:
            path: Such as `/nodes/pve1/qemu/100/config` or `/storage/local`.
            changes: New values by PVE's names; None deletes the key.

        Returns:
            False where nothing had to be written.

        Raises:
            DigestMismatch: Somebody changed the same keys meanwhile.
        """
        return self.run(update(self.session, path, changes))

    def wait_for(
        self, condition: Callable[[guests.Rows], bool], timeout: float = 300.0, pause: float = 2.0
    ) -> bool:
        """Wait until the rows of /cluster/resources are as wanted; False if time is over first."""
        flow = guests.wait_for(self.session, condition, timeout=timeout, pause=pause)
        return self.run(flow)

    def upload(
        self,
        node: str,
        storage: str,
        path: str | Path,
        content: str = "iso",
        *,
        filename: str | None = None,
        checksum: bool = True,
        progress: Progress | None = None,
    ) -> Task:
        """Send a file to a storage (POST /nodes/{node}/storage/{storage}/upload).

        Args:
            node: Any node that has the storage.
            storage: Where to.
            path: The file.
            content: `iso`, `vztmpl` or `import`.
            filename: Its name on the storage; its own unless given.
            checksum: Let PVE compare the file's SHA-256; it is read once more for that.
            progress: Told the bytes sent so far and the bytes there are.

        Raises:
            RequestInvalid: The file cannot be read.
        """
        request = uploading.prepare_upload(
            node,
            storage,
            Path(path),
            content,
            filename=filename,
            checksum=checksum,
            progress=progress,
        )
        data = self.run(uploading.upload(self.session, request))
        return Task(cast("Client", self), read_started(data))

    def missing_privileges(
        self, method: str, path: str, params: Mapping[str, object] = _NO_PARAMS
    ) -> tuple[MissingPrivilege, ...]:
        """Ask beforehand what would be lacking for a call; nothing is called.

        PVE checks more than it declares (single options, storages, bridges), so an empty answer
        means only that the call itself is allowed.

        Args:
            method: HTTP method.
            path: Filled path: `/nodes/pve1/qemu/100/status/start`.
            params: Those of the call that its check may name, such as `newid` or `pool`.
        """
        return self.run(missing_privileges(self.session, method, path, params))


class AsyncComfort:
    """Helpers of `AsyncClient`; see `Comfort`."""

    if TYPE_CHECKING:

        @property
        def session(self) -> Session:
            """Who asks."""
            ...

        async def run(self, flow: Flow[T]) -> T:
            """Run a flow."""
            ...

    async def guest(self, guest: int | str) -> AsyncGuest:
        """Find a guest by number or name; see `Client.guest`."""
        from proxmox_client.guest import AsyncGuest

        place = await self.run(guests.locate(self.session, guest))
        return AsyncGuest(cast("AsyncClient", self), place.vmid)

    async def create_guest(
        self,
        path: str,
        params: Mapping[str, object],
        timeout: float | None = None,  # noqa: ASYNC109  # virtual clocks need it in the flow
    ) -> tuple[int, TaskResult]:
        """Create or clone with a free number; see `Client.create_guest`."""
        return await self.run(guests.create(self.session, path, params, timeout=timeout))

    async def update(self, path: str, changes: Mapping[str, object]) -> bool:
        """Change an object that has a digest; see `Client.update`."""
        return await self.run(update(self.session, path, changes))

    async def wait_for(
        self,
        condition: Callable[[guests.Rows], bool],
        timeout: float = 300.0,  # noqa: ASYNC109  # as above
        pause: float = 2.0,
    ) -> bool:
        """Wait until the rows of /cluster/resources are as wanted; see `Client.wait_for`."""
        flow = guests.wait_for(self.session, condition, timeout=timeout, pause=pause)
        return await self.run(flow)

    async def upload(
        self,
        node: str,
        storage: str,
        path: str | Path,
        content: str = "iso",
        *,
        filename: str | None = None,
        checksum: bool = True,
        progress: Progress | None = None,
    ) -> AsyncTask:
        """Send a file to a storage; see `Client.upload`."""
        request = await asyncio.to_thread(
            uploading.prepare_upload,
            node,
            storage,
            Path(path),
            content,
            filename=filename,
            checksum=checksum,
            progress=progress,
        )
        data = await self.run(uploading.upload(self.session, request))
        return AsyncTask(cast("AsyncClient", self), read_started(data))

    async def missing_privileges(
        self, method: str, path: str, params: Mapping[str, object] = _NO_PARAMS
    ) -> tuple[MissingPrivilege, ...]:
        """Ask beforehand what would be lacking; see `Client.missing_privileges`."""
        return await self.run(missing_privileges(self.session, method, path, params))
