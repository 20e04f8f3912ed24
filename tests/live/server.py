"""The server under test, and the few ids and the pool that are ours on it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping

import attrs

from proxmox_client import AsyncClient, Pin

NEEDED = (
    "PMPC_LIVE_URL",
    "PMPC_LIVE_TOKEN",
    "PMPC_LIVE_FINGERPRINT",
    "PMPC_LIVE_VMIDS",
    "PMPC_LIVE_POOL",
)


@attrs.frozen
class LiveServer:
    """What the environment says of the server.

    Attributes:
        url: Its address.
        token: An API token.
        fingerprint: Its certificate's.
        vmids: The only ids that may be used.
        pool: The pool our guests are put into.
        storage: Where disks go; None takes the first storage that holds images.
        run: Random word that marks the objects of this run.
    """

    url: str
    token: str = attrs.field(repr=False)
    fingerprint: str
    vmids: range
    pool: str
    storage: str | None
    run: str = attrs.field(factory=lambda: secrets.token_hex(3))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> LiveServer:
        """Read the variables.

        Raises:
            KeyError: One is not set.
            ValueError: The range of vmids is not `FIRST-LAST`.
        """
        first, _, last = environ["PMPC_LIVE_VMIDS"].partition("-")
        return cls(
            url=environ["PMPC_LIVE_URL"],
            token=environ["PMPC_LIVE_TOKEN"],
            fingerprint=environ["PMPC_LIVE_FINGERPRINT"],
            vmids=range(int(first), int(last) + 1),
            pool=environ["PMPC_LIVE_POOL"],
            storage=environ.get("PMPC_LIVE_STORAGE"),
        )

    def connect(self, token: str | None = None) -> AsyncClient:
        """Return a client; another token may be tried."""
        return AsyncClient(self.url, token=token or self.token, tls=Pin(self.fingerprint))


def missing(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the variables that are not set."""
    return [name for name in NEEDED if not environ.get(name)]
