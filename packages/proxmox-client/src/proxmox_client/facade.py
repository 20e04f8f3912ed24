"""Base classes of the generated path tree.

A node of the tree knows its client and the placeholders filled so far, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from proxmox_client.tasks import AsyncTask, Task
    from proxmox_client.wire.operation import Operation

T = TypeVar("T")
Placeholders = Mapping[str, str | int]


class SyncCaller(Protocol):
    """What a resource needs from its client."""

    def call(self, op: Operation[T], placeholders: Placeholders, params: Mapping[str, object]) -> T:
        """Perform the operation and return its decoded result."""
        ...

    def start(
        self, op: Operation[Any], placeholders: Placeholders, params: Mapping[str, object]
    ) -> Task:
        """Perform an operation that starts a task and return the task."""
        ...


class AsyncCaller(Protocol):
    """What an async resource needs from its client."""

    async def call(
        self, op: Operation[T], placeholders: Placeholders, params: Mapping[str, object]
    ) -> T:
        """Perform the operation and return its decoded result."""
        ...

    async def start(
        self, op: Operation[Any], placeholders: Placeholders, params: Mapping[str, object]
    ) -> AsyncTask:
        """Perform an operation that starts a task and return the task."""
        ...


class SyncResource:
    """One path of the API, reached through a `Client`."""

    __slots__ = ("_client", "_path")

    def __init__(self, client: SyncCaller, path: Placeholders) -> None:
        self._client = client
        self._path = path

    def _call(self, op: Operation[T], params: Mapping[str, object]) -> T:
        return self._client.call(op, self._path, params)

    def _start(self, op: Operation[Any], params: Mapping[str, object]) -> Task:
        return self._client.start(op, self._path, params)

    def __repr__(self) -> str:
        return _show(self, self._path)


class AsyncResource:
    """One path of the API, reached through an `AsyncClient`."""

    __slots__ = ("_client", "_path")

    def __init__(self, client: AsyncCaller, path: Placeholders) -> None:
        self._client = client
        self._path = path

    async def _call(self, op: Operation[T], params: Mapping[str, object]) -> T:
        return await self._client.call(op, self._path, params)

    async def _start(self, op: Operation[Any], params: Mapping[str, object]) -> AsyncTask:
        return await self._client.start(op, self._path, params)

    def __repr__(self) -> str:
        return _show(self, self._path)


def _show(resource: object, path: Placeholders) -> str:
    filled = ", ".join(f"{name}={value!r}" for name, value in path.items())
    return f"<{type(resource).__name__} {filled}>" if filled else f"<{type(resource).__name__}>"
