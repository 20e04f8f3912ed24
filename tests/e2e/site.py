"""A simulated cluster over real HTTPS, and a home folder whose context points to it."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import attrs

from pmpc_reconcile.contexts import Context, Contexts, Trust, save_contexts
from proxmox_client.testing import SimulatedCluster

# Simulated seconds per real one: tasks of half a minute end while a client still polls quickly.
SPEED = 60.0


@attrs.frozen
class Site:
    """Where the parts are.

    Attributes:
        cluster: The simulator, for edits by somebody else and for looking.
        url: Its address.
        fingerprint: Its certificate's.
        token: An API token of root@pam.
        home: An empty home folder.
        environ: Environment for processes: that home, and a context named `lab`.
    """

    cluster: SimulatedCluster
    url: str
    fingerprint: str
    token: str = attrs.field(repr=False)
    home: Path
    environ: dict[str, str] = attrs.field(repr=False)

    def enter(self) -> None:
        """Write the context file that `environ` names."""
        context = Context(
            "lab",
            self.url,
            token=self.token,
            tls=Trust("fingerprint", self.fingerprint),
            state=f"sqlite:///{self.home / 'lab.db'}",
        )
        save_contexts(Contexts().with_context(context), Path(self.environ["PMPC_CONFIG"]))

    def leave(self) -> None:
        """Remove the context file."""
        Path(self.environ["PMPC_CONFIG"]).unlink()


def seeded() -> SimulatedCluster:
    """Return a cluster of three nodes with a template and a running VM."""
    cluster = SimulatedCluster(nodes=("pve1", "pve2", "pve3"), seed=7)
    cluster.add_vm(
        "pve1",
        9000,
        {"name": "debian-13", "cores": 1, "memory": 512, "scsi0": "shared:8"},
        template=True,
    )
    cluster.add_vm("pve2", 100, {"name": "db-1", "cores": 2, "memory": 2048}, status="running")
    return cluster


@contextmanager
def serving(home: Path, cluster: SimulatedCluster | None = None) -> Generator[Site]:
    """Serve a cluster over HTTPS on loopback until the block ends."""
    simulated = cluster or seeded()
    token = simulated.create_token("root@pam", "e2e")
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PMPC_")},
        "HOME": str(home),
        "PMPC_CONFIG": str(home / "config" / "pmpc.yaml"),
        "NO_COLOR": "1",
    }
    with simulated.serve(speed=SPEED) as server:
        yield Site(simulated, server.url, str(server.fingerprint), token, home, environ)
