"""The asyncio client."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import os
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import attrs

from proxmox_client.comfort import AsyncComfort
from proxmox_client.errors import AmbiguousWrite
from proxmox_client.facade import Placeholders
from proxmox_client.flows.call import Session, perform, perform_raw
from proxmox_client.flows.drivers import AsyncDriver
from proxmox_client.flows.effects import Flow, Lost
from proxmox_client.flows.learning import LearntServer, learn_first, learn_servers
from proxmox_client.flows.login import finish_openid, openid_of, start_openid
from proxmox_client.flows.resolution import PATIENCE, resolve
from proxmox_client.flows.retry import RetryPolicy
from proxmox_client.opening import open_session, read_addresses, take_up
from proxmox_client.tasks import AsyncTask, read_started
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.exchange import Limits
from proxmox_client.transport.fleet import Fleet
from proxmox_client.transport.tls import SystemTrust, Trust
from proxmox_client.values.login import Login, Ticket
from proxmox_client.values.resolution import Resolution
from proxmox_client.values.token import ApiToken
from proxmox_client.values.upid import Upid
from proxmox_client.wire.operation import Operation
from proxmox_client.wire.request import Request, Response

if TYPE_CHECKING:
    import httpx

    from proxmox_client.api.aio.access import Access
    from proxmox_client.api.aio.cluster import Cluster
    from proxmox_client.api.aio.nodes import Nodes
    from proxmox_client.api.aio.pools import Pools
    from proxmox_client.api.aio.storage import Storage
    from proxmox_client.api.aio.version import Version
    from proxmox_client.observing.events import Observer
    from proxmox_client.transport.awaiting import AwaitingSender
    from proxmox_client.transport.given import GivenAsyncSender

T = TypeVar("T")
Watcher = TypeVar("Watcher", bound="Observer")
_NO_PARAMS: Mapping[str, object] = {}


class AsyncClient(AsyncComfort):
    """An asyncio client of one PVE server or cluster.

    The tree below it is the API: `await pve.nodes("pve1").qemu(100).config.get()`. Nothing is
    sent before the first call. Any number of calls may run at once; `connections` of them do.

    Args:
        url: Any node: `pve1`, `pve1:8006` or `https://pve1:8006`; the port is 8006 unless given.
            Several nodes of one cluster: the next is asked when one cannot be reached.
        token: An API token, as a value or as `user@realm!name=secret`.
        login: Instead of a token: `PasswordLogin`, `OpenIdLogin` or a `Ticket` somebody has.
        tls: Whom to trust: `SystemTrust()`, `CaFile(path)`, `Pin(fingerprint)` or `FirstUse()`.
        timeout: Seconds without a byte of an answer.
        retry: When reads are repeated. Writes never are.
        connections: Connections open at once.
        proxy: URL of an HTTP proxy; the environment's proxies are not used.
        observers: Who watches each request; see `proxmox_client.observing`.
        check_version: Refuse what the server's PVE lacks before it is sent; its version is asked
            for once, at the first call that some supported version lacks.
        resolve_writes: Look by itself what became of a write whose answer never came, for up to
            15 seconds: it counts as answered where it was applied, and the `AmbiguousWrite` says
            what was found where it was not. Nothing is ever sent again.
        learn_servers: Ask the cluster for its other nodes before the first call, and turn to them
            when no server given can be reached; `learn_servers()` does it at another time.
        transport: An httpx transport to use instead of the network, such as a simulator's.
        sleep: How to wait, awaitable.
        now: What time it is, in seconds.

    Raises:
        ValueError: An address or the token is none, or there is both a token and a login.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        token: ApiToken | str | None = None,
        login: Login | None = None,
        tls: Trust = SystemTrust(),  # noqa: B008  # a frozen value
        timeout: float = 30.0,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # a frozen value
        connections: int = 64,
        proxy: str | None = None,
        observers: Iterable[Observer] = (),
        check_version: bool = True,
        resolve_writes: bool = False,
        learn_servers: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        endpoints = read_addresses(url)
        self._endpoint = endpoints[0]
        self._trust = tls
        self._session = open_session(
            endpoints,
            token,
            login,
            retry,
            check_version=check_version,
            observers=observers,
            resolve_writes=resolve_writes,
            learn_servers=learn_servers,
        )
        limits = Limits(timeout, connections, proxy)
        self._fleet = Fleet(_sender_maker(limits, transport), endpoints, tls)
        self._driver = AsyncDriver(self._send, sleep, now)

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] = os.environ,
        *,
        context: str | None = None,
        **options: Any,
    ) -> Self:
        """Make a client from what this machine says about its cluster.

        The first that says something counts: arguments, `PMPC_*` variables, the file of named
        clusters (`$PMPC_CONFIG`, else `pmpc/config.yaml` below the user's configuration folder),
        the system's keyring. See docs/guides/connecting.md.

        Args:
            environ: The environment.
            context: A name in the file of clusters; None takes the one the address belongs to, or
                the current one.
            options: Arguments of the client, and `user` with `password` (and `otp`) instead of
                `login`.

        Raises:
            CredentialsExposed: The file is open to others.
            CredentialsInvalid: No server or no credentials are told, or they contradict each other.
            ValueError: Something told is wrong. No message holds a secret.
        """
        from proxmox_client.credentials import find_options  # only needed here

        return cls(**find_options(options, environ, context))

    @property
    def access(self) -> Access:
        """Users, groups, roles, tokens, permissions, realms: `/access`."""
        from proxmox_client.api.aio.access import Access

        return Access(self, {})

    @property
    def cluster(self) -> Cluster:
        """The cluster and what belongs to it as a whole: `/cluster`."""
        from proxmox_client.api.aio.cluster import Cluster

        return Cluster(self, {})

    @property
    def nodes(self) -> Nodes:
        """The nodes, their guests, storages, tasks: `/nodes`."""
        from proxmox_client.api.aio.nodes import Nodes

        return Nodes(self, {})

    @property
    def pools(self) -> Pools:
        """Resource pools: `/pools`."""
        from proxmox_client.api.aio.pools import Pools

        return Pools(self, {})

    @property
    def storage(self) -> Storage:
        """Storage definitions: `/storage`."""
        from proxmox_client.api.aio.storage import Storage

        return Storage(self, {})

    @property
    def version(self) -> Version:
        """The server's version: `/version`."""
        from proxmox_client.api.aio.version import Version

        return Version(self, {})

    @property
    def session(self) -> Session:
        """Who asks, and how patiently: what flows need."""
        return self._session

    @property
    def url(self) -> str:
        """The address asked at the moment, without credentials."""
        return self._session.route.current or str(self._endpoint)

    @contextlib.contextmanager
    def observing(self, observer: Watcher) -> Generator[Watcher]:
        """Let somebody watch for a while: `with pve.observing(Traffic()) as traffic: …`.

        Args:
            observer: Told of each request of this client, also of those made elsewhere meanwhile.
        """
        self._session.watch.add(observer)
        try:
            yield observer
        finally:
            self._session.watch.remove(observer)

    def with_timeout(self, seconds: float) -> Self:
        """Return this client with other patience: `pve.with_timeout(600).nodes(…)`.

        Both share connections, login and everything else.

        Args:
            seconds: Time without a byte of an answer.
        """
        view = copy.copy(self)
        view._session = attrs.evolve(self._session, timeout=seconds)
        return view

    async def request(
        self, method: str, path: str, params: Mapping[str, object] = _NO_PARAMS
    ) -> Any:
        """Call a path that the typed tree lacks, or that is easier said as text.

        Privileges: those of the call. Since: as the call.

        Args:
            method: GET, POST, PUT or DELETE.
            path: Below `/api2/json`, filled: `/nodes/pve1/qemu/100/config`.
            params: By PVE's names. None is left out, booleans become 1 and 0.

        Returns:
            The value under `data`, as PVE sent it.

        Raises:
            VersionUnsupported: The path or a parameter is one the server's version lacks.
            PveError: As everywhere; retries follow the same rules, GET being a read.
        """
        return await self.run(perform_raw(self._session, method, path, params))

    def task(self, upid: str | Upid) -> AsyncTask:
        """Take up a task by its name, for instance after a restart."""
        return AsyncTask(self, upid if isinstance(upid, Upid) else Upid.parse(upid))

    async def call(
        self, op: Operation[T], placeholders: Placeholders, params: Mapping[str, object]
    ) -> T:
        """Perform an operation and return its decoded result.

        Privileges: those of the call. Since: as the call.

        Raises:
            PveError: As everywhere.
        """
        return await self.run(perform(self._session, op, placeholders, params))

    async def start(
        self, op: Operation[Any], placeholders: Placeholders, params: Mapping[str, object]
    ) -> AsyncTask:
        """Perform an operation that starts a task and return the task.

        Privileges: those of the call. Since: as the call.

        Raises:
            PveError: As everywhere.
        """
        data = await self.run(perform(self._session, op, placeholders, params))
        return AsyncTask(self, read_started(data), data)

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow of requests to its end.

        Privileges: those of the calls. Since: as the call.

        Raises:
            PveError: As everywhere.
        """
        if self._session.curious:
            self._take_up(await self._driver.run(learn_first(self._session)))
        return await self._driver.run(flow)

    async def resolve(self, error: AmbiguousWrite, *, patience: float = PATIENCE) -> Resolution:
        """Look what became of a write whose answer never came: for its task, else its effect.

        Calls GET /nodes/{node}/tasks. Privileges: those to read what was written. Since 7.4.

        Args:
            error: What was raised; it holds what to look for.
            patience: Seconds after the sending in which the server may still begin it.

        Raises:
            PveError: As everywhere.
        """
        return await self.run(resolve(self._session, error, patience=patience))

    async def openid_start(self) -> str:
        """Return the address to send a browser to, for a client with an `OpenIdLogin`.

        Calls POST /access/openid/auth-url. Privileges: none. Since 7.4.

        Raises:
            ApiError: PVE does not know the realm or cannot reach its provider.
        """
        login = openid_of(self._session)
        return await self.run(start_openid(self._session, login))

    async def openid_finish(self, answer: str) -> Ticket:
        """Take the address the provider sent the browser to; from then on one is logged in.

        Calls POST /access/openid/login. Privileges: none. Since 7.4.

        Returns:
            The ticket, with which another client can go on: `login=ticket`.

        Raises:
            ValueError: The address carries no code.
            AuthenticationFailed: PVE does not accept it.
        """
        login = openid_of(self._session)
        return await self.run(finish_openid(self._session, login, answer))

    async def learn_servers(self) -> tuple[str, ...]:
        """Ask the cluster for its other nodes and turn to them when this one fails.

        Calls GET /cluster/status and GET /nodes. Privileges: Sys.Audit on /. Since 7.4.

        Each node's certificate is pinned as the cluster states it, unless a CA file vouches for it.

        Returns:
            The addresses learnt.

        Raises:
            PveError: As everywhere.
        """
        return self._take_up(await self._driver.run(learn_servers(self._session)))

    def _take_up(self, learnt: Iterable[LearntServer]) -> tuple[str, ...]:
        route = self._session.route
        return take_up(learnt, self._fleet, route, self._endpoint, self._trust)

    async def aclose(self) -> None:
        """Close all connections."""
        for sender in self._fleet.made():
            await sender.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _send(self, request: Request) -> Response | Lost:
        return await self._sender(request.server).send(request)

    def _sender(self, server: str) -> AwaitingSender | GivenAsyncSender:
        return self._fleet.sender(server)

    def __repr__(self) -> str:
        return f"<AsyncClient {self.url} as {self._session.who}>"


def _sender_maker(
    limits: Limits, transport: httpx.AsyncBaseTransport | None
) -> Callable[[Endpoint, Trust], AwaitingSender | GivenAsyncSender]:
    """Load aiohttp only where it is used, httpx likewise."""

    def make(endpoint: Endpoint, trust: Trust) -> AwaitingSender | GivenAsyncSender:
        if transport is None:
            from proxmox_client.transport.awaiting import AwaitingSender

            return AwaitingSender(endpoint, trust, limits)
        from proxmox_client.transport.given import GivenAsyncSender

        return GivenAsyncSender(endpoint, limits, transport)

    return make
