"""What the demo plays on: a served cluster, a folder, a fresh database, a connection by TLS."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from importlib import resources
from pathlib import Path

import attrs

from pmpc_cli.demo.cluster import make_cluster
from pmpc_cli.failures import CommandRefused
from pmpc_cli.session import Session
from pmpc_reconcile.actions import ActionContext
from pmpc_reconcile.contexts import Context, Contexts, Trust, save_contexts
from pmpc_state import State
from proxmox_client import AsyncClient, Pin
from proxmox_client.testing import SimulatedCluster

SPEED = 20.0
"""Simulated seconds per real one: a clone of eight seconds takes 0.4."""

NAME = "demo"


@attrs.frozen(eq=False)
class Stage:
    """Everything the story needs.

    Attributes:
        cluster: The simulated cluster, for what "somebody" does and for looking behind the API.
        session: What commands work with.
        folder: Where database, manifests and context file are.
        url: Where the cluster's API is served.
    """

    cluster: SimulatedCluster
    session: Session
    folder: Path
    url: str

    @property
    def manifests(self) -> Path:
        """Folder of the manifests."""
        return self.folder / "shop"


@asynccontextmanager
async def open_stage(keep: str | None) -> AsyncGenerator[Stage]:
    """Set everything up and take it down again.

    Args:
        keep: Folder to leave database, manifests and context file in; None for a temporary one.
    """
    cluster = make_cluster(time.time())
    token = cluster.create_token("root@pam", NAME)
    with _folder(keep) as folder, cluster.serve(speed=SPEED) as server:
        context = Context(
            name=NAME,
            url=server.url,
            token=token,
            tls=Trust("fingerprint", str(server.fingerprint)),
            state=f"sqlite:///{folder / 'demo.db'}",
        )
        save_contexts(Contexts().with_context(context), folder / "config.yaml")
        _copy_stack(folder / "shop")
        state = State.open(context.state_url(), now=cluster.clock.now)
        clock = cluster.clock
        client = AsyncClient(
            context.url,
            token=token,
            tls=Pin(context.tls.value),
            sleep=clock.asleep,
            now=clock.now,
        )
        try:
            async with client:
                actions = ActionContext(
                    NAME, state, client, now=clock.now, sleep=clock.asleep, actor="cli:demo"
                )
                yield Stage(cluster, Session(context, actions), folder, server.url)
        finally:
            state.close()


@contextmanager
def _folder(keep: str | None) -> Generator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="pmpc-demo-") as name:
            yield Path(name)
        return
    folder = Path(keep).expanduser().resolve()
    if folder.exists() and any(folder.iterdir()):
        raise CommandRefused(
            f"cannot keep the demo in {folder}: the folder is not empty", "name a new one"
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    yield folder


def _copy_stack(target: Path) -> None:
    with resources.as_file(resources.files("pmpc_cli.demo") / "stack") as source:
        shutil.copytree(source, target)
