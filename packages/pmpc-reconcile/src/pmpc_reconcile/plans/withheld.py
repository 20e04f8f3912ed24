"""Which secrets a plan would have to send and lacks: stored plans keep only fingerprints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan, Plan
from pmpc_reconcile.values import SecretMark

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest


def withheld_secrets(plan: Plan) -> tuple[str, ...]:
    """Return the secrets that are needed and missing, as `VirtualMachine/web-1 config.x`."""
    return tuple(f"{item.address} {path}" for item in plan.changes for path in _paths(plan, item))


def _paths(plan: Plan, item: ObjectPlan) -> list[str]:
    if item.action is ObjectAction.UPDATE:
        return [change.path for change in item.changes if isinstance(change.desired, SecretMark)]
    if item.action not in (ObjectAction.CREATE, ObjectAction.REPLACE):
        return []
    found = [path for path, value in item.desired.items() if isinstance(value, SecretMark)]
    manifest = manifest_in(plan, item.address)
    if manifest is not None:
        found += [
            f"config.{name}"
            for name, value in manifest.create_only.items()
            if isinstance(value, SecretMark)
        ]
    return sorted(found)


def manifest_in(plan: Plan, address: str) -> Manifest | None:
    """Return the manifest of an object, with its secrets where the plan still has them."""
    from pmpc_reconcile.manifests import manifest_from_document

    found = plan.manifests.get(address)
    if found is not None:
        return found
    kind, _, name = address.partition("/")
    for document in plan.documents:
        if document.get("kind") == kind and document.get("metadata", {}).get("name") == name:
            return manifest_from_document(dict(document))
    return None
