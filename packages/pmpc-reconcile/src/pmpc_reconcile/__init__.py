"""Declarative management of Proxmox VE: manifests, plan, apply, drift, conflicts, rollback.

    import pmpc_reconcile as reconcile

    plan = await reconcile.plan(reconcile.load("stack/"), "home")
    print(plan.explain())
    report = await reconcile.apply(plan, on_event=print)

`pmpc_reconcile.blocking` has the same without `await`.

Belongs here: what should be on a cluster, how it differs from what is there, and bringing it there;
the catalogue of actions that every front door presents. Does not belong here: talking HTTP
(`proxmox_client`), storing (`pmpc_state`), presenting (the front doors). Importing this package
imports nothing heavy; each name below is loaded when it is first used.

The layers, from the outside in: `actions`, `verbs` and `blocking` use `engine`; that uses
`planner` and `execute`; they use `records`, `locate`, `live`, `plans`, `releases`; those use the
pure `diff`, `classify`, `values`, `manifests`, `kinds`, `identity`, `diagnostics`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for True; importing typing costs as much as Python
if TYPE_CHECKING:
    from pmpc_reconcile.blocking import BlockingReconciler as BlockingReconciler
    from pmpc_reconcile.contexts import Context as Context
    from pmpc_reconcile.contexts import Trust as Trust
    from pmpc_reconcile.diagnostics import Diagnostic as Diagnostic
    from pmpc_reconcile.engine import Reconciler as Reconciler
    from pmpc_reconcile.errors import PlanRefused as PlanRefused
    from pmpc_reconcile.errors import PlanStale as PlanStale
    from pmpc_reconcile.errors import PlanTooRisky as PlanTooRisky
    from pmpc_reconcile.errors import ReconcileError as ReconcileError
    from pmpc_reconcile.errors import ReleaseNotFound as ReleaseNotFound
    from pmpc_reconcile.events import Event as Event
    from pmpc_reconcile.events import EventSink as EventSink
    from pmpc_reconcile.execute.report import ApplyReport as ApplyReport
    from pmpc_reconcile.execute.settings import Patience as Patience
    from pmpc_reconcile.manifests import Manifest as Manifest
    from pmpc_reconcile.manifests import ManifestInvalid as ManifestInvalid
    from pmpc_reconcile.manifests import load as load
    from pmpc_reconcile.manifests import load_text as load_text
    from pmpc_reconcile.plans.model import Plan as Plan
    from pmpc_reconcile.risk import Risk as Risk
    from pmpc_reconcile.verbs import adopt as adopt
    from pmpc_reconcile.verbs import apply as apply
    from pmpc_reconcile.verbs import delete as delete
    from pmpc_reconcile.verbs import history as history
    from pmpc_reconcile.verbs import open as open  # noqa: A004  # written reconcile.open
    from pmpc_reconcile.verbs import plan as plan
    from pmpc_reconcile.verbs import rollback as rollback

_HOMES = {
    "blocking": ("BlockingReconciler",),
    "contexts": ("Context", "Trust"),
    "diagnostics": ("Diagnostic",),
    "engine": ("Reconciler",),
    "errors": ("PlanRefused", "PlanStale", "PlanTooRisky", "ReconcileError", "ReleaseNotFound"),
    "events": ("Event", "EventSink"),
    "execute.report": ("ApplyReport",),
    "execute.settings": ("Patience",),
    "manifests": ("Manifest", "ManifestInvalid", "load", "load_text"),
    "plans.model": ("Plan",),
    "risk": ("Risk",),
    "verbs": ("adopt", "apply", "delete", "history", "open", "plan", "rollback"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ApplyReport",
    "BlockingReconciler",
    "Context",
    "Diagnostic",
    "Event",
    "EventSink",
    "Manifest",
    "ManifestInvalid",
    "Patience",
    "Plan",
    "PlanRefused",
    "PlanStale",
    "PlanTooRisky",
    "ReconcileError",
    "Reconciler",
    "ReleaseNotFound",
    "Risk",
    "Trust",
    "adopt",
    "apply",
    "delete",
    "history",
    "load",
    "load_text",
    "open",
    "plan",
    "rollback",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
