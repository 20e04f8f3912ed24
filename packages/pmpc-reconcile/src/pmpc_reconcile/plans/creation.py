"""Plan a guest that does not exist yet: where, from what, and whether all it needs is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.diff import Action, FieldChange, create_options, three_way, to_wire
from pmpc_reconcile.plans.cloning import ClonePlace, clone_obstacles, clone_place
from pmpc_reconcile.plans.hooks import hook_steps
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.requirements import (
    fitting_nodes,
    missing_things,
    nowhere_together,
    template_of,
)
from pmpc_reconcile.plans.situation import Built, Situation
from pmpc_reconcile.plans.steps import (
    CloneGuest,
    Configure,
    CreateGuest,
    MigrateGuest,
    ResizeDisk,
    StartGuest,
    Step,
)
from pmpc_reconcile.values import live_fields

if TYPE_CHECKING:
    from pmpc_reconcile.diagnostics import Diagnostic
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
    problems = list(missing_things(situation, manifest))
    if not any(problem.is_error for problem in problems):
        problems.extend(nowhere_together(situation, manifest))
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
    problems.extend(clone_obstacles(situation, manifest, template_config or _UNREAD))
    if any(problem.is_error for problem in problems):
        return Built(_refused(item, problems), (), problems)
    return Built(_placed(item, steps), steps, problems)


def _shape(manifest: Manifest, template_config: Mapping[str, Any] | None) -> Iterator[Diagnostic]:
    """Say which options cannot be made as declared, such as a disk smaller than the template's."""
    from pmpc_reconcile.manifests import CloneSource

    if template_config is None and not isinstance(manifest.source, CloneSource):
        yield from create_options(manifest.kind_data, manifest).refused
    if template_config is None:
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
        place = clone_place(self._situation, self._manifest, template_config)
        made = self._made(place)
        known = bool(template_config) or isinstance(made, CreateGuest)
        steps: list[Step] = [made]
        if place.moves_to:
            steps.append(self._moved(place.moves_to, made.id))
        if isinstance(made, CloneGuest):
            steps.extend(self._resizes(template_config, steps[-1].id))
        name = self._manifest.name
        steps.append(
            Configure(
                id=f"{self._address}#configure",
                address=self._address,
                summary=f"configure {name} as declared",
                reason="a new guest has what its source has",
                after=(steps[-1].id,),
                locks=self._locks,
                inverse="delete it",
                changes=tuple(_predicted(self._manifest, template_config)) if known else (),
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
        last = (steps[-1].id,)
        return (*steps, *hook_steps(self._manifest, "postApply", self._locks, last))

    def _moved(self, nodes: tuple[str, ...], after: str) -> MigrateGuest:
        return MigrateGuest(
            id=f"{self._address}#migrate",
            address=self._address,
            summary=f"migrate {self._manifest.name} to {' or '.join(nodes)}, before it is started",
            reason="its template lies on local disks, which PVE clones on their own node only",
            after=(after,),
            locks=self._locks,
            inverse="delete it",
            targets=nodes,
        )

    def _made(self, place: ClonePlace) -> CloneGuest | CreateGuest:
        from pmpc_reconcile.manifests import CloneSource

        manifest = self._manifest
        source, template = manifest.source, template_of(self._situation, manifest)
        pool_step = self._situation.creations.get(f"Pool/{manifest.pool}")
        after = (pool_step,) if pool_step else ()
        if isinstance(source, CloneSource) and template is not None:
            target = place.target
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

    def _roomiest(self) -> str:
        """Return the allowed node with the storages and images needed and the fewest guests."""
        inventory = self._situation.inventory
        load = dict.fromkeys(inventory.nodes, 0)
        for entry in inventory.guests.values():
            load[entry.node] = load.get(entry.node, 0) + 1
        fitting = fitting_nodes(self._situation, self._manifest)
        return min(fitting, key=lambda node: (load.get(node, 0), node))

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
    node = next((step.targets[0] for step in steps if isinstance(step, MigrateGuest)), None)
    if node is not None:
        return attrs.evolve(item, node=node)
    if isinstance(made, CloneGuest):
        node = made.target or made.template_node
    elif isinstance(made, CreateGuest):
        node = made.node
    return attrs.evolve(item, node=node)
