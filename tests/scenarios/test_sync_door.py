"""Scripts and notebooks use the engine as a library: with `await`, and without."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pmpc_reconcile as reconcile
from pmpc_reconcile import BlockingReconciler, Reconciler, blocking, load_text, verbs
from pmpc_reconcile.contexts import Context, Contexts, Trust, save_contexts
from pmpc_reconcile.errors import ContextNotFound
from pmpc_reconcile.events import Event, StepStarted
from pmpc_reconcile.own_loop import OwnLoop, relayed

ROOT = Path(__file__).resolve().parents[2]
WEB = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2}
"""


@pytest.fixture
def home(furnished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """A context of that name, a cluster behind it, and manifests in `stack/`."""
    monkeypatch.setenv("PMPC_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stack").mkdir()
    (tmp_path / "stack" / "web.yaml").write_text(WEB)
    cluster = furnished()
    with cluster.serve(speed=30.0) as server:
        context = Context(
            "home",
            server.url,
            token=cluster.create_token("root@pam", "script"),
            tls=Trust("fingerprint", str(server.fingerprint)),
            state=f"sqlite:///{tmp_path / 'data' / 'home.db'}",
        )
        save_contexts(Contexts().with_context(context))
        yield context


def in_a_running_loop(work: Any) -> Any:
    """Do something as a cell of a notebook does: synchronously, where a loop runs already."""

    async def cell() -> Any:
        assert asyncio.get_running_loop().is_running()
        return work()

    return asyncio.run(cell())


# -- the words of the issue --


@pytest.mark.e2e
async def test_plan_and_apply_as_functions(home: Context) -> None:
    events: list[Event] = []
    plan = await reconcile.plan(reconcile.load("stack/"), "home")
    assert [(item.address, item.action.value) for item in plan.changes] == [
        ("VirtualMachine/web-1", "create")
    ]
    assert "+ VirtualMachine/web-1" in plan.explain()
    report = await reconcile.apply(plan, on_event=events.append)
    assert report.ok
    assert any(isinstance(event, StepStarted) for event in events)
    async with reconcile.open("home") as cluster:
        again = await reconcile.plan(reconcile.load("stack/"), cluster)
        assert again.empty
        assert again.made_on is cluster
        assert [item.number for item in await reconcile.history(cluster, "default")] == [1]
        plan = await reconcile.delete("default", cluster, keep=("*",))
        assert plan.counts() == {"forget": 1}
    assert (await reconcile.apply(plan)).ok, "its cluster was closed and is opened again"


@pytest.mark.e2e
async def test_a_context_needs_no_file(home: Context) -> None:
    import attrs

    unnamed = attrs.evolve(home, name="unnamed")
    plan = await reconcile.plan(reconcile.load("stack/"), unnamed, "shop")
    assert (await reconcile.apply(plan, atomic=True)).ok
    with pytest.raises(ContextNotFound):
        await reconcile.plan(reconcile.load("stack/"), "unnamed", "shop")


async def test_an_engine_of_ones_own_is_a_cluster_too(lab: Any) -> None:
    plan = await reconcile.plan(load_text(WEB), lab.engine, "shop", prune=True)
    assert (await reconcile.apply(plan)).ok
    stored = await lab.engine.stored_plan(plan.id)
    assert stored.made_on is None
    assert (await reconcile.plan(load_text(WEB), lab.engine, "shop")).empty
    cores = WEB.replace("cores: 2", "cores: 4")
    changed = await reconcile.plan(load_text(cores), lab.engine, "shop")
    loaded = reconcile.Plan.from_json(changed.to_json())
    assert (await reconcile.apply(loaded, lab.engine)).ok
    assert (await reconcile.rollback("shop", lab.engine, 1)).note == "rollback to 1"


@pytest.mark.e2e
def test_the_example_runs(home: Context) -> None:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "library.py")]
    done = subprocess.run([*command, "stack/", "home"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "VirtualMachine/web-1 create" in done.stdout


# -- without await --


@pytest.mark.e2e
@pytest.mark.parametrize("place", ["script", "notebook"])
def test_the_same_without_await(home: Context, place: str) -> None:
    told: list[threading.Thread] = []

    def cell() -> None:
        plan = blocking.plan(blocking.load("stack/"), "home")
        assert [item.address for item in plan.changes] == ["VirtualMachine/web-1"]
        report = blocking.apply(plan, on_event=lambda _: told.append(threading.current_thread()))
        assert report.ok
        assert blocking.plan(blocking.load("stack/"), "home").empty
        assert [item.number for item in blocking.history("home", "default")] == [1]
        assert blocking.apply(blocking.delete("default", home)).ok

    cell() if place == "script" else in_a_running_loop(cell)
    assert set(told) == {threading.current_thread()}, "progress is told where somebody waits"


@pytest.mark.e2e
@pytest.mark.parametrize("place", ["script", "notebook"])
def test_a_cluster_stays_open_as_long_as_one_wants(home: Context, place: str) -> None:
    def cell() -> None:
        with blocking.open() as cluster:
            plan = cluster.plan(load_text(WEB), "shop")
            assert plan.made_on is cluster
            assert plan.counts() == {"create": 1}
            assert blocking.apply(plan, atomic=True).ok
            assert cluster.plan(load_text(WEB), "shop").empty
            assert [item.number for item in cluster.history("shop")] == [1]
            assert [item.name for item in cluster.manifests_of("shop")] == ["web-1"]
            assert cluster.stored_plan(plan.id).id == plan.id
            assert not cluster.stale(cluster.stored_plan(plan.id))
            assert blocking.delete("shop", cluster, keep=("*",)).counts() == {"forget": 1}
            late = cluster.delete("shop")
        assert blocking.apply(late).ok, "it was closed and is opened again"
        with pytest.raises(RuntimeError, match="closed"):
            cluster.history("shop")

    cell() if place == "script" else in_a_running_loop(cell)


@pytest.mark.e2e
def test_what_goes_wrong_is_raised_where_it_was_asked_for(home: Context) -> None:
    with pytest.raises(ContextNotFound):
        blocking.open("nowhere")

    def fails(event: Event) -> None:
        raise LookupError(type(event).__name__)

    with blocking.open("home") as cluster, pytest.raises(LookupError, match="ApplyStarted"):
        cluster.apply(cluster.plan(load_text(WEB), "shop"), on_event=fails)


# -- the loop of its own --


def test_ctrl_c_ends_the_work_before_it_is_raised() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    loop = OwnLoop()
    with pytest.raises(KeyboardInterrupt):
        loop.run(work())
    assert ended == ["cancelled"]
    loop.close()
    loop.close()
    assert loop.closed


def test_whoever_is_told_something_cannot_keep_the_loop_waiting() -> None:
    loop = OwnLoop()
    event = StepStarted("s", "VirtualMachine/web-1", "start web-1", resumed=False)

    async def nothing() -> None:
        return None

    def asks(told: Event) -> None:
        loop.run(nothing())

    async def tells() -> None:
        relayed(asks)(event)

    with pytest.raises(RuntimeError, match="being told"):
        loop.run(tells())
    loop.run(nothing())
    loop.close()


def test_many_threads_may_wait_for_one_loop() -> None:
    loop, heard = OwnLoop(), dict[int, set[int]]()

    async def tells(number: int) -> int:
        for _ in range(20):
            relayed(lambda _: heard.setdefault(number, set()).add(threading.get_ident()))(
                StepStarted("s", "a", "b", resumed=False)
            )
            await asyncio.sleep(0)
        return number

    mine: dict[int, int] = {}

    def wait(number: int) -> None:
        mine[number] = threading.get_ident()
        assert loop.run(tells(number)) == number

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {number: {ident} for number, ident in mine.items()}
    loop.close()


# -- one to one --


OF_THE_LOOP = {"check", "go_on_with"}
"""Options by which the reconcile loop joins in; nobody else has a use for them."""


def options_of(method: Any) -> list[inspect.Parameter]:
    found = inspect.signature(method).parameters
    return [one for name, one in found.items() if name not in OF_THE_LOOP]


def test_the_door_has_every_method_and_option_of_the_engine() -> None:
    for name, method in inspect.getmembers(Reconciler, inspect.iscoroutinefunction):
        if not name.startswith("_"):
            assert options_of(getattr(BlockingReconciler, name)) == options_of(method), name


def test_the_functions_are_the_same_with_and_without_await() -> None:
    named = [name for name in blocking.__all__ if name[0].islower()]
    assert set(named) <= set(reconcile.__all__)
    for name in ("adopt", "apply", "delete", "history", "plan", "rollback", "open"):
        ours, theirs = getattr(reconcile, name), getattr(blocking, name)
        mine, other = inspect.signature(ours), inspect.signature(theirs)
        assert list(mine.parameters) == list(other.parameters), name
        for parameter in mine.parameters.values():
            twin = other.parameters[parameter.name]
            assert (parameter.kind, parameter.default) == (twin.kind, twin.default), name


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plan", verbs.PlanOptions),
        ("apply", verbs.ApplyOptions),
        ("rollback", verbs.RollbackOptions),
        ("delete", verbs.DeleteOptions),
        ("adopt", verbs.AdoptOptions),
    ],
)
def test_the_functions_take_every_option_of_the_engine(name: str, options: Any) -> None:
    of_method = {one.name for one in options_of(getattr(Reconciler, name))} - {"self"}
    of_function = set(inspect.signature(getattr(verbs, name)).parameters) - {"options", "cluster"}
    assert of_method == of_function | set(options.__annotations__)


def test_every_public_name_can_be_loaded() -> None:
    for name in reconcile.__all__:
        assert getattr(reconcile, name) is not None
    with pytest.raises(AttributeError):
        getattr(reconcile, "nothing_" + "of_that_name")
