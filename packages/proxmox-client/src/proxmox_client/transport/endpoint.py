"""Where a server is."""

from __future__ import annotations

from typing import Final, Self
from urllib.parse import urlsplit

import attrs

DEFAULT_PORT: Final = 8006
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@attrs.frozen
class Endpoint:
    """One API address of a server or cluster.

    Attributes:
        host: Name or address, IPv6 without brackets.
        port: PVE listens on 8006.
        scheme: `https`; `http` only towards this machine itself.
    """

    host: str
    port: int = DEFAULT_PORT
    scheme: str = "https"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `pve1`, `pve1:8006`, `https://pve1:8006` or `https://pve1:8006/api2/json`.

        The port is 8006 unless one is given, whatever the scheme: behind a reverse proxy on the
        usual port write `:443`.

        Raises:
            ValueError: Not such an address, or plain http to another machine.
        """
        parts = urlsplit(url if "://" in url else f"https://{url}")
        if parts.username or parts.password:
            raise ValueError("a server's address cannot hold a user or password; pass token=")
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError(f"not the address of a PVE server: {url!r}")
        if parts.path.rstrip("/") not in ("", "/api2/json", "/api2") or parts.query:
            raise ValueError(f"the address of a PVE server ends after its port: {url!r}")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError(f"{url!r} would send the token unencrypted: use https")
        return cls(host=parts.hostname, port=parts.port or DEFAULT_PORT, scheme=parts.scheme)

    @property
    def authority(self) -> str:
        """`host:port` as it stands in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def url(self, target: str) -> str:
        """Return the full URL of a target below `/api2/json`."""
        return f"{self.scheme}://{self.authority}/api2/json{target}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"
