"""What hooks need that the cluster does not have: a backup that fails comes too late to say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.diagnostics import did_you_mean, error
from pmpc_reconcile.plans.hook_steps import BackupGuest, DropBackups
from pmpc_reconcile.plans.situation import Built, Situation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.manifests import Manifest


def hooks_without_storage(situation: Situation, built: Sequence[Built]) -> Iterator[Diagnostic]:
    """Say which storages hooks name that are not there.

    Args:
        situation: What was read.
        built: What was planned; what goes away has hooks of its last manifest.
    """
    storages = situation.inventory.storages
    for manifest in situation.declared.values():
        for moment, storage in _named(manifest):
            if storage not in storages:
                yield manifest.diagnose(
                    f"the cluster has no storage {storage}, which a hook names",
                    f"spec.hooks.{moment}",
                    hint=did_you_mean(storage, storages),
                )
    for step in (step for each in built for step in each.steps):
        if not isinstance(step, BackupGuest | DropBackups) or step.address in situation.declared:
            continue
        if step.storage not in storages:
            yield error(
                f"the cluster has no storage {step.storage}, which a hook of {step.address} names",
                address=step.address,
                hint="apply its manifest with another storage first, or keep it",
            )


def _named(manifest: Manifest) -> Iterator[tuple[str, str]]:
    hooks: Mapping[str, Sequence[Mapping[str, Any]]] = manifest.spec.get("hooks", {})
    for moment, actions in hooks.items():
        for action in actions:
            for word in ("backup", "backups"):
                given: Mapping[str, Any] = action.get(word) or {}
                if "storage" in given:
                    yield moment, str(given["storage"])
