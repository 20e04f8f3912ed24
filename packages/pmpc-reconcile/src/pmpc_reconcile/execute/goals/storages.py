"""Goals about storages and the images on them."""

from __future__ import annotations

from typing import Any, Final

from pmpc_reconcile.diff import FieldChange, create_options, to_wire
from pmpc_reconcile.execute.goals.base import ExistingGuestGoal
from pmpc_reconcile.execute.reviewed import still_missing
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure
from pmpc_reconcile.live.storages import has_volume, read_storage, volume_path
from pmpc_reconcile.plans.settings import KEY
from pmpc_reconcile.plans.steps import Configure, FetchImage
from pmpc_reconcile.plans.storages import FIXED, declared_fixed, fixed_text, storage_fields
from pmpc_reconcile.values import Absent, FieldValue, Secret, SecretMark
from pmpc_reconcile.values.images import filename_of

STORAGE: Final = "Storage/"
_DOWNLOAD: Final = ("checksum", "checksum-algorithm", "compression", "verify-certificates")


class CreateStorageGoal(ExistingGuestGoal):
    """The storage is configured as declared."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the creation until the storage is there."""
        manifest = run.manifest()
        row = await read_storage(run.live, run.item.name)
        if row is not None:
            fixed = declared_fixed(manifest)
            if any(str(row.get(name, "")) != text for name, text in fixed.items()):
                raise StepFailure(f"storage {run.item.name} is there already and is another one")
            run.target.traits[FIXED] = fixed_text(row)
            return None
        wire = create_options(run.kind, manifest)
        params: dict[str, object] = {**wire.parameters(), **declared_fixed(manifest)}
        params["storage"] = run.item.name
        return Call("create", "POST", "/storage", params, {"storage": run.item.name})

    def taken(self, run: StepRun, call: Call) -> None:
        """Look at the storage that is there; it may be ours."""


class ConfigureStorageGoal(ExistingGuestGoal):
    """The storage's options are as declared."""

    def __init__(self, step: Configure) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the one write that is still missing."""
        name = run.item.name
        row = await read_storage(run.live, name)
        if row is None:
            raise StepFailure(f"storage {name} does not exist any more; plan again")
        if run.item.evidence.get(FIXED, fixed_text(row)) != fixed_text(row):
            raise StepFailure(f"storage {name} is another one now; it is left alone")
        live = storage_fields(row, run.item.owned_after)
        missing = still_missing("Storage", self.step, live, _is_secret)
        missing = tuple(item for item in missing if item.path not in run.target.written)
        if not missing:
            return None
        wire = to_wire(run.kind, missing, row)
        if wire.refused:
            raise StepFailure("; ".join(item.message for item in wire.refused))
        run.target.written.update(
            change.path for change in missing if isinstance(change.desired, Secret)
        )
        params: dict[str, object] = {**wire.parameters(), "digest": row.get("digest")}
        return Call("write options", "PUT", f"/storage/{name}", params, {"storage": name})


class DeleteStorageGoal(ExistingGuestGoal):
    """The storage is out of the configuration."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the deletion until it is gone."""
        name = run.item.name
        row = await read_storage(run.live, name)
        if row is None:
            return None
        if run.item.evidence.get(FIXED, fixed_text(row)) != fixed_text(row):
            return None  # gone; whoever has its name now is a stranger
        return Call("delete", "DELETE", f"/storage/{name}", {}, {"storage": name})


class FetchImageGoal(ExistingGuestGoal):
    """A node's storage has an image, or no longer has it."""

    def __init__(self, step: Configure) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the download or the removal until it took effect."""
        volume = run.item.evidence[KEY]
        for change in self.step.changes:
            node = change.path.removeprefix("nodes.")
            there = await has_volume(run.live, node, volume)
            if isinstance(change.desired, Absent):
                if there:
                    intent = _intent(node, volume.partition(":")[0])  # the id of its task
                    return Call("remove", "DELETE", volume_path(node, volume), {}, intent)
            elif not there:
                return _download(run, node)
        return None


def _is_secret(change: FieldChange, now: FieldValue | Absent) -> bool:
    """Return whether a field is one that nobody is shown, so that nothing can be compared."""
    return isinstance(change.desired, Secret | SecretMark)


def _download(run: StepRun, node: str) -> Call:
    spec = run.manifest().spec
    filename = filename_of(spec)
    params: dict[str, object] = {
        "url": spec["url"],
        "content": spec["content"],
        "filename": filename,
        **{name: spec[name] for name in _DOWNLOAD if name in spec},
    }
    if "checksum" in params:
        params.setdefault("checksum-algorithm", "sha256")
    path = f"/nodes/{node}/storage/{spec['storage']}/download-url"
    return Call("fetch", "POST", path, params, _intent(node, filename))


def _intent(node: str, *ids: str) -> dict[str, Any]:
    return {"node": node, "task_ids": list(ids)}


def is_image(step: Configure) -> bool:
    """Return whether a step is about an image, also one that undoes another."""
    return isinstance(step, FetchImage) or step.address.startswith("Image/")
