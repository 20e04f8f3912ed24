"""What people write again and again, as methods of `Client`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from proxmox_client.errors import AlreadyExists
from proxmox_client.flows import consoles, guests, numbers, uploading, volumes
from proxmox_client.flows.privileges import MissingPrivilege, missing_privileges
from proxmox_client.flows.taskfinding import TaskQuery, find
from proxmox_client.flows.taskflow import read_started
from proxmox_client.flows.updating import update
from proxmox_client.tasks import Task

if TYPE_CHECKING:
    from proxmox_client.client import Client
    from proxmox_client.console.handles import Console
    from proxmox_client.flows.effects import Flow
    from proxmox_client.flows.session import Session
    from proxmox_client.guest import Guest
    from proxmox_client.values.taskentry import FoundTasks
    from proxmox_client.values.taskresult import TaskResult
    from proxmox_client.volumes import Volumes
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

        Calls GET /cluster/resources. Privileges: VM.Audit on the guest. Since 7.4.

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

        Calls GET /cluster/nextid, then POST to the path. Privileges: those of the path. Since 7.4.

        Safe against others who take numbers at the same time: the next number is taken then.

        Returns:
            The number and how the task ended.

        Raises:
            PveError: As everywhere.
        """
        return self.run(numbers.create(self.session, path, params, timeout=timeout))

    def update(self, path: str, changes: Mapping[str, object]) -> bool:
        """Change an object that has a digest; somebody else's change is never overwritten.

        Privileges: those of the path. Since: as the path.

        Args:
            path: Such as `/nodes/pve1/qemu/100/config` or `/storage/local`.
            changes: New values by PVE's names; None deletes the key.

        Returns:
            False where nothing had to be written.

        Raises:
            DigestMismatch: Somebody changed the same keys meanwhile.
        """
        return self.run(update(self.session, path, changes))

    def allocate_vmid(self, create: Callable[[int], T]) -> tuple[int, T]:
        """Create something under a free number, safe against rivals who take the same one.

        Calls GET /cluster/nextid. Privileges: any user; besides those of `create`. Since 7.4.

        PVE reserves no number: two who ask at once get the same. So the number is taken by
        creating: where somebody was faster, at once or in the task, the next one is tried.

        Args:
            create: Gets a number, creates the guest and returns the task's result:
                `lambda vmid: pve.nodes("pve1").qemu.post(vmid=vmid, memory="512").wait()`.

        Returns:
            The number, and what `create` returned for it.

        Raises:
            PveError: As everywhere.
        """
        vmid = self.run(numbers.free_number(self.session))
        while True:
            try:
                made = create(vmid)
            except AlreadyExists as error:
                vmid = self.run(numbers.number_after(self.session, vmid, error))
                continue
            if not numbers.is_taken(made) or self.run(numbers.is_free(self.session, vmid)):
                return vmid, made
            vmid = self.run(numbers.free_number(self.session, above=vmid))

    def find_tasks(
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
        """Find tasks on all nodes, newest first (GET /nodes/{node}/tasks of each).

        Privileges: any user; Sys.Audit on a node to see others' tasks. Since 7.4.

        Args:
            guest: Number of the guest, or whatever else the task is about.
            type: Such as `qmstart` or `vzdump`.
            user: `root@pam` with all its tokens, or one token: `root@pam!name`.
            since: Started then or later, in seconds since the epoch.
            until: Started then or earlier.
            node: Only of this node.
            running: Only running ones, or only ended ones.
            limit: How many at most.

        Returns:
            The tasks; `pve.task(entry.upid)` takes one up. Its `silent` names nodes that did not
            answer.

        Raises:
            PveError: As everywhere.
        """
        query = TaskQuery(guest, type, user, since, until, node, running, limit)
        return self.run(find(self.session, query))

    def console(self, *, guest: int | str | None = None, node: str | None = None) -> Console:
        """Return the console of a guest or of a node's shell; nothing is asked yet.

        Args:
            guest: A guest, by number or name.
            node: Or a node.

        Raises:
            RequestInvalid: Both or neither were given.
        """
        from proxmox_client.console.handles import Console

        return Console(cast("Client", self), consoles.shown(guest, node))

    def volumes(self, node: str, storage: str) -> Volumes:
        """Return the volumes of a storage as a node sees it; nothing is asked yet."""
        from proxmox_client.volumes import Volumes

        return Volumes(cast("Client", self), node, storage)

    def download_url(
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
    ) -> Task:
        """Let PVE fetch a file itself (POST /nodes/{node}/storage/{storage}/download-url).

        Privileges: Datastore.AllocateTemplate; Sys.Audit and Sys.Modify on / or Sys.AccessNetwork
        on the node. Since 7.4.

        Args:
            node: The node that fetches it.
            storage: Where to.
            url: Where from.
            content: `iso`, `vztmpl` or `import`.
            filename: Its name on the storage; the last part of the URL unless given.
            checksum: `sha256:…` in hexadecimal digits; PVE compares it after the download, and
                the task fails where it differs.
            verify_certificates: Whether the other server's certificate has to be good.
            compression: What to unpack it with: `gz`, `lzo`, `zst`, `bz2`.

        Raises:
            RequestInvalid: The checksum is none, or the URL names no file.
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
        data = self.run(flow)
        return Task(cast("Client", self), read_started(data), data)

    def wait_for(
        self, condition: Callable[[guests.Rows], bool], timeout: float = 300.0, pause: float = 2.0
    ) -> bool:
        """Wait until the rows of /cluster/resources are as wanted; False if time is over first.

        Calls GET /cluster/resources. Privileges: any user; rows show what one may audit. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
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

        Privileges: Datastore.AllocateTemplate. Since 7.4.

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
        return Task(cast("Client", self), read_started(data), data)

    def missing_privileges(
        self, method: str, path: str, params: Mapping[str, object] = _NO_PARAMS
    ) -> tuple[MissingPrivilege, ...]:
        """Ask beforehand what would be lacking for a call; nothing is called.

        Calls GET /access/permissions. Privileges: any user. Since 7.4.

        PVE checks more than it declares (single options, storages, bridges), so an empty answer
        means only that the call itself is allowed.

        Args:
            method: HTTP method.
            path: Filled path: `/nodes/pve1/qemu/100/status/start`.
            params: Those of the call that its check may name, such as `newid` or `pool`.

        Raises:
            PveError: As everywhere.
        """
        return self.run(missing_privileges(self.session, method, path, params))
