"""The same test in both colours: a client whose calls can all be awaited."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import Any, cast

from proxmox_client import AsyncClient, Client
from proxmox_client.testing import SimulatedCluster

COLOURS = ("sync", "async")
_OURS = ("proxmox_client.tasks", "proxmox_client.volumes", "proxmox_client.console.handles")
_PLAIN = ("task", "volumes", "console")
"""Methods that ask nobody: no colour awaits them."""


class Awaitable:
    """Wraps a blocking object so that every method of it, and of what it returns, is awaited.

    Properties stay properties; a test written for `AsyncClient` runs unchanged on `Client`.
    """

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not inspect.ismethod(found):
            return wrapped(found)

        def plain(*given: Any, **named: Any) -> Any:
            return wrapped(found(*given, **named))

        if name in _PLAIN:
            return plain
        if inspect.isgeneratorfunction(found):

            def lines(*given: Any, **named: Any) -> AsyncIterator[str]:
                return _lines(found(*given, **named))

            return lines

        async def call(*given: Any, **named: Any) -> Any:
            return plain(*given, **named)

        return call


def wrapped(value: Any) -> Any:
    """Wrap what belongs to the client's own surface, leave values alone."""
    if type(value) is tuple:
        return _each(cast(Any, value))
    return Awaitable(value) if _is_ours(value) else value


def _each(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(wrapped, parts))


def _is_ours(value: object) -> bool:
    home = type(value).__module__
    return home in _OURS or home.startswith("proxmox_client.guest.")


async def _lines(lines: Any) -> AsyncIterator[str]:
    for line in lines:
        yield line


@asynccontextmanager
async def open_client(
    colour: str, cluster: SimulatedCluster, url: str = "pve1", **options: Any
) -> AsyncGenerator[Any]:
    """Open a client of a colour that talks to a cluster in process, on the cluster's clock."""
    options.setdefault("now", cluster.clock.now)
    if colour == "sync":
        with ExitStack() as stack:
            made = Client(url, transport=cluster.transport(), sleep=cluster.clock.sleep, **options)
            yield Awaitable(stack.enter_context(made))
    else:
        async with AsyncExitStack() as stack:
            given = AsyncClient(
                url, transport=cluster.async_transport(), sleep=cluster.clock.asleep, **options
            )
            yield await stack.enter_async_context(given)


@asynccontextmanager
async def connect(colour: str, url: str, **options: Any) -> AsyncGenerator[Any]:
    """Open a client of a colour that talks to a server over the network, in real time."""
    if colour == "sync":
        with Client(url, **options) as blocking:
            yield Awaitable(blocking)
    else:
        async with AsyncClient(url, **options) as made:
            yield made
