"""A guest by number or name, in both colours, wherever in the cluster it is at the moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from proxmox_client.flows import guests

if TYPE_CHECKING:
    from proxmox_client.aclient import AsyncClient
    from proxmox_client.client import Client
    from proxmox_client.flows.taskflow import LogReceiver
    from proxmox_client.values.guestplace import GuestPlace
    from proxmox_client.values.taskresult import TaskResult

_NO_PARAMS: Mapping[str, object] = {}
TIMEOUT = 180.0


class Guest:
    """A guest of the cluster. It is looked up before every call, so it may move.

    Attributes:
        vmid: Its number.
    """

    def __init__(self, client: Client, vmid: int) -> None:
        self._client = client
        self.vmid = vmid

    def place(self) -> GuestPlace:
        """Look where it is now."""
        return self._client.run(guests.locate(self._client.session, self.vmid))

    def request(
        self, method: str, suffix: str = "", params: Mapping[str, object] = _NO_PARAMS
    ) -> Any:
        """Call a path below the guest: `guest.request("GET", "/config")`."""
        flow = guests.ask_guest(self._client.session, self.vmid, method, suffix, params)
        return self._client.run(flow)

    def start(self, timeout: float = TIMEOUT, on_log: LogReceiver | None = None) -> TaskResult:
        """Start it and wait until it runs, HA or not."""
        return self._switch("start", {}, "running", timeout, on_log)

    def stop(self, timeout: float = TIMEOUT, on_log: LogReceiver | None = None) -> TaskResult:
        """Switch it off and wait until it has stopped."""
        return self._switch("stop", {}, "stopped", timeout, on_log)

    def shutdown(
        self, timeout: float = TIMEOUT, *, force: bool = False, on_log: LogReceiver | None = None
    ) -> TaskResult:
        """Ask it to shut down and wait until it has; `force` switches off what does not obey."""
        params = {"timeout": int(timeout), "forceStop": force}
        return self._switch("shutdown", params, "stopped", timeout, on_log)

    def _switch(
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
        return self._client.run(flow)

    def __repr__(self) -> str:
        return f"<Guest {self.vmid}>"


class AsyncGuest:
    """A guest of the cluster, for `AsyncClient`. See `Guest`.

    Attributes:
        vmid: Its number.
    """

    def __init__(self, client: AsyncClient, vmid: int) -> None:
        self._client = client
        self.vmid = vmid

    async def place(self) -> GuestPlace:
        """Look where it is now."""
        return await self._client.run(guests.locate(self._client.session, self.vmid))

    async def request(
        self, method: str, suffix: str = "", params: Mapping[str, object] = _NO_PARAMS
    ) -> Any:
        """Call a path below the guest: `await guest.request("GET", "/config")`."""
        flow = guests.ask_guest(self._client.session, self.vmid, method, suffix, params)
        return await self._client.run(flow)

    async def start(
        self,
        timeout: float = TIMEOUT,  # noqa: ASYNC109  # virtual clocks need it in the flow
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Start it and wait until it runs, HA or not."""
        return await self._switch("start", {}, "running", timeout, on_log)

    async def stop(
        self,
        timeout: float = TIMEOUT,  # noqa: ASYNC109  # as above
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Switch it off and wait until it has stopped."""
        return await self._switch("stop", {}, "stopped", timeout, on_log)

    async def shutdown(
        self,
        timeout: float = TIMEOUT,  # noqa: ASYNC109  # as above
        *,
        force: bool = False,
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Ask it to shut down and wait until it has; `force` switches off what does not obey."""
        params = {"timeout": int(timeout), "forceStop": force}
        return await self._switch("shutdown", params, "stopped", timeout, on_log)

    async def _switch(
        self,
        verb: str,
        params: Mapping[str, object],
        wanted: str,
        timeout: float,  # noqa: ASYNC109  # as above
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
