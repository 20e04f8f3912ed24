"""Plan a guest that does not exist yet: where, from what, and whether all it needs is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.diagnostics import Severity, did_you_mean
from pmpc_reconcile.diff import Action, FieldChange, create_options, three_way, to_wire
from pmpc_reconcile.plan.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plan.situation import Built, Situation
from pmpc_reconcile.plan.steps import (
    CloneGuest,
    Configure,
    CreateGuest,
    ResizeDisk,
    StartGuest,
    Step,
)
from pmpc_reconcile.values import live_fields

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.live import GuestEntry
    from pmpc_reconcile.manifests import Manifest

_UNREAD: Mapping[str, Any] = {}


def plan_new(
    situation: Situation,
    manifest: Manifest,
    notes: tuple[str, ...],
    template_config: Mapping[str, Any] | None,
) -> Built:
    """Return what makes a guest and brings it to its manifest.

    Args:
        situation: What was read.
        manifest: The guest.
        notes: What locating it found out.
        template_config: Options of the template it clones, None if there is none.
    """
    problems = list(_check(situation, manifest))
    address = str(manifest.address)
    item = ObjectPlan(
        address=address,
        action=ObjectAction.CREATE,
        marker_id=situation.new_id(),
        vmid=manifest.vmid,
        changes=tuple(
            FieldChange(path=path, action=Action.ADD, desired=value)
            for path, value in sorted(manifest.fields.items())
        ),
        desired=dict(manifest.fields),
        owned_after=dict(manifest.fields),
        effects=dict.fromkeys(manifest.fields, "live"),
        notes=notes,
        record=True,
    )
    if any(problem.is_error for problem in problems):
        return Built(_refused(item, problems), (), problems)
    steps = _Maker(situation, manifest).steps(template_config or _UNREAD)
    problems.extend(_shape(manifest, template_config))
    if any(problem.is_error for problem in problems):
        return Built(_refused(item, problems), (), problems)
    return Built(_placed(item, steps), steps, problems)


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


def _check(situation: Situation, manifest: Manifest) -> Iterator[Diagnostic]:
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


def _shape(manifest: Manifest, template_config: Mapping[str, Any] | None) -> Iterator[Diagnostic]:
    """Say which options cannot be made as declared, such as a disk smaller than the template's."""
    if template_config is None:
        yield from create_options(manifest.kind_data, manifest).refused
        return
    changes = _predicted(manifest, template_config)
    for refused in to_wire(manifest.kind_data, changes, template_config).refused:
        option = refused.message.split()[0]
        yield manifest.diagnose(refused.message, f"spec.config.{option}", hint=refused.hint)


def _predicted(manifest: Manifest, template_config: Mapping[str, Any]) -> list[FieldChange]:
    live = live_fields(manifest.kind_data, template_config)
    desired = {path: value for path, value in manifest.fields.items() if path.startswith("config.")}
    return list(three_way(manifest.kind_data, desired, live, {}).changes)


