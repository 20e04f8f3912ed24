"""Where a clone can be made: PVE clones onto another node only what lies on shared storages.

A template on local disks is cloned where it is; the new guest, still stopped, is then migrated with
its disks to a node its placement allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from pmpc_reconcile.identity.disks import disks_of
from pmpc_reconcile.manifests import CloneSource
from pmpc_reconcile.plans.requirements import fitting_nodes, template_of

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.plans.situation import Situation


@attrs.frozen
class ClonePlace:
    """Where a clone is made and where it goes.

    Attributes:
        target: The node it is made on; None for the template's own.
        moves_to: Nodes it may be migrated to afterwards; empty if it is where it may be.
    """

    target: str | None = None
    moves_to: tuple[str, ...] = ()


def clone_place(
    situation: Situation, manifest: Manifest, template_config: Mapping[str, Any]
) -> ClonePlace:
    """Return where the clone of a manifest is made.

    Args:
        situation: What was read.
        manifest: A guest whose template was found.
        template_config: The template's options; empty if they could not be read.
    """
    template = template_of(situation, manifest)
    if template is None or not manifest.nodes or template.node in manifest.nodes:
        return ClonePlace()
    inventory = situation.inventory
    online = tuple(node for node in manifest.nodes if inventory.reachable(node))
    copies = _stores_of_copies(manifest, template_config)
    fitting = tuple(
        node
        for node in fitting_nodes(situation, manifest)
        if all(node in inventory.storages.get(name, ()) for name in copies)
    )
    if _local(situation, manifest, template_config):  # it is made where the template is
        return ClonePlace(moves_to=fitting or online)
    return ClonePlace(target=(fitting or online)[0])


def clone_obstacles(
    situation: Situation, manifest: Manifest, template_config: Mapping[str, Any]
) -> Iterator[Diagnostic]:
    """Say why a template on local disks cannot become a guest where the manifest wants it."""
    source, template = manifest.source, template_of(situation, manifest)
    if not isinstance(source, CloneSource) or template is None:
        return
    if not clone_place(situation, manifest, template_config).moves_to:
        return
    local = ", ".join(sorted(_local(situation, manifest, template_config)))
    where = " or ".join(manifest.nodes)
    if not source.full:
        yield manifest.diagnose(
            f"{source.template} lies on {local} of {template.node}, and a linked clone of it "
            f"cannot be on {where}",
            "spec.source.clone.full",
            hint=f"write full: true, or allow {template.node} in placement.nodes",
        )
    copies = _stores_of_copies(manifest, template_config)
    inventory = situation.inventory
    for name in sorted(copies):
        if not any(node in inventory.storages.get(name, ()) for node in manifest.nodes):
            yield manifest.diagnose(
                f"the clone's disks would be on {name}, which {where} does not have",
                "spec.source.clone",
                hint=f"give source.clone.storage: one that {template.node} and {where} have",
            )


def _local(situation: Situation, manifest: Manifest, config: Mapping[str, Any]) -> set[str]:
    """Return the storages of one node only that the template or its copies lie on."""
    source = manifest.source
    given = {source.storage} if isinstance(source, CloneSource) and source.storage else set[str]()
    return (_stores(config) | given) - situation.inventory.shared


def _stores_of_copies(manifest: Manifest, config: Mapping[str, Any]) -> set[str]:
    source = manifest.source
    if isinstance(source, CloneSource) and source.storage is not None:
        return {source.storage}
    return _stores(config)


def _stores(config: Mapping[str, Any]) -> set[str]:
    return {disk.volume.partition(":")[0] for disk in disks_of(config)}
