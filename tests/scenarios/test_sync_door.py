"""Scripts and notebooks use the engine without writing `await`."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import pmpc_reconcile
from pmpc_reconcile import BlockingReconciler, Reconciler, load_text
from pmpc_reconcile.contexts import Context, Contexts, Trust, save_contexts

WEB = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2}
"""


@pytest.mark.e2e
def test_plan_apply_and_delete_over_https(
    furnished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMPC_CONFIG", str(tmp_path / "config.yaml"))
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
        with BlockingReconciler.open() as engine:
            plan = engine.plan(load_text(WEB), "shop")
            assert plan.counts() == {"create": 1}
            assert engine.apply(plan, atomic=True).ok
            assert engine.plan(load_text(WEB), "shop").empty
            assert [item.number for item in engine.history("shop")] == [1]
            assert [item.name for item in engine.manifests_of("shop")] == ["web-1"]
            assert engine.stored_plan(plan.id).id == plan.id
            assert not engine.stale(engine.stored_plan(plan.id))
            assert engine.delete("shop", keep=("*",)).counts() == {"forget": 1}
            assert engine.apply(engine.delete("shop")).ok


def test_the_door_has_every_method_and_option_of_the_engine() -> None:
    for name, method in inspect.getmembers(Reconciler, inspect.iscoroutinefunction):
        if not name.startswith("_"):
            mine = inspect.signature(getattr(BlockingReconciler, name))
            assert mine == inspect.signature(method), name


def test_every_public_name_can_be_loaded() -> None:
    for name in pmpc_reconcile.__all__:
        assert getattr(pmpc_reconcile, name) is not None
    with pytest.raises(AttributeError):
        getattr(pmpc_reconcile, "nothing_" + "of_that_name")
