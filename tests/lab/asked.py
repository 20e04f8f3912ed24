"""What a cluster was asked for: a transport that remembers."""

from __future__ import annotations

from collections import Counter

import httpx


class Asked(httpx.AsyncBaseTransport):
    """Passes requests on and remembers their paths."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.paths: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Count the path and pass the request on."""
        self.paths[request.url.path.removeprefix("/api2/json")] += 1
        return await self.inner.handle_async_request(request)
