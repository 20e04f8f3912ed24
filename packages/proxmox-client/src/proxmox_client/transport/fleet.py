"""A sender for each server of a cluster, made when it is first asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.tls import Trust

S = TypeVar("S")


class Fleet(Generic[S]):
    """The senders of one client.

    Args:
        make: Makes the sender of a server.
        endpoints: The servers; the first is also known by the empty name.
        trust: Whom to trust at these servers.
    """

    def __init__(
        self, make: Callable[[Endpoint, Trust], S], endpoints: Sequence[Endpoint], trust: Trust
    ) -> None:
        self._make = make
        self._known = {str(endpoint): (endpoint, trust) for endpoint in endpoints}
        self._known[""] = (endpoints[0], trust)
        self._made: dict[str, S] = {}
        self._making = threading.Lock()

    def sender(self, server: str) -> S:
        """Return the sender of a server."""
        made = self._made.get(server)
        if made is not None:
            return made
        with self._making:
            if server not in self._made:
                self._made[server] = self._make(*self._known[server])
            return self._made[server]

    def add(self, endpoint: Endpoint, trust: Trust) -> str:
        """Take up another server and return its name."""
        self._known.setdefault(str(endpoint), (endpoint, trust))
        return str(endpoint)

    def made(self) -> tuple[S, ...]:
        """Return the senders made so far."""
        return tuple(self._made.values())