class _Maker:
    """Puts the steps that make a guest behind each other."""

    def __init__(self, situation: Situation, manifest: Manifest) -> None:
        self._situation = situation
        self._manifest = manifest
        self._address = str(manifest.address)
        self._locks = (f"guest:{self._address}",)

    def steps(self, template_config: Mapping[str, Any]) -> tuple[Step, ...]:
        """Return the steps in their order."""
        made = self._made()
        steps: list[Step] = [made]
        if isinstance(made, CloneGuest):
            steps.extend(self._resizes(template_config, made.id))
        name = self._manifest.name
        steps.append(
            Configure(
                id=f"{self._address}#configure",
                address=self._address,
                summary=f"configure {name} as declared",
                reason="a new guest has what its source has",
                after=(steps[-1].id,),
                locks=self._locks,
                fresh=True,
            )
        )
        if self._manifest.state == "running":
            steps.append(
                StartGuest(
                    id=f"{self._address}#start",
                    address=self._address,
                    summary=f"start {name}",
                    reason="the manifest says running",
                    after=(steps[-1].id,),
                    locks=self._locks,
                    inverse="shut it down",
                )
            )
        return tuple(steps)

    def _made(self) -> CloneGuest | CreateGuest:
        from pmpc_reconcile.manifests import CloneSource

        manifest = self._manifest
        source, template = manifest.source, template_of(self._situation, manifest)
        pool_step = self._situation.creations.get(f"Pool/{manifest.pool}")
        after = (pool_step,) if pool_step else ()
        if isinstance(source, CloneSource) and template is not None:
            target = self._target(template)
            where = f" on {target}" if target else f" on {template.node}"
            return CloneGuest(
                id=f"{self._address}#create",
                address=self._address,
                summary=f"clone {manifest.name} from {source.template}{where}",
                reason="it does not exist",
                after=after,
                locks=(*self._locks, f"shared:template:{template.vmid}"),
                inverse="delete it",
                template=template.vmid,
                template_node=template.node,
                template_name=template.name or str(template.vmid),
                target=target,
                full=source.full,
                storage=source.storage,
                vmid=manifest.vmid,
                pool=manifest.pool,
            )
        node = self._roomiest()
        return CreateGuest(
            id=f"{self._address}#create",
            address=self._address,
            summary=f"create {manifest.name} on {node}",
            reason="it does not exist",
            after=after,
            locks=self._locks,
            inverse="delete it",
            node=node,
            vmid=manifest.vmid,
            pool=manifest.pool,
        )

    def _target(self, template: GuestEntry) -> str | None:
        """Return the node a clone goes to, None to stay with the template."""
        nodes = self._manifest.nodes
        if not nodes or template.node in nodes:
            return None
        return next(node for node in nodes if self._situation.inventory.reachable(node))

    def _roomiest(self) -> str:
        """Return the allowed node with the storages needed and the fewest guests."""
        inventory = self._situation.inventory
        load = dict.fromkeys(inventory.nodes, 0)
        for entry in inventory.guests.values():
            load[entry.node] = load.get(entry.node, 0) + 1
        needed = {
            str(value) for path, value in self._manifest.fields.items() if path.endswith(".storage")
        }
        online = [node for node in (self._manifest.nodes or load) if inventory.reachable(node)]
        fitting = [
            node
            for node in online
            if all(node in inventory.storages.get(storage, ()) for storage in needed)
        ]
        return min(fitting or online, key=lambda node: (load.get(node, 0), node))

    def _resizes(self, template_config: Mapping[str, Any], after: str) -> Iterator[Step]:
        wire = to_wire(
            self._manifest.kind_data, _predicted(self._manifest, template_config), template_config
        )
        for resize in wire.resize:
            step = ResizeDisk(
                id=f"{self._address}#resize-{resize.disk}",
                address=self._address,
                summary=f"grow {resize.disk} of {self._manifest.name} to {resize.text}",
                reason="the template's disk is smaller",
                after=(after,),
                locks=self._locks,
                disk=resize.disk,
                size=resize.text,
                changes=tuple(
                    change
                    for change in _predicted(self._manifest, template_config)
                    if change.path == f"config.{resize.disk}.size"
                ),
            )
            after = step.id
            yield step


def _refused(item: ObjectPlan, problems: list[Diagnostic]) -> ObjectPlan:
    import attrs

    notes = tuple(problem.message for problem in problems if problem.is_error)
    return attrs.evolve(item, action=ObjectAction.REFUSED, notes=(*item.notes, *notes))


def _placed(item: ObjectPlan, steps: tuple[Step, ...]) -> ObjectPlan:
    import attrs

    made = steps[0]
    node = None
    if isinstance(made, CloneGuest):
        node = made.target or made.template_node
    elif isinstance(made, CreateGuest):
        node = made.node
    return attrs.evolve(item, node=node)


def _known(what: str, names: Mapping[str, Any] | list[str]) -> str:
    shown = ", ".join(sorted(names))
    return f"known {what}: {shown}" if shown else f"there are no {what}"
