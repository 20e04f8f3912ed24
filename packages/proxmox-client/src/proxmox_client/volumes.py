"""The volumes of a storage, in both colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxmox_client.flows import volumes
from proxmox_client.flows.acting import Waiting
from proxmox_client.values.volid import Volid

if TYPE_CHECKING:
    from proxmox_client.aclient import AsyncClient
    from proxmox_client.api.models.nodes_storage import NodesStorageContentItem
    from proxmox_client.client import Client
    from proxmox_client.flows.taskflow import LogReceiver
    from proxmox_client.values.taskresult import TaskResult
    from proxmox_client.wire.results import Results


class Volumes:
    """The volumes of a storage as a node sees it: `pve.volumes("pve1", "local")`.

    Attributes:
        node: A node that has the storage.
        storage: The storage.
    """

    def __init__(self, client: Client, node: str, storage: str) -> None:
        self._client = client
        self.node = node
        self.storage = storage

    def list(
        self, content: str | None = None, guest: int | None = None
    ) -> Results[NodesStorageContentItem]:
        """List them (GET /nodes/{node}/storage/{storage}/content).

        Privileges: Datastore.Audit or Datastore.AllocateSpace. Since 7.4.

        Args:
            content: Only `images`, `rootdir`, `iso`, `vztmpl`, `backup`, `import` or `snippets`.
            guest: Only those of one guest.

        Raises:
            PveError: As everywhere.
        """
        from proxmox_client.api.operations.nodes_storage import NODES_STORAGE_CONTENT_GET

        places = {"node": self.node, "storage": self.storage}
        params = {"content": content, "vmid": guest}
        return self._client.call(NODES_STORAGE_CONTENT_GET, places, params)

    def allocate(
        self,
        guest: int,
        size: str,
        filename: str,
        *,
        format: str | None = None,  # noqa: A002  # PVE's own word
    ) -> Volid:
        """Allocate an empty disk image (POST /nodes/{node}/storage/{storage}/content).

        Privileges: Datastore.AllocateSpace. Since 7.4.

        Args:
            guest: The guest it will belong to.
            size: `32G`, or kibibytes without a unit.
            filename: `vm-100-disk-1`, with the ending of its format on file storages.
            format: `raw`, `qcow2`, `vmdk` or `subvol`; what the storage prefers unless given.

        Returns:
            The new volume.

        Raises:
            PveError: As everywhere.
        """
        flow = volumes.allocate(
            self._client.session,
            self.node,
            self.storage,
            guest,
            size,
            filename=filename,
            form=format,
        )
        return self._client.run(flow)

    def delete(
        self,
        volume: Volid | str,
        timeout: float | None = None,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Delete one and wait for it (DELETE …/storage/{storage}/content/{volume}).

        Privileges: Datastore.Allocate; Datastore.AllocateSpace for a guest's own. Since 7.4.

        Args:
            volume: Its name, `local:iso/debian.iso`, or the part after the storage.
            timeout: Seconds to wait; None waits for ever.
            on_log: Gets each line of the task's log.

        Raises:
            RequestInvalid: It is on another storage.
        """
        known = volumes.on_storage(self.storage, volume)
        flow = volumes.delete(self._client.session, self.node, known, Waiting(timeout, on_log))
        return self._client.run(flow)

    def __repr__(self) -> str:
        return f"<Volumes {self.storage} on {self.node}>"


class AsyncVolumes:
    """The volumes of a storage, for `AsyncClient`. See `Volumes`.

    Attributes:
        node: A node that has the storage.
        storage: The storage.
    """

    def __init__(self, client: AsyncClient, node: str, storage: str) -> None:
        self._client = client
        self.node = node
        self.storage = storage

    async def list(
        self, content: str | None = None, guest: int | None = None
    ) -> Results[NodesStorageContentItem]:
        """List them (GET /nodes/{node}/storage/{storage}/content). See `Volumes.list`.

        Privileges: Datastore.Audit or Datastore.AllocateSpace. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        from proxmox_client.api.operations.nodes_storage import NODES_STORAGE_CONTENT_GET

        places = {"node": self.node, "storage": self.storage}
        params = {"content": content, "vmid": guest}
        return await self._client.call(NODES_STORAGE_CONTENT_GET, places, params)

    async def allocate(
        self,
        guest: int,
        size: str,
        filename: str,
        *,
        format: str | None = None,  # noqa: A002  # PVE's own word
    ) -> Volid:
        """Allocate an empty disk image (POST …/content). See `Volumes.allocate`.

        Privileges: Datastore.AllocateSpace. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        flow = volumes.allocate(
            self._client.session,
            self.node,
            self.storage,
            guest,
            size,
            filename=filename,
            form=format,
        )
        return await self._client.run(flow)

    async def delete(
        self,
        volume: Volid | str,
        timeout: float | None = None,  # noqa: ASYNC109  # counted by the flow's own clock
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Delete one and wait for it (DELETE …/content/{volume}). See `Volumes.delete`.

        Privileges: Datastore.Allocate; Datastore.AllocateSpace for a guest's own. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        known = volumes.on_storage(self.storage, volume)
        flow = volumes.delete(self._client.session, self.node, known, Waiting(timeout, on_log))
        return await self._client.run(flow)

    def __repr__(self) -> str:
        return f"<AsyncVolumes {self.storage} on {self.node}>"
