"""A served cluster and its worker processes, of which some die."""

from __future__ import annotations

import asyncio
import fnmatch
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import attrs

from pmpc_reconcile.controllers import Work
from pmpc_reconcile.controllers.postgres_queue import open_postgres_queue
from pmpc_reconcile.engine import Reconciler
from pmpc_state import RunStatus, State
from proxmox_client import AsyncClient
from proxmox_client.testing import SimRequest, SimulatedCluster
from tests.lab.dying import arm, still_armed
from tests.lab.moments import Moment
from tests.lab.step_kinds import StepKind, prepare
from tests.lab.workers import Post, apply_stored, keep_as_declared, process

SPEED = 40.0
_TEST = "test"


@attrs.frozen
class Sent:
    """A request of a worker that writes, as the cluster got it.

    Attributes:
        who: Id of the token it came with.
        name: Method and path.
        params: Its parameters, as text.
    """

    who: str
    name: str
    params: str


class Fleet:
    """Worker processes on one database and one cluster."""

    def __init__(self, cluster: SimulatedCluster, server: Any, database: str, folder: Path) -> None:
        self.cluster = cluster
        self.sent: list[Sent] = []
        self.workers: list[ForkServerProcess] = []
        token = cluster.create_token("root@pam", _TEST)
        self.post = Post(server.url, str(server.fingerprint), token, database, folder)
        self._tokens = 0
        self._listen()

    def _listen(self) -> None:
        converse = self.cluster.conversation

        def conversation(request: SimRequest) -> Any:
            who = request.headers.get("authorization", "").partition("!")[2].partition("=")[0]
            if request.method != "GET" and who != _TEST:
                params = urlencode({key: str(value) for key, value in request.params.items()})
                path, _, query = request.path.partition("?")
                self.sent.append(Sent(who, f"{request.method} {path}", f"{params}&{query}"))
            return converse(request)

        self.cluster.conversation = conversation  # type: ignore[method-assign]  # there is no log

    def for_cluster(self, name: str, **more: Any) -> None:
        """Let workers that are started from now on work on a cluster of that name."""
        self.post = attrs.evolve(self.post, cluster=name, **more)

    # -- the engine of the test itself --------------------------------------------------------

    def ask(self, work: Callable[[Reconciler], Any]) -> Any:
        """Let an engine in this process do something, past the network."""

        async def run() -> Any:
            transport = self.cluster.async_transport()
            with State.open(self.post.database, now=self.cluster.clock.now) as state:
                async with AsyncClient(
                    "https://pve1:8006", token=self.post.token, transport=transport
                ) as client:
                    engine = Reconciler(
                        client, state, self.post.cluster, patience=self.post.patience
                    )
                    return await work(engine)

        return asyncio.run(run())

    def declare(self, rows: Iterable[StepKind]) -> None:
        """Apply what rows declare, each as a release of its own, and let the workers keep it so."""

        async def declared(engine: Reconciler) -> None:
            for row in rows:
                report = await engine.apply(await engine.plan(row.beginning, row.name))
                assert report.ok, [result.reason for result in report.failed]
                controls = engine.records.state.writer().controls
                controls.set(engine.cluster, row.name, self_heal=True, actor="alice")

        self.ask(declared)

    def synced(self, state: State, row: StepKind) -> bool:
        """Return whether the workers saw last that a row is as declared."""
        found = state.reader().controls.conditions(self.post.cluster, row.name)
        return bool(found) and all(each.status == "true" for each in found if each.type == "Synced")

    def quiet(self, state: State, rows: Iterable[StepKind]) -> bool:
        """Return whether rows are as declared and nothing is under way."""
        running = state.reader().journal.runs(self.post.cluster, status=RunStatus.RUNNING)
        return not running and all(self.synced(state, row) for row in rows)

    def look(self, *releases: str) -> None:
        """Ask the workers to look at releases."""

        async def put() -> None:
            async with open_postgres_queue(self.post.database, self.post.cluster) as queue:
                for release in releases:
                    await queue.put(Work(self.post.cluster, release))

        asyncio.run(put())

    # -- processes ----------------------------------------------------------------------------

    def start(self, work: Any = keep_as_declared, *arguments: object) -> ForkServerProcess:
        """Start a worker with a token of its own, named after its number."""
        self._tokens += 1
        token = self.cluster.create_token("root@pam", f"w{self._tokens}")
        made = process(work, attrs.evolve(self.post, token=token), *arguments)
        made.name = f"w{self._tokens}"
        self.workers.append(made)
        return made

    def dies(self, name: str, entry: str, phase: str, number: int = signal.SIGKILL) -> None:
        """Let the first worker that comes to a moment die there."""
        arm(self.post.folder, name, Moment(entry, phase), number)

    def replace_the_dead(self) -> int:
        """Start a worker for each that was killed; return how many were."""
        dead = [each for each in self.workers if each.exitcode == -signal.SIGKILL]
        for each in dead:
            self.workers.remove(each)
            self.start()
        return len(dead)

    def apply(self, plan_id: str) -> None:
        """Start a worker that applies a stored plan."""
        self.start(apply_stored, plan_id)

    def told(self) -> str:
        """Return what the workers wrote to their logs."""
        logs = sorted(self.post.folder.glob("*.log"))
        return "\n".join(f"--- {log.stem}\n{log.read_text()[-3000:]}" for log in logs)

    def wait(self, what: str, check: Callable[[], object], seconds: float = 120.0) -> None:
        """Look again and again until something holds; the workers run in real time."""
        end = time.monotonic() + seconds
        while not check():
            assert time.monotonic() < end, f"in vain: {what}; {self.armed}\n{self.told()}"
            threading.Event().wait(0.05)

    @property
    def armed(self) -> str:
        """Return the moments nobody came to."""
        return ", ".join(still_armed(self.post.folder))

    def end(self) -> list[int | None]:
        """Let every worker finish what it began and begin nothing more; return how they ended."""
        for each in self.workers:
            if each.is_alive():
                each.terminate()
        return self.ended()

    def ended(self) -> list[int | None]:
        """Wait until every worker has ended by itself; return how they did."""
        codes: list[int | None] = []
        for each in self.workers:
            each.join(30)
            codes.append(each.exitcode)
            if each.exitcode is None:
                each.kill()
                each.join(5)
        self.workers.clear()
        return codes


def sent_like(sent: Iterable[Sent], pattern: str, marks: Iterable[str] = ()) -> list[Sent]:
    """Return the requests of a name that have one of the marks, if there are any."""
    wanted = tuple(marks)
    return [
        each
        for each in sent
        if fnmatch.fnmatchcase(each.name, pattern)
        and (not wanted or any(mark in f"{each.name}/&{each.params}&" for mark in wanted))
    ]


@contextmanager
def fleet_of(
    cluster: SimulatedCluster, database: str, folder: Path
) -> Generator[Fleet, None, None]:
    """Serve a cluster, whose clock runs `SPEED` times as fast as ours, to workers."""
    prepare(cluster)
    with cluster.serve(speed=SPEED) as server:
        fleet = Fleet(cluster, server, database, folder)
        try:
            yield fleet
        finally:
            fleet.end()
