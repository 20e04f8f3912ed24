"""A simulated cluster and somebody who asks it as a client would, noting how long answers take."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from proxmox_client.testing import SimRequest, SimResponse, SimulatedCluster, TaskRecord


class Lab:
    """Asks a cluster with a token of root, or with other headers.

    Attributes:
        cluster: The cluster.
        headers: Credentials, names in lower case.
        seconds: How long the last answer took on the cluster's clock.
    """

    def __init__(self, cluster: SimulatedCluster | None = None) -> None:
        self.cluster = cluster or SimulatedCluster()
        secret = self.cluster.create_token("root@pam", "lab")
        self.headers: Mapping[str, str] = {"authorization": f"PVEAPIToken={secret}"}
        self.seconds = 0.0

    def __call__(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        via: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> SimResponse:
        """Ask; ``headers`` replace the token."""
        begin = self.cluster.clock.now()
        asked = SimRequest(
            method, path, params or {}, self.headers if headers is None else headers, via
        )
        try:
            return self.cluster.handle(asked)
        finally:
            self.seconds = self.cluster.clock.now() - begin

    def refusal(
        self, method: str, path: str, params: Mapping[str, object] | None = None, via: str = ""
    ) -> tuple[int, str]:
        """Ask and return status and reason."""
        answer = self(method, path, params, via=via)
        return answer.status, answer.reason

    def task(
        self, method: str, path: str, params: Mapping[str, object] | None = None, via: str = ""
    ) -> TaskRecord:
        """Ask for a task and wait until it has ended."""
        answer = self(method, path, params, via=via)
        assert answer.status == 200, answer
        return self.ended(str(answer.data))

    def ended(self, upid: str) -> TaskRecord:
        """Wait until a task has ended."""
        task = self.cluster.tasks.get(upid)
        for _ in range(4000):
            if not task.running:
                return task
            self.cluster.clock.advance(0.25)
        raise AssertionError(f"{upid} does not end")

    def http(self) -> httpx.Client:
        """Return a client that asks in process, with the whole path on the request line."""
        return httpx.Client(
            transport=self.cluster.transport(),
            base_url="https://pve1:8006",
            headers=dict(self.headers),
        )
