"""What objects of one plan need of each other: a disk its storage, a container its image.

What the plan itself makes counts as there when guests are planned, and their steps wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from pmpc_reconcile.diff import Action
from pmpc_reconcile.live import Inventory
from pmpc_reconcile.manifests import Manifest, TemplateSource
from pmpc_reconcile.plans.situation import Built
from pmpc_reconcile.plans.steps import Configure, CreateStorage, Step
from pmpc_reconcile.values.images import volume_of

SHARED_TYPES = frozenset(
    {"nfs", "cifs", "cephfs", "rbd", "pbs", "iscsi", "iscsidirect", "zfs", "esxi"}
)
"""Types of storages that are the same on every node."""


def with_storages(inventory: Inventory, manifests: Iterable[Manifest]) -> Inventory:
    """Return an inventory in which the storages that manifests declare are there already."""
    found, shared = dict(inventory.storages), set(inventory.shared)
    for manifest in manifests:
        if manifest.kind == "Storage" and manifest.name not in found:
            named = str(manifest.fields.get("config.nodes", ""))
            nodes = named.split(",") if named else inventory.nodes
            found[manifest.name] = frozenset(nodes)
            if is_shared(manifest):
                shared.add(manifest.name)
    return attrs.evolve(inventory, storages=found, shared=frozenset(shared))


def with_images(
    images: Mapping[str, frozenset[str]] | None,
    manifests: Iterable[Manifest],
    inventory: Inventory,
) -> Mapping[str, frozenset[str]] | None:
    """Return images and where they are, with those that manifests declare."""
    if images is None:
        return None
    found = dict(images)
    for manifest in manifests:
        if manifest.kind == "Image":
            volume, storage = volume_of(manifest.spec), str(manifest.spec["storage"])
            having = inventory.storages.get(storage, frozenset[str]())
            named = frozenset(str(node) for node in manifest.spec.get("nodes", ()))
            found[volume] = found.get(volume, frozenset[str]()) | (named or having)
    return found


def is_shared(manifest: Manifest) -> bool:
    """Return whether a declared storage is the same on every node."""
    return manifest.spec["type"] in SHARED_TYPES or bool(manifest.fields.get("config.shared"))


def linked(built: Sequence[Built], manifests: Mapping[str, Manifest]) -> list[Built]:
    """Return what was planned, with each step waiting for what the plan makes and it needs."""
    made: dict[str, list[str]] = {}
    for each in built:
        manifest = manifests.get(each.item.address)
        for step in each.steps:
            for thing in _makes(step, manifest):
                made.setdefault(thing, []).append(step.id)
    return [_waiting(each, manifests.get(each.item.address), made) for each in built]


def removed_after(built: Sequence[Built], users: Iterable[Built]) -> list[Built]:
    """Return removals that wait until those who may use what goes are gone."""
    before = tuple(step.id for each in users for step in each.steps)
    return [
        attrs.evolve(
            each,
            steps=tuple(attrs.evolve(step, after=(*step.after, *before)) for step in each.steps),
        )
        for each in built
    ]


def _waiting(each: Built, manifest: Manifest | None, made: Mapping[str, list[str]]) -> Built:
    if manifest is None or not each.steps:
        return each
    own = {step.id for step in each.steps}
    needed = {name for thing in _needs(manifest) for name in made.get(thing, ())} - own
    if not needed:
        return each
    steps = tuple(
        attrs.evolve(step, after=(*step.after, *sorted(needed - set(step.after))))
        for step in each.steps
    )
    return attrs.evolve(each, steps=steps)


def _makes(step: Step, manifest: Manifest | None) -> Iterator[str]:
    name = step.address.partition("/")[2]
    if isinstance(step, CreateStorage):
        yield f"storage {name}"
    if not isinstance(step, Configure) or manifest is None:
        return
    for change in step.changes:
        if change.action is not Action.ADD:
            continue
        if manifest.kind == "Image":
            yield f"volume {volume_of(manifest.spec)}"
        elif manifest.kind == "Sdn" and change.path.startswith("vnets."):
            yield f"bridge {change.path.split('.')[1]}"
        elif manifest.kind == "NodeNetwork":
            yield f"bridge {change.path.removeprefix('interfaces.').rpartition('.')[0]}"


def _needs(manifest: Manifest) -> Iterator[str]:
    if manifest.kind == "Image":
        yield f"storage {manifest.spec['storage']}"
    if manifest.kind_data.guest is None:
        return
    if isinstance(manifest.source, TemplateSource):
        yield from _volume(manifest.source.ostemplate)
    for path, value in manifest.fields.items():
        key = path.rpartition(".")[2]
        if key == "storage":
            yield f"storage {value}"
        elif key in ("volume", "import-from"):
            yield from _volume(str(value))
        elif key == "bridge":
            yield f"bridge {value}"


def _volume(text: str) -> Iterator[str]:
    yield f"volume {text}"
    yield f"storage {text.partition(':')[0]}"
