"""What people write again and again, as methods of `AsyncClient`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from proxmox_client.errors import AlreadyExists
from proxmox_client.flows import consoles, guests, numbers, uploading, volumes
from proxmox_client.flows.privileges import MissingPrivilege, missing_privileges
from proxmox_client.flows.taskfinding import TaskQuery, find
from proxmox_client.flows.taskflow import read_started
from proxmox_client.flows.updating import update
from proxmox_client.tasks import AsyncTask

if TYPE_CHECKING:
    from proxmox_client.aclient import AsyncClient
    from proxmox_client.console.handles import AsyncConsole
    from proxmox_client.flows.effects import Flow
    from proxmox_client.flows.session import Session
    from proxmox_client.guest import AsyncGuest
    from proxmox_client.transport.awaiting import AwaitingSender
    from proxmox_client.transport.given import GivenAsyncSender
    from proxmox_client.transport.websocket import WebSocket
    from proxmox_client.values.consoleticket import ConsoleTicket
    from proxmox_client.values.taskentry import FoundTasks
    from proxmox_client.values.taskresult import TaskResult
    from proxmox_client.volumes import AsyncVolumes
    from proxmox_client.wire.upload import Progress

T = TypeVar("T")
_NO_PARAMS: Mapping[str, object] = {}


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

        def _sender(self, server: str) -> AwaitingSender | GivenAsyncSender:
            """Return what sends to a server."""
            ...

    async def guest(self, guest: int | str) -> AsyncGuest:
        """Find a guest by number or name; see `Client.guest`.

        Calls GET /cluster/resources. Privileges: VM.Audit on the guest. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        from proxmox_client.guest import AsyncGuest

        place = await self.run(guests.locate(self.session, guest))
        return AsyncGuest(cast("AsyncClient", self), place.vmid)

    async def create_guest(
        self,
        path: str,
        params: Mapping[str, object],
        timeout: float | None = None,  # noqa: ASYNC109  # virtual clocks need it in the flow
    ) -> tuple[int, TaskResult]:
        """Create or clone with a free number; see `Client.create_guest`.

        Calls GET /cluster/nextid, then POST to the path. Privileges: those of the path. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        return await self.run(numbers.create(self.session, path, params, timeout=timeout))

    async def update(self, path: str, changes: Mapping[str, object]) -> bool:
        """Change an object that has a digest; see `Client.update`.

        Privileges: those of the path. Since: as the path.

        Raises:
            PveError: As everywhere.
        """
        return await self.run(update(self.session, path, changes))

    async def allocate_vmid(self, create: Callable[[int], Awaitable[T]]) -> tuple[int, T]:
        """Create something under a free number; see `Client.allocate_vmid`.

        Calls GET /cluster/nextid. Privileges: any user; besides those of `create`. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        vmid = await self.run(numbers.free_number(self.session))
        while True:
            try:
                made = await create(vmid)
            except AlreadyExists as error:
                vmid = await self.run(numbers.number_after(self.session, vmid, error))
                continue
            if not numbers.is_taken(made) or await self.run(numbers.is_free(self.session, vmid)):
                return vmid, made
            vmid = await self.run(numbers.free_number(self.session, above=vmid))

    async def find_tasks(
        self,
        *,
        guest: int | str | None = None,
        type: str | None = None,  # noqa: A002  # PVE's own word
        user: str | None = None,
        since: float | None = None,
        until: float | None = None,
        node: str | None = None,
        running: bool | None = None,
        limit: int = 50,
    ) -> FoundTasks:
        """Find tasks on all nodes, newest first; see `Client.find_tasks`.

        Calls GET /nodes/{node}/tasks. Privileges: any user; Sys.Audit on a node to see others'
        tasks. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        query = TaskQuery(guest, type, user, since, until, node, running, limit)
        return await self.run(find(self.session, query))

    def console(self, *, guest: int | str | None = None, node: str | None = None) -> AsyncConsole:
        """Return the console of a guest or of a node's shell; see `Client.console`."""
        from proxmox_client.console.handles import AsyncConsole

        return AsyncConsole(cast("AsyncClient", self), consoles.shown(guest, node))

    async def open_websocket(self, ticket: ConsoleTicket) -> WebSocket:
        """Open the websocket of a console, on the server that opened the console.

        Calls GET …/vncwebsocket. Privileges: VM.Console; Sys.Console for a node. Since 7.4.

        Raises:
            ApiError: The server refuses the ticket.
            ConnectError: The server cannot be reached.
            RequestInvalid: The client has a transport of its own, which has no websockets.
        """
        request = self.session.authorised(consoles.websocket_request(ticket))
        return await self._sender(ticket.server).upgrade(request)

    def volumes(self, node: str, storage: str) -> AsyncVolumes:
        """Return the volumes of a storage as a node sees it; nothing is asked yet."""
        from proxmox_client.volumes import AsyncVolumes

        return AsyncVolumes(cast("AsyncClient", self), node, storage)

    async def download_url(
        self,
        node: str,
        storage: str,
        url: str,
        content: str = "iso",
        *,
        filename: str | None = None,
        checksum: str | None = None,
        verify_certificates: bool = True,
        compression: str | None = None,
    ) -> AsyncTask:
        """Let PVE fetch a file itself; see `Client.download_url`.

        Calls POST /nodes/{node}/storage/{storage}/download-url. Privileges:
        Datastore.AllocateTemplate; Sys.Audit and Sys.Modify on / or Sys.AccessNetwork on the node.
        Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        flow = volumes.download(
            self.session,
            node,
            storage,
            url,
            content,
            filename=filename,
            checksum=checksum,
            verify_certificates=verify_certificates,
            compression=compression,
        )
        data = await self.run(flow)
        return AsyncTask(cast("AsyncClient", self), read_started(data), data)

    async def wait_for(
        self,
        condition: Callable[[guests.Rows], bool],
        timeout: float = 300.0,  # noqa: ASYNC109  # as above
        pause: float = 2.0,
    ) -> bool:
        """Wait until the rows of /cluster/resources are as wanted; see `Client.wait_for`.

        Calls GET /cluster/resources. Privileges: any user; rows show what one may audit. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
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
        """Send a file to a storage; see `Client.upload`.

        Calls POST /nodes/{node}/storage/{storage}/upload. Privileges: Datastore.AllocateTemplate.
        Since 7.4.

        Raises:
            PveError: As everywhere.
        """
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
        return AsyncTask(cast("AsyncClient", self), read_started(data), data)

    async def missing_privileges(
        self, method: str, path: str, params: Mapping[str, object] = _NO_PARAMS
    ) -> tuple[MissingPrivilege, ...]:
        """Ask beforehand what would be lacking; see `Client.missing_privileges`.

        Calls GET /access/permissions. Privileges: any user. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        return await self.run(missing_privileges(self.session, method, path, params))
