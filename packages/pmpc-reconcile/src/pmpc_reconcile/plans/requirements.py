"""What a new guest needs from the cluster, and what of it is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.diagnostics import Severity, did_you_mean
from pmpc_reconcile.plans.situation import Situation
from pmpc_reconcile.values.images import content_of, files_in

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
    yield from _check_files(situation, manifest)
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
    places = places_of(situation, manifest)
    if isinstance(source, CloneSource) and source.storage is not None:
        needed[source.storage] = "spec.source.clone.storage"
    for storage, path in sorted(needed.items()):
        having = inventory.storages.get(storage)
        if having and not any(node in having for node in places):
            yield manifest.diagnose(
                f"storage {storage} is not on {' or '.join(places)}, where the guest would be",
                path,
                hint=f"it is on {', '.join(sorted(having))}",
            )


def _check_source(situation: Situation, manifest: Manifest) -> Iterator[Diagnostic]:
    from pmpc_reconcile.manifests import CloneSource

    source = manifest.source
    if source is None and manifest.kind == "Container":
        yield manifest.diagnose(
            "a container is made from a template or a clone, and no source is given",
            hint="write source: {template: 'local:vztmpl/…'} or source: {clone: {template: …}}",
        )
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


def _check_files(situation: Situation, manifest: Manifest) -> Iterator[Diagnostic]:
    """Say which images no node has that the guest could be on."""
    if situation.images is None:
        return
    allowed = places_of(situation, manifest)
    for path, volume in files_needed(manifest).items():
        nodes = situation.images.get(volume, frozenset[str]())
        if any(node in nodes for node in allowed):
            continue
        content = content_of(volume)
        what = "container template" if content == "vztmpl" else "image"
        known = sorted(each for each in situation.images if content_of(each) == content)
        where = f" on {' or '.join(allowed)}" if nodes else ""
        found = f"it is on {', '.join(sorted(nodes))}" if nodes else None
        hint = found or did_you_mean(volume, known) or _known(f"{what}s", known)
        yield manifest.diagnose(f"there is no {what} {volume}{where}", f"spec.{path}", hint=hint)


def nowhere_together(situation: Situation, manifest: Manifest) -> Iterator[Diagnostic]:
    """Say that no node has everything a guest made from nothing or an image needs."""
    from pmpc_reconcile.manifests import CloneSource

    if isinstance(manifest.source, CloneSource) or fitting_nodes(situation, manifest):
        return
    having = {
        **{f"storage {name}": situation.inventory.storages.get(name) for name in _stores(manifest)},
        **{name: (situation.images or {}).get(name) for name in files_needed(manifest).values()},
    }
    told = "; ".join(
        f"{what} is on {', '.join(sorted(nodes))}" for what, nodes in having.items() if nodes
    )
    places = " or ".join(places_of(situation, manifest))
    yield manifest.diagnose(
        f"no node that is online of {places} has all the storages and images it needs", hint=told
    )


def fitting_nodes(situation: Situation, manifest: Manifest) -> tuple[str, ...]:
    """Return the nodes a guest may be on that are online and have what it is made from."""
    inventory, images = situation.inventory, situation.images
    stores, files = _stores(manifest), files_needed(manifest).values()
    return tuple(
        node
        for node in places_of(situation, manifest)
        if inventory.reachable(node)
        and all(node in inventory.storages.get(storage, ()) for storage in stores)
        and (images is None or all(node in images.get(volume, ()) for volume in files))
    )


def places_of(situation: Situation, manifest: Manifest) -> tuple[str, ...]:
    """Return the nodes a new guest could be on."""
    from pmpc_reconcile.manifests import CloneSource

    if manifest.nodes:
        return manifest.nodes
    template = template_of(situation, manifest)
    if isinstance(manifest.source, CloneSource) and template is not None:
        return (template.node,)
    return tuple(situation.inventory.nodes)


def files_needed(manifest: Manifest) -> dict[str, str]:
    """Return the images a guest is made from or has inserted, by the field that names each."""
    from pmpc_reconcile.manifests import TemplateSource

    if manifest.kind_data.guest is None:
        return {}
    found = files_in(manifest.fields)
    if isinstance(manifest.source, TemplateSource):
        found["source.template"] = manifest.source.ostemplate
    return found


def _stores(manifest: Manifest) -> list[str]:
    fields = manifest.fields.items()
    return sorted({str(value) for path, value in fields if path.endswith(".storage")})


def _known(what: str, names: Mapping[str, Any] | list[str]) -> str:
    shown = ", ".join(sorted(names))
    return f"known {what}: {shown}" if shown else f"there are no {what}"
