"""What a new guest needs from the cluster, and what of it is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.diagnostics import Severity, did_you_mean
from pmpc_reconcile.plans.situation import Situation

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.live import GuestEntry
    from pmpc_reconcile.manifests import Manifest


def template_of(situation: Situation, manifest: Manifest) -> GuestEntry | None:
    """Return the guest a manifest clones; None if it clones none or it is not found."""
    from pmpc_reconcile.manifests import CloneSource

    source = manifest.source
    if not isinstance(source, CloneSource):
        return None
    family = manifest.kind_data.guest or ""
    found = situation.inventory.templates(source.template, family)
    marked = tuple(entry for entry in found if entry.template)
    return (marked or found)[0] if len(marked or found) == 1 else None


def missing_things(situation: Situation, manifest: Manifest) -> Iterator[Diagnostic]:
    """Say what is missing on the cluster."""
    yield from _check_source(situation, manifest)
    inventory = situation.inventory
    for node in manifest.nodes:
        if node not in inventory.nodes:
            yield manifest.diagnose(
                f"the cluster has no node {node}",
                "spec.placement.nodes",
                hint=did_you_mean(node, inventory.nodes) or _known("nodes", inventory.nodes),
            )
    known = bool(manifest.nodes) and all(node in inventory.nodes for node in manifest.nodes)
    if known and not any(inventory.reachable(node) for node in manifest.nodes):
        yield manifest.diagnose(
            f"none of the nodes {', '.join(manifest.nodes)} is online", "spec.placement.nodes"
        )
    for path, value in manifest.fields.items():
        if path.endswith(".storage") and str(value) not in inventory.storages:
            yield manifest.diagnose(
                f"the cluster has no storage {value}",
                f"spec.{path}",
                hint=did_you_mean(str(value), inventory.storages)
                or _known("storages", inventory.storages),
            )
    yield from _check_places(situation, manifest)
    wanted = manifest.vmid
    if wanted is not None and wanted in inventory.guests:
        entry = inventory.guests[wanted]
        yield manifest.diagnose(
            f"vmid {wanted} belongs to another guest ({entry.name or 'without name'} on "
            f"{entry.node}), which is left alone",
            "spec.vmid",
            hint="choose another vmid or leave it out",
        )
    pool = manifest.pool
    missing = pool is not None and pool not in inventory.pools
    if missing and f"Pool/{pool}" not in situation.creations:
        yield manifest.diagnose(
            f"there is no pool {pool}",
            "spec.pool",
            hint="declare it as a manifest of kind Pool, or create it",
        )
    same_name = inventory.named(manifest.name)
    if same_name:
        others = ", ".join(f"{entry.vmid} on {entry.node}" for entry in same_name)
        yield manifest.diagnose(
            f"a guest named {manifest.name} exists ({others}) but is not managed by this release; "
            "it is left alone and another one is made",
            severity=Severity.WARNING,
        )


def _check_places(situation: Situation, manifest: Manifest) -> Iterator[Diagnostic]:
    """Say which storages no node has that the guest could be on: PVE tells only in the task."""
    from pmpc_reconcile.manifests import CloneSource

    inventory, source = situation.inventory, manifest.source
    needed = {
        str(value): f"spec.{path}"
        for path, value in manifest.fields.items()
        if path.endswith(".storage")
    }
    places = tuple(manifest.nodes or inventory.nodes)
    if isinstance(source, CloneSource) and source.storage is not None:
        needed[source.storage] = "spec.source.clone.storage"
        template = template_of(situation, manifest)
        if template is not None and not manifest.nodes:
            places = (template.node,)
    for storage, path in sorted(needed.items()):
        having = inventory.storages.get(storage)
        if having and not any(node in having for node in places):
            yield manifest.diagnose(
                f"storage {storage} is not on {' or '.join(places)}, where the guest would be",
                path,
                hint=f"it is on {', '.join(sorted(having))}",
            )


def _check_source(situation: Situation, manifest: Manifest) -> Iterator[Diagnostic]:
    from pmpc_reconcile.manifests import CloneSource, TemplateSource

    source = manifest.source
    if source is None and manifest.kind == "Container":
        yield manifest.diagnose(
            "a container is made from a template or a clone, and no source is given",
            hint="write source: {template: 'local:vztmpl/…'} or source: {clone: {template: …}}",
        )
    if isinstance(source, TemplateSource):
        yield from _missing_image(situation, manifest, source.ostemplate)
    if not isinstance(source, CloneSource):
        return
    path = "spec.source.clone.template"
    family = manifest.kind_data.guest or ""
    found = situation.inventory.templates(source.template, family)
    if not found:
        known = sorted(
            entry.name or str(entry.vmid)
            for entry in situation.inventory.guests.values()
            if entry.template and entry.guest == family
        )
        hint = did_you_mean(str(source.template), known) or _known("templates", known)
        yield manifest.diagnose(f"there is no template {source.template}", path, hint=hint)
        return
    entry = template_of(situation, manifest)
    if entry is None:
        where = ", ".join(str(item.vmid) for item in found)
        yield manifest.diagnose(
            f"{source.template} may be any of the guests {where}", path, hint="give the vmid"
        )
    elif not situation.inventory.reachable(entry.node):
        yield manifest.diagnose(
            f"template {source.template} is on node {entry.node}, which does not answer", path
        )
    elif not entry.template and not source.full:
        yield manifest.diagnose(
            f"{source.template} is not a template, so it can only be cloned in full",
            path,
            hint="write full: true",
        )
    if source.storage is not None and source.storage not in situation.inventory.storages:
        yield manifest.diagnose(
            f"the cluster has no storage {source.storage}",
            "spec.source.clone.storage",
            hint=did_you_mean(source.storage, situation.inventory.storages),
        )


def _missing_image(
    situation: Situation, manifest: Manifest, ostemplate: str
) -> Iterator[Diagnostic]:
    if situation.images is None:
        return
    nodes = situation.images.get(ostemplate, frozenset[str]())
    allowed = manifest.nodes or tuple(situation.inventory.nodes)
    if any(node in nodes for node in allowed):
        return
    known = sorted(situation.images)
    where = f" on {' or '.join(manifest.nodes)}" if nodes else ""
    yield manifest.diagnose(
        f"there is no container template {ostemplate}{where}",
        "spec.source.template",
        hint=did_you_mean(ostemplate, known) or _known("templates", known),
    )


def _known(what: str, names: Mapping[str, Any] | list[str]) -> str:
    shown = ", ".join(sorted(names))
    return f"known {what}: {shown}" if shown else f"there are no {what}"
