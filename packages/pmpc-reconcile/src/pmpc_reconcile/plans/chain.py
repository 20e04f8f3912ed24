"""The steps that bring an existing guest to its manifest, one behind the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.diff import FieldChange, to_wire
from pmpc_reconcile.plans.cloud_init import NOTHING_LACKS, DriveLack
from pmpc_reconcile.plans.hooks import hook_steps
from pmpc_reconcile.plans.situation import Situation
from pmpc_reconcile.plans.steps import (
    Configure,
    MigrateGuest,
    MoveDisk,
    RegenerateCloudInit,
    ResizeDisk,
    RestartGuest,
    SetPool,
    ShutdownGuest,
    StartGuest,
    Step,
)
from pmpc_reconcile.values import Absent, split_path

if TYPE_CHECKING:
    from pmpc_reconcile.live import GuestObject
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.plans.restarts import RestartDecision


_NOTHING: Mapping[str, str] = {}


def wanted_value(changes: Sequence[FieldChange], path: str) -> str | None:
    """Return the value a change gives to a field, None if nothing does."""
    for change in changes:
        if change.path == path:
            return None if isinstance(change.desired, Absent) else str(change.desired)
    return None


def _why(waiting: Sequence[str], because: Mapping[str, str]) -> str:
    """Return for each option that waits why it does."""
    reasons = {split_path(path)[1]: reason for path, reason in because.items()}
    known = "it was changed before and waits since"
    return ", ".join(f"{option}: {reasons.get(option, known)}" for option in waiting)


class GuestChain:
    """Puts the steps of one guest behind each other."""

    def __init__(
        self,
        manifest: Manifest,
        guest: GuestObject,
        changes: Sequence[FieldChange],
        situation: Situation,
    ) -> None:
        self._manifest = manifest
        self._address = str(manifest.address)
        self._guest = guest
        self._changes = changes
        self._situation = situation
        self._steps: list[Step] = []

    def steps(
        self,
        *,
        stopping: bool,
        mark: bool,
        drive: DriveLack = NOTHING_LACKS,
        waiting: Sequence[str] = (),
        restart: RestartDecision | None = None,
        because: Mapping[str, str] = _NOTHING,
    ) -> tuple[Step, ...]:
        """Return the steps in their order.

        Args:
            stopping: It shall be stopped; that comes first.
            mark: Its marker is missing.
            drive: What its cloud-init drive lacks.
            waiting: Options that wait for a restart.
            restart: Why it may be restarted for them; None if it may not.
            because: For each path that waits for a restart, why it does.
        """
        name = self._manifest.name
        if stopping:
            self._add(
                ShutdownGuest,
                "shutdown",
                f"shut down {name}",
                reason="the manifest says stopped",
                downtime="stop",
                inverse="start it",
            )
        self._migrate()
        options = [change for change in self._changes if change.path.startswith("config.")]
        options = self._disks(options)
        if options or mark:
            keys = sorted({split_path(change.path)[1] or "" for change in options})
            what = ", ".join(keys) if keys else "the marker"
            self._add(
                Configure,
                "configure",
                f"set {what} of {name}",
                reason="the manifest differs" if options else "its marker was removed",
                inverse="write the previous values",
                changes=tuple(options),
                mark=mark,
            )
        self._moves()
        if not stopping and restart is None:  # stopped it has no use for it; a restart writes it
            self._regenerate(drive)
        self._pool()
        self._power(waiting, restart, because)
        return self._between_hooks()

    def _between_hooks(self) -> tuple[Step, ...]:
        """Return the steps with those of the hooks before and behind them, if there are any."""
        if not self._steps:
            return ()
        locks = (f"guest:{self._guest.vmid}",)
        was = self._guest.state
        before = hook_steps(self._manifest, "preApply", locks, was=was)
        first, *rest = self._steps
        if before:
            first = attrs.evolve(first, after=(before[-1].id, *first.after))
        last = (rest or [first])[-1].id
        return (
            *before,
            first,
            *rest,
            *hook_steps(self._manifest, "postApply", locks, (last,), was),
        )

    def _migrate(self) -> None:
        nodes = self._manifest.nodes
        if nodes and self._guest.node not in nodes:
            self._add(
                MigrateGuest,
                "migrate",
                f"migrate {self._manifest.name} from {self._guest.node} to {' or '.join(nodes)}",
                reason=f"placement does not allow {self._guest.node}",
                downtime="short" if self._guest.running else "none",
                inverse=f"migrate it back to {self._guest.node}",
                targets=nodes,
            )

    def _disks(self, options: list[FieldChange]) -> list[FieldChange]:
        """Take resizes and moves out of the options and add the steps that resize."""
        self._moving: list[tuple[str, str, FieldChange]] = []
        rest: list[FieldChange] = []
        for change in options:
            wire = to_wire(self._manifest.kind_data, [change], self._guest.own_config)
            if wire.resize and not wire.set:
                disk, size = wire.resize[0].disk, wire.resize[0].text
                self._add(
                    ResizeDisk,
                    f"resize-{disk}",
                    f"grow {disk} of {self._manifest.name} to {size}",
                    reason=f"it has {change.live}",
                    disk=disk,
                    size=size,
                    changes=(change,),
                )
            elif wire.move and not wire.set:
                self._moving.append((wire.move[0].disk, wire.move[0].storage, change))
            else:
                rest.append(change)
        return rest

    def _moves(self) -> None:
        for disk, storage, change in self._moving:
            self._add(
                MoveDisk,
                f"move-{disk}",
                f"move {disk} of {self._manifest.name} to {storage}",
                reason=f"it is on {change.live}",
                inverse=f"move it back to {change.live}",
                disk=disk,
                storage=storage,
                changes=(change,),
            )

    def _regenerate(self, drive: DriveLack) -> None:
        if not drive.keys:
            return
        told = ", ".join(drive.keys)
        self._add(
            RegenerateCloudInit,
            "cloud-init",
            f"regenerate the cloud-init drive of {self._manifest.name} for {told}",
            reason=drive.why,
            inverse="regenerate it from the previous values",
            keys=drive.keys,
        )

    def _pool(self) -> None:
        for change in self._changes:
            if change.path != "pool":
                continue
            wanted = None if isinstance(change.desired, Absent) else str(change.desired)
            verb = f"put {self._manifest.name} into pool {wanted}"
            if wanted is None:
                verb = f"take {self._manifest.name} out of pool {self._guest.pool}"
            made = self._situation.creations.get(f"Pool/{wanted}")
            self._add(
                SetPool,
                "pool",
                verb,
                reason=f"it is in {self._guest.pool or 'none'}",
                inverse="put it back",
                pool=wanted,
                previous=self._guest.pool,
                after=(made,) if made else (),
            )

    def _power(
        self,
        waiting: Sequence[str],
        restart: RestartDecision | None,
        because: Mapping[str, str],
    ) -> None:
        name = self._manifest.name
        if wanted_value(self._changes, "state") == "running":
            self._add(
                StartGuest,
                "start",
                f"start {name}",
                reason="the manifest says running",
                inverse="shut it down",
            )
        elif restart is not None:
            self._add(
                RestartGuest,
                "restart",
                f"restart {name} so that {', '.join(waiting)} take effect",
                reason=f"{_why(waiting, because)}; {restart.message}",
                downtime="restart",
                inverse="restart it once more with the values before",
                keys=tuple(waiting),
                until=restart.until,
            )

    def _add(
        self,
        kind: type[Step],
        verb: str,
        summary: str,
        *,
        after: tuple[str, ...] = (),
        **fields: object,
    ) -> None:
        before = (self._steps[-1].id,) if self._steps else ()
        step_fields: dict[str, object] = {
            "id": f"{self._address}#{verb}",
            "address": self._address,
            "summary": summary,
            "after": (*before, *after),
            "locks": (f"guest:{self._guest.vmid}",),
            **fields,
        }
        self._steps.append(kind(**step_fields))  # type: ignore[arg-type]  # fields fit the kind
