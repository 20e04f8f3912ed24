"""Hooks of a manifest as steps: what is done to a guest before and after something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from pmpc_reconcile.plans.steps import BackupGuest, DropBackups, SnapshotGuest, Step

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest

Moment = Literal["preApply", "postApply", "preDelete", "postDelete"]
_WHEN: Final[Mapping[Moment, str]] = {
    "preApply": "before",
    "postApply": "after",
    "preDelete": "before-delete",
    "postDelete": "after-delete",
}
_KEEP: Final = 3


def hook_steps(
    manifest: Manifest, moment: Moment, locks: tuple[str, ...], after: tuple[str, ...] = ()
) -> tuple[Step, ...]:
    """Return the steps of a guest's hooks, one behind the other.

    Args:
        manifest: The guest.
        moment: Which hooks.
        locks: What its steps must have for themselves.
        after: What the first one waits for.
    """
    found: list[Step] = []
    hooks: list[Mapping[str, Any]] = manifest.spec.get("hooks", {}).get(moment, [])
    for number, hook in enumerate(hooks, 1):
        common: dict[str, Any] = {
            "id": f"{manifest.address}#{_WHEN[moment]}-{number}",
            "address": str(manifest.address),
            "reason": f"its hook {moment} says so",
            "after": (found[-1].id,) if found else after,
            "locks": locks,
        }
        found.extend(
            _step(word, given, manifest.name, moment, common) for word, given in hook.items()
        )
    return tuple(found)


def _step(
    word: str, given: Mapping[str, Any], name: str, moment: Moment, common: Mapping[str, Any]
) -> Step:
    match word:
        case "snapshot":
            return SnapshotGuest(
                **common,
                summary=f"take a snapshot of {name}",
                inverse="delete the snapshot",
                prefix=f"pmpc-{_WHEN[moment]}",
                keep=int(given.get("keep", _KEEP)),
            )
        case "backup":
            return BackupGuest(
                **common,
                summary=f"back {name} up to {given['storage']}",
                inverse="delete the backup",
                storage=given["storage"],
                mode=given.get("mode", "snapshot"),
            )
        case _:
            storage, keep = given["storage"], int(given["keep"])
            return DropBackups(
                **common,
                summary=f"delete hooks' backups of {name} from {storage} but for the newest {keep}",
                storage=storage,
                keep=keep,
            )
