"""What every section needs while it looks: the client, a budget, what is recorded, the listing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from functools import cached_property
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from pmpc_state.values.inventory import Cause, Knowledge, Known, Section, SectionFailure
from pmpc_state.values.report import EventSink
from proxmox_client import (
    AuthenticationFailed,
    ConnectError,
    NodeUnreachable,
    NotFound,
    OperationNotImplemented,
    PermissionDenied,
    PveError,
    TlsError,
    VersionUnsupported,
)

if TYPE_CHECKING:
    from proxmox_client import AsyncClient

T = TypeVar("T")


@attrs.frozen
class Listing:
    """What the cluster says of itself in one call each.

    Attributes:
        nodes: Node name to its entry in `/nodes`.
        resources: Entries of `/cluster/resources`.
    """

    nodes: Mapping[str, Mapping[str, Any]]
    resources: tuple[Mapping[str, Any], ...]

    def is_online(self, node: str | None) -> bool:
        """Say whether a node answers; guests of others keep an old status for five minutes."""
        return self.nodes.get(node or "", {}).get("status") == "online"

    @property
    def online(self) -> tuple[str, ...]:
        """The nodes that answer, by name."""
        return tuple(sorted(name for name in self.nodes if self.is_online(name)))

    @cached_property
    def storages(self) -> dict[str, list[Mapping[str, Any]]]:
        """Storage to its entries, one for each node."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for entry in self.of_type("storage"):
            found.setdefault(str(entry.get("storage")), []).append(entry)
        return found

    def of_type(self, *types: str) -> tuple[Mapping[str, Any], ...]:
        """Return the entries of some types."""
        return tuple(entry for entry in self.resources if entry.get("type") in types)


@attrs.define
class Asking:
    """Makes requests: so many at once, so many in a second; and counts them.

    Attributes:
        at_once: Room for requests on their way.
        rate: Most requests in a second, evenly spread; None for no bound.
        requests: How many were made.
    """

    at_once: asyncio.Semaphore
    rate: float | None = None
    requests: int = 0
    _next: float = 0.0

    async def ask(self, request: Awaitable[T]) -> T:
        """Make a request when there is room for one, and its turn has come."""
        try:
            async with self.at_once:
                await self._turn()
                self.requests += 1
                return await request
        finally:
            if iscoroutine(request):
                request.close()  # nobody awaits it where the wait for its turn was cut short

    async def _turn(self) -> None:
        if self.rate is None:
            return
        now = asyncio.get_running_loop().time()
        turn = max(self._next, now)
        self._next = turn + 1 / self.rate
        if turn > now:
            await asyncio.sleep(turn - now)


@attrs.frozen
class Look:
    """One look at a cluster while it goes on.

    Attributes:
        asking: Bounds and counts the requests.
        recorded: What the database believes to be there.
        due: Section and key, or scope, of what is to be read; None for everything.
    """

    pve: AsyncClient
    asking: Asking
    recorded: Knowledge
    listing: Listing
    on_event: EventSink
    due: frozenset[tuple[str, str]] | None = None

    async def ask(self, request: Awaitable[T]) -> T:
        """Make a request within the budget."""
        return await self.asking.ask(request)

    def wants(self, section: str, name: str = "") -> bool:
        """Say whether an object, or a list of a section, is to be read."""
        return self.due is None or (section, name) in self.due

    def known(self, kind: str, key: str) -> Known | None:
        """Return what is recorded of an object, None if nothing is."""
        return self.recorded.get(kind, {}).get(key)

    def missing(self, kind: str, listed: Iterable[str]) -> dict[str, str | None]:
        """Return what is recorded but was not listed, with its last known node."""
        there = set(listed)
        known = self.recorded.get(kind, {})
        return {key: one.node for key, one in known.items() if key not in there}

    def unread(self, section: str) -> Section:
        """Return a section that this look has no reason to read."""
        return Section(section, (), untouched=frozenset(self.recorded.get(section, ())))

    async def prove_gone(
        self, requests: Mapping[str, Awaitable[object]]
    ) -> tuple[frozenset[str], dict[str, str]]:
        """Ask for objects that a list does not show; return the gone and why others are not.

        Lists leave out silently what the token may not see, so only the server's word that the
        object does not exist proves it gone.
        """
        gone: set[str] = set()
        unseen: dict[str, str] = {}
        answers = await asyncio.gather(
            *(self.ask(request) for request in requests.values()), return_exceptions=True
        )
        for key, answer in zip(requests, answers, strict=True):
            if isinstance(answer, NotFound):
                gone.add(key)
            elif isinstance(answer, PermissionDenied):
                unseen[key] = "permission denied: deleted, or not visible any more"
            elif isinstance(answer, PveError):
                unseen[key] = describe(answer)
            elif isinstance(answer, BaseException):
                raise answer
        return frozenset(gone), unseen


def is_hopeless(error: BaseException) -> bool:
    """Say whether an error is about the whole server, so that going on makes no sense."""
    return isinstance(error, AuthenticationFailed | TlsError)


def failure(section: str, scope: str, error: PveError) -> SectionFailure:
    """Describe why a part of a section could not be read."""
    return SectionFailure(section, scope, cause_of(error), describe(error))


def cause_of(error: PveError) -> Cause:
    """Return the kind of reason an error is."""
    if isinstance(error, PermissionDenied):
        return Cause.PERMISSION
    if isinstance(error, ConnectError | NodeUnreachable):
        return Cause.UNREACHABLE
    if isinstance(error, OperationNotImplemented | VersionUnsupported):
        return Cause.UNSUPPORTED
    return Cause.ERROR


def describe(error: PveError) -> str:
    """Return an error's first line."""
    return str(error).partition("\n")[0]


def offline(node: str | None) -> str:
    """Return the reason for what is on a node that does not answer."""
    return f"node {node} is offline" if node else "its node is not known"
