"""The blocking client."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from proxmox_client.facade import Placeholders
from proxmox_client.flows.call import Session, perform, perform_raw
from proxmox_client.flows.drivers import SyncDriver
from proxmox_client.flows.effects import Flow
from proxmox_client.flows.retry import RetryPolicy
from proxmox_client.tasks import Task, read_started
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.exchange import Limits
from proxmox_client.transport.tls import SystemTrust, Trust
from proxmox_client.values.token import ApiToken, as_token
from proxmox_client.values.upid import Upid
from proxmox_client.wire.operation import Operation

if TYPE_CHECKING:
    import httpx

    from proxmox_client.api.sync.access import Access
    from proxmox_client.api.sync.cluster import Cluster
    from proxmox_client.api.sync.nodes import Nodes
    from proxmox_client.api.sync.pools import Pools
    from proxmox_client.api.sync.storage import Storage
    from proxmox_client.api.sync.version import Version
    from proxmox_client.transport.blocking import BlockingSender
    from proxmox_client.transport.given import GivenSender

T = TypeVar("T")
_NO_PARAMS: Mapping[str, object] = {}


class Client:
    """A blocking client of one PVE server or cluster; safe to share between threads.

    The tree below it is the API: `pve.nodes("pve1").qemu(100).config.get()`. Nothing is sent
    before the first call.

    Args:
        url: Any node: `pve1`, `pve1:8006` or `https://pve1:8006`; the port is 8006 unless given.
        token: An API token, as a value or as `user@realm!name=secret`.
        tls: Whom to trust: `SystemTrust()`, `CaFile(path)` or `Pin(fingerprint)`.
        timeout: Seconds without a byte of an answer.
        retry: When reads are repeated. Writes never are.
        connections: Connections open at once.
        proxy: URL of an HTTP proxy; the environment's proxies are not used.
        transport: An httpx transport to use instead of the network, such as a simulator's.
        sleep: How to wait.
        now: What time it is, in seconds.

    Raises:
        ValueError: The address or the token is none.
    """

    def __init__(
        self,
        url: str,
        *,
        token: ApiToken | str,
        tls: Trust = SystemTrust(),  # noqa: B008  # a frozen value
        timeout: float = 30.0,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # a frozen value
        connections: int = 64,
        proxy: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = Endpoint.parse(url)
        self._session = Session(as_token(token), retry)
        limits = Limits(timeout, connections, proxy)
        self._sender = _choose_sender(self._endpoint, tls, limits, transport)
        self._driver = SyncDriver(self._sender.send, sleep, now)

    @property
    def access(self) -> Access:
        """Users, groups, roles, tokens, permissions, realms: `/access`."""
        from proxmox_client.api.sync.access import Access

        return Access(self, {})

    @property
    def cluster(self) -> Cluster:
        """The cluster and what belongs to it as a whole: `/cluster`."""
        from proxmox_client.api.sync.cluster import Cluster

        return Cluster(self, {})

    @property
    def nodes(self) -> Nodes:
        """The nodes, their guests, storages, tasks: `/nodes`."""
        from proxmox_client.api.sync.nodes import Nodes

        return Nodes(self, {})

    @property
    def pools(self) -> Pools:
        """Resource pools: `/pools`."""
        from proxmox_client.api.sync.pools import Pools

        return Pools(self, {})

    @property
    def storage(self) -> Storage:
        """Storage definitions: `/storage`."""
        from proxmox_client.api.sync.storage import Storage

        return Storage(self, {})

    @property
    def version(self) -> Version:
        """The server's version: `/version`."""
        from proxmox_client.api.sync.version import Version

        return Version(self, {})

    @property
    def session(self) -> Session:
        """Who asks, and how patiently: what flows need."""
        return self._session

    @property
    def url(self) -> str:
        """The address asked, without credentials."""
        return str(self._endpoint)

    def request(self, method: str, path: str, params: Mapping[str, object] = _NO_PARAMS) -> Any:
        """Call a path that the typed tree lacks, or that is easier said as text.

        Args:
            method: GET, POST, PUT or DELETE.
            path: Below `/api2/json`, filled: `/nodes/pve1/qemu/100/config`.
            params: By PVE's names. None is left out, booleans become 1 and 0.

        Returns:
            The value under `data`, as PVE sent it.

        Raises:
            PveError: As everywhere; retries follow the same rules, GET being a read.
        """
        return self.run(perform_raw(self._session, method, path, params))

    def task(self, upid: str | Upid) -> Task:
        """Take up a task by its name, for instance after a restart."""
        return Task(self, upid if isinstance(upid, Upid) else Upid.parse(upid))

    def call(self, op: Operation[T], placeholders: Placeholders, params: Mapping[str, object]) -> T:
        """Perform an operation and return its decoded result."""
        return self.run(perform(self._session, op, placeholders, params))

    def start(
        self, op: Operation[Any], placeholders: Placeholders, params: Mapping[str, object]
    ) -> Task:
        """Perform an operation that starts a task and return the task."""
        data = self.run(perform(self._session, op, placeholders, params))
        return Task(self, read_started(data))

    def run(self, flow: Flow[T]) -> T:
        """Run a flow of requests to its end."""
        return self._driver.run(flow)

    def close(self) -> None:
        """Close all connections."""
        self._sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self.url} as {self._session.token.id}>"


def _choose_sender(
    endpoint: Endpoint, trust: Trust, limits: Limits, transport: httpx.BaseTransport | None
) -> BlockingSender | GivenSender:
    """Load httpcore only where it is used, httpx likewise."""
    if transport is None:
        from proxmox_client.transport.blocking import BlockingSender

        return BlockingSender(endpoint, trust, limits)
    from proxmox_client.transport.given import GivenSender

    return GivenSender(endpoint, limits, transport)
